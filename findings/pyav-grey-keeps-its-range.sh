#!/bin/sh
# Guess: a film of luma alone, in limited range, has the same black and white whatever codec it is in.
# Seen: as H.264 its black, 16, is read as 0 and its white, 235, as 255; as HEVC they stay 16 and 235, so
# that the film is pale. Both files say that they are of limited range. H.264 is decoded with planes of
# colour that rest, HEVC as `gray`, which the scaler takes for full range whatever it is told.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6

cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import av
import numpy as np

LIMITED, FULL = 1, 2
print("PyAV", av.__version__)
luma = np.full((48, 64), 16, np.uint8)
luma[:, 32:] = 235


def read(codec):
    """Its format, and black and white of its first frame."""
    with av.open("film.mp4", "w") as film:
        stream = film.add_stream(codec, rate=10, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        stream.codec_context.color_range = LIMITED
        film.mux(stream.encode(av.VideoFrame.from_ndarray(luma, format="gray")))
        film.mux(stream.encode(None))
    with av.open("film.mp4") as film:
        frame = next(film.decode(video=0))
    told = frame.reformat(
        format="rgb24", src_colorspace=1, src_color_range=LIMITED, dst_color_range=FULL
    )
    levels = told.to_ndarray()[24, [8, 56], 1]
    usual = frame.to_ndarray(format="rgb24")[24, [8, 56], 1]
    return frame.format.name, levels.tolist(), usual.tolist()


found = {codec: read(codec) for codec in ("libx264", "libx265")}
for codec, (form, told, usual) in found.items():
    print(f"{codec}: {form}, black and white are {usual}, and {told} where the range is told")
assert found["libx264"] == ("yuv420p", [0, 255], [0, 255])
assert found["libx265"] == ("gray", [16, 235], [16, 235])
PYTHON
