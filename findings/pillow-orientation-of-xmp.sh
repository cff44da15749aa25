#!/bin/sh
# Guess: `getexif` and `exif_transpose` go by EXIF, as their names say. Seen: a picture without EXIF is
# turned by an orientation in its XMP, in every format, where browsers show it as it lies. A TIFF is
# turned by that as it is loaded, though nothing asks for it. Programs that turn pixels upright mend the
# EXIF, and may leave the XMP as it was.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0

"$folder/venv/bin/python" - <<'PYTHON'
import io

import PIL
from PIL import Image, ImageOps, PngImagePlugin

print("Pillow", PIL.__version__)
packet = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
texts = PngImagePlugin.PngInfo()
texts.add_itxt("XML:com.adobe.xmp", packet)
ways = {
    "JPEG": {"xmp": packet.encode()},
    "PNG": {"pnginfo": texts},
    "WEBP": {"xmp": packet.encode()},
    "AVIF": {"xmp": packet.encode()},
    "TIFF": {"tiffinfo": {700: packet.encode()}},
}
wide, tall = (60, 40), (40, 60)
for kind, options in ways.items():
    data = io.BytesIO()
    Image.new("RGB", wide).save(data, kind, **options)
    with Image.open(data) as picture:
        assert "exif" not in picture.info
        said = picture.getexif()[0x0112]
        turned = ImageOps.exif_transpose(picture).size
    with Image.open(data) as picture:
        before = picture.size
        picture.load()
        after = picture.size
    print(f"{kind}: orientation {said}, {before} before it is loaded, {after} after, {turned} turned")
    assert said == 6
    assert before == wide and after == (tall if kind == "TIFF" else wide)
    assert turned == tall
PYTHON
