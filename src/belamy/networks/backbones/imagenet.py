"""What torchvision's published classifiers were trained on: ImageNet-1k (ILSVRC 2012).

Source: Russakovsky et al. 2015, "ImageNet large scale visual recognition challenge". The names
are one short name a class, all different, in the order of the published weights' logits.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

MEAN = (0.485, 0.456, 0.406)  # of the training pictures' red, green and blue, in [0, 1]
STD = (0.229, 0.224, 0.225)


@cache
def class_names() -> tuple[str, ...]:
    """The thousand class names, `tench` to `toilet tissue`."""
    text = resources.files(__package__).joinpath("imagenet_classes.txt").read_text("utf-8")
    return tuple(text.splitlines())
