"""A PNG without the metadata that keeps its pixels from being read: damaged chunks, and texts or profiles that unpack
to more than the reader takes."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**20
"""Bytes to which one text or color profile may unpack."""
LARGEST_TOTAL = 32 * 2**20
"""Bytes to which all of them may."""
_KEPT = (b"tRNS", b"eXIf")
_PACKED_AFTER = {b"tEXt": 0, b"zTXt": 1, b"iCCP": 1, b"iTXt": 2}
"""Chunks of text and profiles -> bytes between the end of their keyword and what may be compressed."""


def pixels_alone(content: bytes) -> bytes | None:
    """The same PNG with what its pixels need, its orientation, and harmless texts and profiles.

    None where it is not a PNG, or nothing is left out. What the pixels need is kept as it is, broken or not.
    """
    if not content.startswith(SIGNATURE):
        return None
    kept, place, total = [SIGNATURE], len(SIGNATURE), 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        chunk = content[place : place + length + 12]
        name, body = chunk[4:8], chunk[8:-4]
        size = 0 if name[:1].isupper() else _size(name, body, chunk[-4:])
        if size is not None and total + size <= LARGEST_TOTAL:
            kept.append(chunk)
            total += size
        place += length + 12
    slim = b"".join(kept) + content[place:]
    return slim if len(slim) < len(content) else None


def _size(name: bytes, body: bytes, checksum: bytes) -> int | None:
    """Bytes of metadata that can be kept, unpacked; None of what is damaged, too large, or not needed."""
    intact = struct.pack(">I", zlib.crc32(name + body)) == checksum
    if name in _KEPT and (intact or name == b"tRNS"):
        return len(body)
    keyword, end, rest = body.partition(b"\0")
    if not intact or not keyword or not end or name not in _PACKED_AFTER:
        return None
    flags, rest = rest[: _PACKED_AFTER[name]], rest[_PACKED_AFTER[name] :]
    if name == b"tEXt" or flags == b"\0\0":
        return len(rest) if len(rest) <= LARGEST else None
    if flags[-1:] != b"\0":
        return None  # compressed in a way that is not defined
    packed = rest.split(b"\0", 2)[-1] if name == b"iTXt" else rest
    try:
        size = len(zlib.decompressobj().decompress(packed, LARGEST + 1))
    except zlib.error:
        return None
    return size if size <= LARGEST else None
