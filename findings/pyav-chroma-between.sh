#!/bin/sh
# Guess: a lossless codec adds nothing to the error of RGB to 4:2:0 and back, so H.264 at QP 0 and
# FFV1 give back the same picture. Seen: H.264 is four times as far off. Its decoder says that chroma
# lies at the left of its four pixels, which `reformat` honours on the way back, though on the way
# there it has put it in their middle; x264's own `chromaloc=1` says so, and heals it.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6

cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

# slow waves of each colour: nothing that halved chroma would lose
y, x = np.mgrid[0:144, 0:192]
waves = [np.sin(x / 9), np.sin(y / 11 + 1), np.sin((x + y) / 13 + 2)]
picture = np.rint(np.stack([127.5 + 110 * wave for wave in waves], -1)).astype(np.uint8)
FLAGS = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
THERE = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
BACK = {"src_colorspace": Colorspace.ITU709, "src_color_range": ColorRange.MPEG}
BACK["dst_color_range"] = ColorRange.JPEG


def error(codec, **options):
    with av.open("film.mkv", "w") as film:
        stream = film.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 144, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", interpolation=FLAGS, **THERE)
        planes = frame.to_ndarray()
        film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    with av.open("film.mkv") as film:
        found = next(film.decode(video=0))
        assert (found.to_ndarray() == planes).all()  # lossless it is
        back = found.reformat(format="rgb24", interpolation=FLAGS, **BACK).to_ndarray()
    return float(np.abs(back.astype(int) - picture).mean())


print("PyAV", av.__version__)
ffv1, h264 = error("ffv1"), error("libx264", qp="0")
centred = error("libx264", qp="0", **{"x264-params": "chromaloc=1"})
print(f"FFV1 {ffv1:.2f} levels, H.264 {h264:.2f}, H.264 with chromaloc=1 {centred:.2f}")
assert ffv1 < 0.8 and centred < 0.8
assert h264 > 2 * ffv1
PYTHON
