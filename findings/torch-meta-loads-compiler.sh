#!/bin/sh
# Guess: on torch's meta device, which has no numbers, building a network is next to free. Seen: the
# first layer that begins with normally distributed numbers, as an embedding does, loads torch's
# compiler and sympy with it, more than half as long again as torch itself takes to start; one that
# begins with uniform numbers, as a convolution does, loads nothing. sympy alone is loaded by the
# first torch.autograd.grad that is given a gradient to begin with, on any device.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6

run() {
    "$folder/venv/bin/python" - <<PYTHON
import sys
import time

start = time.process_time()
import torch

loaded = time.process_time()
$1
done = time.process_time()
heavy = [name for name in ("sympy", "torch._dynamo") if name in sys.modules]
print(f"$2: {done - loaded:.2f} CPU s after {loaded - start:.2f} of torch {torch.__version__}; loads {heavy}")
assert heavy == $3
PYTHON
}

run 'with torch.device("meta"): torch.nn.Embedding(8, 3)' 'an embedding on meta' '["sympy", "torch._dynamo"]'
run 'with torch.device("meta"): torch.nn.Conv2d(3, 8, 3)' 'a convolution on meta' '[]'
run 'torch.nn.Embedding(8, 3)' 'an embedding on the processor' '[]'
run 'x = torch.ones(2, requires_grad=True); torch.autograd.grad(2 * x, x, torch.ones(2))' 'a gradient to begin with' '["sympy"]'
run 'x = torch.ones(2, requires_grad=True); torch.autograd.grad((2 * x).sum(), x)' 'a gradient of a sum' '[]'
