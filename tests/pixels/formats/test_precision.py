"""PNGs of 16 bits keep all of them."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from tests.pixels.formats import writers

from belamy.pixels.images import load_picture

png = writers.png


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_keep_their_precision(tmp_path, channels):
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64, 1) * 16
    values = ramp.repeat(channels, 2)
    (tmp_path / "x").write_bytes(png(values))
    picture = load_picture(tmp_path / "x")
    np.testing.assert_allclose(picture.image[0, 0], ramp[:, :, 0] / 65535, rtol=0, atol=1e-6)
    assert len(picture.image[0, 0].unique()) == 64 * 64


def test_an_interlaced_png_of_16_bits(tmp_path):
    """Adam7: seven small pictures, each with its own filters."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 65536, (13, 17, 3), np.uint16)
    rows = b""
    for y, x, down, across in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):  # fmt: skip
        part = values[y::down, x::across]
        rows += b"".join(b"\0" + line.astype(">u2").tobytes() for line in part if line.size)
    head = struct.pack(">IIBBBBB", 17, 13, 16, 2, 0, 0, 1)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(writers.png_chunk(*chunk) for chunk in chunks)
    (tmp_path / "x").write_bytes(data)
    found = load_picture(tmp_path / "x").image[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, values / 65535, rtol=0, atol=1e-6)
