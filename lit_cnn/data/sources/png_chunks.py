"""A PNG without the metadata that keeps its pixels from being read: damaged chunks, and texts or profiles that unpack
to more than the reader takes."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**20
"""Bytes to which one text or color profile may unpack."""
LARGEST_TOTAL = 32 * 2**20
"""Bytes to which all of them may."""


def pixels_alone(content: bytes) -> bytes | None:
    """The same PNG without harmful metadata; None where it is not a PNG, or holds none.

    Chunks that the pixels need are kept as they are, broken or not.
    """
    if not content.startswith(SIGNATURE):
        return None
    kept, place, total = [SIGNATURE], len(SIGNATURE), 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        chunk = content[place : place + length + 12]
        name, body = chunk[4:8], chunk[8:-4]
        needed = name[:1].isupper() or name == b"tRNS"
        size = 0 if needed else _unpacked(name, body)
        damaged = not needed and struct.pack(">I", zlib.crc32(name + body)) != chunk[-4:]
        if not damaged and size <= LARGEST and total + size <= LARGEST_TOTAL:
            kept.append(chunk)
            total += size
        place += length + 12
    slim = b"".join(kept) + content[place:]
    return slim if len(slim) < len(content) else None


def _unpacked(name: bytes, body: bytes) -> int:
    """Bytes of a chunk when its text or profile is unpacked, counted up to just above ``LARGEST``."""
    before, after = {b"zTXt": (1, 1), b"iCCP": (1, 1), b"iTXt": (3, 0)}.get(name, (0, 0))
    parts = body.split(b"\0", 1)
    if name == b"iTXt" and len(parts) == 2 and parts[1][:1] == b"\1":
        parts = [parts[0], *parts[1][2:].split(b"\0", 2)]
    if before == 0 or len(parts) != before + 1:
        return len(body)
    try:
        return len(zlib.decompressobj().decompress(parts[-1][after:], LARGEST + 1))
    except zlib.error:
        return 0  # which Pillow passes over
