"""Small ICC profiles written by hand, and the colors that they mean, computed from the standards' own formulas."""

import struct

import numpy as np

SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
"""Chromaticities x, y of red, green and blue under D65 (IEC 61966-2-1; SMPTE RP 431-2 and EG 432-1; Adobe 1998)."""
D65 = (0.3127, 0.3290)
D50_XYZ = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def xyz(chromaticity):
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


TO_D50 = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50_XYZ) / (BRADFORD @ xyz(D65))) @ BRADFORD


def to_xyz(primaries):
    """The matrix from linear RGB to XYZ under D65 (Lindbloom)."""
    columns = np.stack([xyz(each) for each in primaries], axis=1)
    return columns * np.linalg.solve(columns, xyz(D65))


def srgb_encoded(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_decoded(levels):
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def true_srgb(pixels, primaries, decoded):
    """uint8 pixels (..., 3) of a color space in sRGB, as numbers from 0 to 255; ``decoded`` makes them linear."""
    linear = decoded(np.asarray(pixels) / 255) @ to_xyz(primaries).T
    return 255 * srgb_encoded(linear @ np.linalg.inv(to_xyz(SRGB)).T)


def lab_in_srgb(lab):
    """CIELAB under D50, the white of profiles, in sRGB as numbers from 0 to 255."""
    lightness, red, yellow = lab
    middle = (lightness + 16) / 116
    roots = np.array([middle + red / 500, middle, middle - yellow / 200])
    under_d50 = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * D50_XYZ
    linear = np.linalg.inv(to_xyz(SRGB)) @ np.linalg.inv(TO_D50) @ under_d50
    return 255 * srgb_encoded(linear)


def _text(kind, text):
    return kind + b"\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(78)


def _xyz_tag(value):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * number) for number in value))


def _curve(decoded):
    table = [round(65535 * float(decoded(np.float64(step / 1023)))) for step in range(1024)]
    return b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *table)


def _profile(space, tags, connection=b"XYZ ", kind=b"mntr"):
    tags = {b"desc": _text(b"desc", b"test"), b"cprt": _text(b"text", b"none"), b"wtpt": _xyz_tag(D50_XYZ), **tags}
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", place + len(body), b"lcms", 0x02100000, kind, space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(round(65536 * number) for number in D50_XYZ))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def rgb_profile(primaries, decoded):
    """A matrix and one curve for the three channels, adapted from D65 to the D50 of profiles (Bradford)."""
    columns = (TO_D50 @ to_xyz(primaries)).T
    matrix = {name: _xyz_tag(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    return _profile(b"RGB ", {**matrix, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(decoded))})


def gray_profile(decoded):
    return _profile(b"GRAY", {b"kTRC": _curve(decoded)})


INKS = {(255, 0, 0, 0): (55, -37, -50), (0, 255, 0, 0): (48, 74, -3), (0, 0, 255, 0): (89, -5, 93)}
"""Lab of one full ink each on white paper: cyan, magenta and yellow of offset printing (ISO 12647-2)."""


def cmyk_profile():
    """A printer by the corners of its 4 inks: ``INKS``, white paper, and black where inks meet or black is."""
    corners = []
    for number in range(16):
        inks = tuple(255 * (number >> (3 - place) & 1) for place in range(4))
        lightness, red, yellow = INKS.get(inks, (100, 0, 0) if not any(inks) else (0, 0, 0))
        corners.append(bytes((round(lightness * 2.55), red + 128, yellow + 128)))
    ramp = bytes(range(256))
    unity = struct.pack(">9i", *(65536 * (place % 4 == 0) for place in range(9)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + unity + ramp * 4 + b"".join(corners) + ramp * 3
    return _profile(b"CMYK", {b"A2B0": table}, b"Lab ", b"prtr")
