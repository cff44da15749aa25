"""SqueezeNet 1.0 as its authors trained it in Caffe, in torchvision's names and our pictures.

The file's layers → ours (w: weight and bias alike):

    conv1               features.0          3 → 96, 7×7
    fireN/conv1x1_1     features.M.squeeze
    fireN/conv1x1_2     features.M.expand1x1
    fireN/conv3x3_2     features.M.expand3x3    with (N, M) as in `_FIRES`
    conv_final          classifier.1        512 → 1000, 1×1

Caffe's pictures are blue, green, red in 0…255 with (104, 117, 123) subtracted. A convolution that
takes red, green, blue is the same one with its input channels turned round; the scale and the
mean go into the normalisation: (x - 123/255) / (1/255) = 255x - 123 for red.

Source: Iandola et al. 2016; the means stand in SqueezeNet v1.0's `train_val.prototxt`. **Differs**
from it: no padding around the last convolution, as in torchvision, which moves the logits a little
and no class of the ten photos tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from belamy.errors import WeightsError

# fire module of the paper → its place in torchvision's `features`
_FIRES = {2: 3, 3: 4, 4: 5, 5: 7, 6: 8, 7: 9, 8: 10, 9: 12}
_PARTS = {"conv1x1_1": "squeeze", "conv1x1_2": "expand1x1", "conv3x3_2": "expand3x3"}

MEAN = (123 / 255, 117 / 255, 104 / 255)
STD = (1 / 255, 1 / 255, 1 / 255)

LAYERS: dict[str, str] = {
    "conv1": "features.0",
    **{
        f"fire{fire}/{part}": f"features.{place}.{ours}"
        for fire, place in _FIRES.items()
        for part, ours in _PARTS.items()
    },
    "conv_final": "classifier.1",
}


def is_caffe(state: Mapping[str, Tensor]) -> bool:
    """Whether `state` has Caffe's names."""
    return "conv_final.weight" in state


def from_caffe(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """SqueezeNet 1.0's state dict out of Caffe's.

    Raises:
        WeightsError: a layer is missing.
    """
    converted: dict[str, Tensor] = {}
    for theirs, ours in LAYERS.items():
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" not in state:
                raise WeightsError(f"Caffe's SqueezeNet 1.0 has {theirs}.{kind}; the file does not")
            converted[f"{ours}.{kind}"] = state[f"{theirs}.{kind}"]
    first = f"{LAYERS['conv1']}.weight"
    converted[first] = converted[first].flip(1)  # (96, BGR, 7, 7) → (96, RGB, 7, 7)
    return converted
