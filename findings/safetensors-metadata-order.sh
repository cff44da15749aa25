#!/bin/sh
# Guess: the same tensors with the same metadata are the same file, so a network's SHA-256 says
# whether two trainings ended alike. Seen: with two keys of metadata and more, each process writes
# them in an order of its own choice. The tensors behind the head are the same bytes; without
# metadata, or with one key, so is the file.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    safetensors==0.8.0 numpy==2.4.6

cat >"$folder/save.py" <<'PYTHON'
import hashlib
import struct
import sys

import numpy as np
from safetensors.numpy import save

metadata = {f"key {number}": "value" for number in range(int(sys.argv[1]))}
data = save({"weight": np.arange(6, dtype=np.float32)}, metadata or None)
head = 8 + struct.unpack("<Q", data[:8])[0]
print(hashlib.sha256(data).hexdigest()[:8], hashlib.sha256(data[head:]).hexdigest()[:8])
PYTHON

cd "$folder"
venv/bin/python -c 'import safetensors; print("safetensors", safetensors.__version__)'
for keys in 0 1 6; do
    for _ in 1 2 3 4 5 6 7 8; do venv/bin/python save.py "$keys"; done | sort -u >"$keys"
    echo "$keys keys, eight times: $(cut -d' ' -f1 "$keys" | sort -u | wc -l) different files," \
        "$(cut -d' ' -f2 "$keys" | sort -u | wc -l) different tensors"
done
[ "$(wc -l <0)" = 1 ] && [ "$(wc -l <1)" = 1 ] && [ "$(wc -l <6)" -gt 1 ]
[ "$(cut -d' ' -f2 6 | sort -u | wc -l)" = 1 ]
