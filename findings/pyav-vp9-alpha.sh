#!/bin/sh
# Guess: a film that PyAV writes with alpha, as VP9 in WebM, it reads with alpha. Seen: what comes
# back is opaque yuv420p. The alpha is in the file, in a second stream beside the frames: the decoder
# that is chosen by itself, `vp9`, does not look there, `libvpx-vp9` does. FFV1 has no such difference.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6

cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import av
import numpy as np

picture = np.full((48, 64, 4), 200, np.uint8)
picture[..., 3] = 0
picture[12:36, 16:48, 3] = 255


def write(name, codec):
    with av.open(name, "w") as film:
        stream = film.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        for _ in range(3):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgba")))
        film.mux(stream.encode(None))


def read(name, decoder=None):
    with av.open(name) as film:
        stream = film.streams.video[0]
        if decoder is None:
            frames = list(film.decode(stream))
        else:
            context = av.CodecContext.create(decoder, "r")
            frames = [frame for packet in film.demux(stream) for frame in context.decode(packet)]
    alpha = frames[0].to_ndarray(format="rgba")[..., 3]
    return frames[0].format.name, int(alpha[2, 2]), int(alpha[24, 32])


write("vp9.webm", "libvpx-vp9")
write("ffv1.mkv", "ffv1")
print("PyAV", av.__version__)
usual, other, ffv1 = read("vp9.webm"), read("vp9.webm", "libvpx-vp9"), read("ffv1.mkv")
print("format, alpha in the corner, alpha in the middle")
print("VP9, as it is read", *usual)
print("VP9, by libvpx-vp9", *other)
print("FFV1              ", *ffv1)
assert usual == ("yuv420p", 255, 255)
assert other[0] == ffv1[0] == "yuva420p"
assert other[1] < 8 and other[2] > 247 and ffv1[1:] == (0, 255)
PYTHON
