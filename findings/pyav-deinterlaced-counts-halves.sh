#!/bin/sh
# Guess: a filter that gives one frame for each (bwdif or yadif, mode=send_frame) leaves its time
# stamp as it was, so that pts times the stream's time base is when it is seen. Seen: pts and duration
# are twice what they were, in a time base of half the size, although there are as many frames; by
# the stream's own time base the film would last twice as long. The frame's own `time` is right.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"

"$folder/venv/bin/python" - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

with av.open("film.mp4", "w") as film:
    options = {"x264-params": "tff=1:bframes=0"}
    stream = film.add_stream("libx264", rate=25, options=options)
    stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
    for index in range(10):
        pixels = np.full((96, 128, 3), 20 * index, np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, 25)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))

print("PyAV", av.__version__)
for name in ("bwdif", "yadif"):
    with av.open("film.mp4") as film:
        stream = film.streams.video[0]
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream)
        weave, sink = graph.add(name, "mode=send_frame"), graph.add("buffersink")
        source.link_to(weave)
        weave.link_to(sink)
        graph.configure()
        before, after = [], []

        def pull():
            while True:
                try:
                    after.append(sink.pull())
                except (av.BlockingIOError, av.EOFError):
                    return

        for frame in film.decode(stream):
            before.append((frame.pts, float(frame.time)))
            assert frame.interlaced_frame
            source.push(frame)
            pull()
        source.push(None)
        pull()
        seen = [(frame.pts, float(frame.time)) for frame in after]
        base, halves = Fraction(stream.time_base), Fraction(after[0].time_base)
    print(name, "in ", [pts for pts, _ in before], "by", base)
    print(name, "out", [pts for pts, _ in seen], "by", halves)
    assert len(seen) == len(before) == 10
    assert [time for _, time in seen] == [time for _, time in before]
    assert [pts for pts, _ in seen] == [2 * pts for pts, _ in before] and halves == base / 2
PYTHON
