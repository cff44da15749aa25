from __future__ import annotations

import io
import warnings

import pytest
from PIL import Image

from belamy.errors import ImageError, PictureWarning
from belamy.pixels import archive, decode, encode


def png(size=(3, 2)):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return buffer.getvalue()


def test_a_stream_is_read_under_the_name_it_is_given_and_stays_open():
    stream = io.BytesIO(png())
    stream.seek(7)
    with decode.open_picture(stream, name="photos.zip/a.png") as picture:
        assert picture.convert("RGB").getpixel((2, 1)) == (255, 0, 0)
    assert not stream.closed


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "is empty"),
        (b"no picture at all", "not a picture in JPEG"),
        (png()[:50], "damaged or cut short"),
        (png((200, 100)), r"0\.0 megapixels \(200 × 100\), the limit is 0\.001"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
    ],
)
def test_a_stream_has_the_guards_of_a_file(data, cause):
    with (
        pytest.raises(ImageError, match=rf"photos\.zip/a\.png.*{cause}"),
        decode.open_picture(
            io.BytesIO(data), name="photos.zip/a.png", max_megapixels=0.001
        ) as picture,
    ):
        picture.load()


def test_what_is_written_is_read_and_every_suffix_has_a_file():
    assert set(encode.SUFFIXES) <= decode.READABLE_SUFFIXES
    assert {".jfif", ".jpe", ".tif", ".apng", ".mpo"} <= decode.READABLE_SUFFIXES
    assert all(suffix == suffix.lower() for suffix in decode.READABLE_SUFFIXES)
    assert archive.SUFFIXES is decode.READABLE_SUFFIXES


def test_a_name_of_control_characters_is_shown_as_text():
    with (
        pytest.raises(ImageError) as caught,
        decode.open_picture(io.BytesIO(b"?"), name="a\x1b[31m\n.png"),
    ):
        pass
    assert str(caught.value).isprintable()


def test_our_own_warnings_come_out_and_pillows_do_not():
    def read():
        with decode.translate_errors("x"):
            warnings.warn("Pillow has something to say", UserWarning, stacklevel=1)
            warnings.warn("films are not read", PictureWarning, stacklevel=1)

    with pytest.warns(PictureWarning, match="films") as caught:
        read()
    assert len(caught) == 1


def test_a_warning_about_a_picture_that_cannot_be_read_is_not_given():
    def read():
        with decode.translate_errors("x"):
            warnings.warn("films are not read", PictureWarning, stacklevel=1)
            raise OSError

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="cannot read x"):
            read()
