"""Images that show the same, though their files differ: resized, saved again, slightly brighter.

A perceptual hash (Zauner 2010, section 3.2.1: the signs of the lowest frequencies of a discrete cosine transform) finds
candidates without comparing every image with every other, and small thumbnails decide.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

THUMBNAIL = 16
"""Side of the thumbnails in pixels."""
_SIDE = 32
_FREQUENCIES = 8
_BANDS = 4
"""Parts of 16 bits: of two hashes with up to 11 different bits, one part differs in at most two bits, as it does in
most with up to ``DISTANCE``."""
_FLIPS = (0, *sorted({1 << bit | 1 << other for bit in range(16) for other in range(16)}))
"""Which bits of a part are flipped in turn: none, one or two."""
DISTANCE = 14
"""Bits in which the hashes of candidates may differ."""
RESIDUAL, RELATIVE, MOST = 3.0, 0.14, 10.0
"""Root mean square by which the luminances of thumbnails may differ beyond brightness and contrast: the first number
plus so large a share of their standard deviation, at most the third, in levels."""
CORRELATION = 0.6
"""Least correlation of the luminances, which counts where their contrast is low."""
GAIN = 1.5
"""Largest ratio of contrasts."""
SHIFT = 40.0
"""Largest difference of a channel's mean level."""
COLOR = 16.0
"""Root mean square by which the colors of the 16 parts of two thumbnails may differ, in levels."""
FLAT = 2.5
"""Standard deviation of the luminance of a thumbnail below which there is nothing to compare."""
_NEIGHBORS = 32
"""Candidates of an image that share one key: where thousands do, such as scans of blank pages, the next ones count."""
_CHUNK = 8192

_ANGLES = (np.arange(_SIDE) + 0.5)[None] * np.arange(_FREQUENCIES)[:, None]
_COSINES = np.cos(np.pi / _SIDE * _ANGLES).astype(np.float32)
_BITS = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def thumbnail_and_hash(picture: Image.Image) -> tuple[np.ndarray, np.uint64]:
    """Thumbnail uint8 (16, 16, 3) and perceptual hash of an image of mode RGB."""
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0).convert("RGB")
    pixels = np.asarray(small, dtype=np.float32)
    blocks = pixels.reshape(THUMBNAIL, _SIDE // THUMBNAIL, THUMBNAIL, _SIDE // THUMBNAIL, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8), perceptual_hash(pixels @ _LUMINANCE)


def perceptual_hash(gray: np.ndarray) -> np.uint64:
    """63 bits of levels float32 (32, 32): which of the lowest frequencies are above their median."""
    spectrum = (_COSINES @ gray @ _COSINES.T).ravel()[1:]
    bits = np.concatenate([[False], spectrum > np.median(spectrum)])
    return np.packbits(bits).view(">u8")[0].astype(np.uint64)


def near_duplicates(thumbnails: np.ndarray, hashes: np.ndarray) -> list[list[int]]:
    """Groups of rows that show the same, each sorted, in the order of their first rows.

    Args:
        thumbnails: uint8 (N, 16, 16, 3).
        hashes: uint64 (N,).
    """
    parents = list(range(len(hashes)))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    luminances = _luminances(thumbnails)
    rows = np.flatnonzero(luminances.std(axis=1) >= FLAT)
    for first, second in _candidates(hashes[rows]):
        a, b = rows[first], rows[second]
        alike = _same_shapes(luminances[a], luminances[b]) & _same_colors(thumbnails[a], thumbnails[b])
        for pair in zip(a[alike].tolist(), b[alike].tolist(), strict=True):
            one, other = sorted(map(root, pair))
            parents[other] = one
    groups: dict[int, list[int]] = {}
    for row in range(len(parents)):
        groups.setdefault(root(row), []).append(row)
    return [rows for rows in groups.values() if len(rows) > 1]


def _candidates(hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of rows whose hashes differ in few bits, a chunk at a time."""
    order_of_hash = np.argsort(hashes, kind="stable")
    for band in range(_BANDS):
        keys = ((hashes >> np.uint64(16 * band)) & np.uint64(0xFFFF)).astype(np.int64)
        order = order_of_hash[np.argsort(keys[order_of_hash], kind="stable")]
        ordered = keys[order]
        for flip in _FLIPS:
            for start in range(0, len(hashes), _CHUNK):
                rows = np.arange(start, min(start + _CHUNK, len(hashes)))
                first, second = _with_key(rows, ordered, flip)
                yield from _close(hashes, order[first], order[second], band)


def _with_key(places: np.ndarray, ordered: np.ndarray, flip: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (place, other place): those whose key is this one's with a bit flipped, at most the next ``_NEIGHBORS``."""
    wanted = ordered[places] ^ flip
    begin = np.searchsorted(ordered, wanted, "left") if flip else places + 1
    counts = np.minimum(np.searchsorted(ordered, wanted, "right") - begin, _NEIGHBORS)
    counts[(wanted < ordered[places])] = 0  # each pair once
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(places, counts), np.repeat(begin, counts) + offsets


def _close(
    hashes: np.ndarray, first: np.ndarray, second: np.ndarray, band: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Those of the pairs with few different bits that no band before has given."""
    for start in range(0, len(first), _CHUNK):
        a, b = first[start : start + _CHUNK], second[start : start + _CHUNK]
        bits = _different_bits(hashes[a], hashes[b])
        near = (bits.sum(axis=1) <= DISTANCE) & (bits[:, :band] > 2).all(axis=1)
        if near.any():
            yield a[near], b[near]


def _different_bits(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How many bits of each band differ: (P, 4)."""
    parts = (first ^ second)[:, None] >> (16 * np.arange(_BANDS, dtype=np.uint64)) & np.uint64(0xFFFF)
    return _BITS[parts >> np.uint64(8)] + _BITS[parts & np.uint64(0xFF)]


def _luminances(thumbnails: np.ndarray) -> np.ndarray:
    """float32 (N, 256)."""
    luminances = np.empty((len(thumbnails), THUMBNAIL**2), dtype=np.float32)
    for start in range(0, len(thumbnails), _CHUNK):
        block = thumbnails[start : start + _CHUNK].astype(np.float32)
        luminances[start : start + _CHUNK] = (block @ _LUMINANCE).reshape(len(block), -1)
    return luminances


def _same_shapes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether luminances (P, 256) differ by little more than brightness and contrast: bool (P,)."""
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    deviations = np.sqrt((a * a).mean(1)), np.sqrt((b * b).mean(1))
    low, high = np.minimum(*deviations), np.maximum(*deviations)
    correlation = (a * b).mean(1) / (low * high)
    residual = high * np.sqrt(np.clip(1 - correlation**2, 0, None))
    return (
        (residual <= np.minimum(RESIDUAL + RELATIVE * high, MOST)) & (correlation >= CORRELATION) & (high <= GAIN * low)
    )


def _same_colors(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether the means of the 16 parts of thumbnails (P, 16, 16, 3) have the same colors: bool (P,)."""
    parts = (len(first), 4, THUMBNAIL // 4, 4, THUMBNAIL // 4, 3)
    difference = (first.astype(np.float32) - second).reshape(parts).mean((2, 4)).reshape(len(first), -1, 3)
    shift = difference.mean(1, keepdims=True)
    spread = np.sqrt(((difference - shift) ** 2).mean((1, 2)))
    return (np.abs(shift).max((1, 2)) <= SHIFT) & (spread <= COLOR)
