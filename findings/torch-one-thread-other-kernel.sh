#!/bin/sh
# Guess: the number of threads says over how many cores a convolution's work is divided. Seen: it
# also says by which library it is done. A 1x1 convolution of one float32 picture is oneDNN's on two
# threads and torch's own unfolding and matrix product on one ("slow_conv2d"), both forwards and
# backwards; in bfloat16, or for 16 pictures, it is oneDNN's on one thread too. Networks of inverted
# bottlenecks, of which most is such convolutions, so cost other CPU seconds on one thread.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import torch
from torch.profiler import ProfilerActivity, profile

convolution = torch.nn.Conv2d(96, 32, 1).requires_grad_(False)


def kernels(threads, pictures, dtype):
    torch.set_num_threads(threads)
    x = torch.ones(pictures, 96, 40, 40, dtype=dtype, requires_grad=True)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        convolution.to(dtype)(x).sum().backward()
    names = {event.key for event in seen.key_averages()}
    return "slow_conv2d" if any("slow_conv2d" in name for name in names) else "oneDNN"


print("torch", torch.__version__)
found = {}
for threads, pictures, dtype in (
    (2, 1, torch.float32),
    (1, 1, torch.float32),
    (1, 16, torch.float32),
    (1, 1, torch.bfloat16),
):
    found[threads, pictures, dtype] = kernels(threads, pictures, dtype)
    print(f"{threads} thread(s), {pictures} picture(s), {dtype}: {found[threads, pictures, dtype]}")
assert list(found.values()) == ["oneDNN", "slow_conv2d", "oneDNN", "oneDNN"]
PYTHON
