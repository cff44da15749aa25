"""How long commands take to begin: CPU seconds, as parts of what `import torch` takes beside them.

Bars are those of a machine on which torch is imported in one second.

    python benchmarks/start.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from tools import Figure, measure_command, report

ROUNDS = 3
SCENES = """
from PIL import Image
Image.effect_noise((512, 384), 60).convert("RGB").save("a.png")
Image.effect_noise((300, 300), 60).convert("RGB").save("b.png")
Image.effect_noise((32, 32), 60).convert("RGB").save("small.png")
"""
COMMANDS = {
    "--help": 0.25,
    "models list": 0.45,
    "recipe made.png": 0.45,
    "dream small.png --size 32 --octaves 1 --steps 1 --model iris -o made.png": 1.7,
    "gan paint --count 16 -o faces.png": 2.4,
    "style a.png b.png --fast --size 512 -o painted.png": 2.2,
}
OTHERS = ("dream", "gan", "style")  # run first, so that there is a recipe to read


def main() -> int:
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        alone = {"OMP_NUM_THREADS": "1"}
        measure_command(["-c", SCENES], place, alone)
        order = sorted(COMMANDS, key=lambda command: command.split()[0] not in OTHERS)
        for _ in range(ROUNDS):
            whole = measure_command(["-c", "import torch"], place, alone).seconds
            for command in order:
                if " -o " in command:  # what is there already would not be made again
                    (place / command.split()[-1]).unlink(missing_ok=True)
                words = ["-m", "belamy", *command.split()]
                seconds = measure_command(words, place, alone).seconds
                found.setdefault(command, []).append(seconds / whole)
    return report([Figure(one, statistics.median(found[one]), COMMANDS[one]) for one in COMMANDS])


if __name__ == "__main__":
    sys.exit(main())
