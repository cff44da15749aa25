"""Deep TIFFs, coded PNGs, films and pairs of views, damaged at random."""

from __future__ import annotations

import io
import random
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.pixels.formats import writers

from belamy.errors import ImageError
from belamy.pixels import decode, srgb

EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff")


def seeds():
    deep = np.random.default_rng(0).integers(0, 65536, (23, 37, 3)).astype("u2")
    shallow, profile = (deep >> 8).astype("u1"), writers.icc(1.0)
    files = [
        writers.tiff(deep, planar=planar, packing=packing, tile=tile, tags={34675: profile})
        for planar in (False, True)
        for packing in (1, 8)
        for tile in (0, 16)
    ]
    files.append(writers.tiff((deep / 65535).astype("f4"), packing=8, predictor=3, order=">"))
    files.append(writers.tiff(deep, space=8, packing=8, predictor=2))
    profile_chunk = (b"iCCP", b"x\0\0" + zlib.compress(profile))
    gamma, code = (b"gAMA", b"\0\1\x86\xa0"), (b"cICP", bytes((12, 13, 0, 1)))
    files.append(writers.png(deep, profile_chunk, gamma))
    files.append(writers.png(deep, gamma, code))
    for kind in ("AVIF", "MPO", "GIF"):
        buffer = io.BytesIO()
        more = [Image.new("RGB", (37, 23))]
        Image.fromarray(shallow).save(buffer, kind, save_all=True, append_images=more)
        files.append(buffer.getvalue())
    return files


@pytest.mark.filterwarnings("ignore::belamy.errors.PictureWarning")
def test_damage_is_an_image_error_or_numbers():
    rng, files = random.Random(1), seeds()
    read = 0
    for _ in range(1000):
        data = bytearray(rng.choice(files))
        for _ in range(rng.randint(1, 3)):
            near_the_start = rng.random() < 0.7
            at = rng.randrange(min(len(data), 400) if near_the_start else len(data))
            if rng.random() < 0.5:
                data[at] ^= rng.randrange(1, 256)
            else:
                data[at : at + 4] = rng.choice(EXTREMES)
        start = time.thread_time()
        colours, message = attempted(bytes(data))
        assert time.thread_time() - start < 1
        if colours is None:
            assert "mutant" in message
            assert message.isprintable()
        else:
            read += 1
            assert np.isfinite(colours).all()
    assert 100 < read < 900


def attempted(data):
    """The colours, or the message of the one error that may come."""
    try:
        with decode.open_picture(io.BytesIO(data), name="mutant", max_megapixels=1) as picture:
            return srgb.to_srgb(picture, "mutant")[0], ""
    except ImageError as error:
        return None, str(error)
