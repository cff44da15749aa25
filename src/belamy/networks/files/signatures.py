"""Which architecture a state dict is of, told by the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["OURS", "guess_architecture"]

Shapes = Mapping[str, Sequence[int]]

_T = " (torchvision)"

OURS = {
    f"AlexNet{_T}": "alexnet",
    f"GoogLeNet{_T}": "googlenet",
    f"Inception v3{_T}": "inception_v3",
    f"SqueezeNet 1.0{_T}": "squeezenet1_0",
    f"SqueezeNet 1.1{_T}": "squeezenet1_1",
    f"MobileNet v2{_T}": "mobilenet_v2",
    **{f"MobileNet v3 {size}{_T}": f"mobilenet_v3_{size}" for size in ("small", "large")},
    **{f"VGG-{number}{_T}": f"vgg{number}" for number in (11, 13, 16, 19)},
    **{f"VGG-{number} with batch norm{_T}": f"vgg{number}_bn" for number in (11, 13, 16, 19)},
    **{f"ResNet-{number}{_T}": f"resnet{number}" for number in (18, 34, 50, 101, 152)},
    **{f"Wide ResNet-{number}{_T}": f"wide_resnet{number}_2" for number in (50, 101)},
    **{f"DenseNet-{number}{_T}": f"densenet{number}" for number in (121, 161, 169, 201)},
    **{f"ConvNeXt {size}{_T}": f"convnext_{size}" for size in ("tiny", "small", "base", "large")},
}
"""Architecture → what a registry calls it that has it."""


def guess_architecture(shapes: Shapes) -> str:
    """The architecture's common name, or nothing where it is like none of the known ones.

    Args:
        shapes: name of a tensor → its shape, without what wrappers put before the names.
    """
    for guess in (_vgg, _alexnet, _squeezenet, _resnet, _densenet, _mobilenet, _efficientnet):
        found = guess(shapes)
        if found:
            return found
    for label, patterns in _MARKS:
        if all(any(re.search(pattern, name) for name in shapes) for pattern in patterns):
            return label
    return ""


def _count(shapes: Shapes, pattern: str) -> int:
    """How many different numbers the group of a pattern takes among the names."""
    return len({match[1] for name in shapes if (match := re.match(pattern, name))})


def _first(shapes: Shapes, name: str) -> tuple[int, ...]:
    return tuple(shapes.get(name, ()))


_VGG = {8: 11, 10: 13, 13: 16, 16: 19}  # convolutions → the number in the name


def _vgg(shapes: Shapes) -> str:
    if _first(shapes, "features.0.weight")[1:] != (3, 3, 3):
        return ""
    own = re.compile(r"features\.\d+\.weight")
    number = _VGG.get(sum(len(s) == 4 and bool(own.fullmatch(n)) for n, s in shapes.items()))
    norm = " with batch norm" if "features.1.running_mean" in shapes else ""
    return f"VGG-{number}{norm} (torchvision)" if number else ""


def _alexnet(shapes: Shapes) -> str:
    first = _first(shapes, "features.0.weight")
    return "AlexNet (torchvision)" if first[1:] == (3, 11, 11) else ""


def _squeezenet(shapes: Shapes) -> str:
    if not any(re.match(r"features\.\d+\.squeeze\.weight", name) for name in shapes):
        return ""
    version = "1.0" if _first(shapes, "features.0.weight")[:1] == (96,) else "1.1"
    return f"SqueezeNet {version} (torchvision)"


_RESNETS: dict[tuple[bool, tuple[int, ...]], int] = {
    (False, (2, 2, 2, 2)): 18,
    (False, (3, 4, 6, 3)): 34,
    (True, (3, 4, 6, 3)): 50,
    (True, (3, 4, 23, 3)): 101,
    (True, (3, 8, 36, 3)): 152,
}


def _resnet(shapes: Shapes) -> str:
    if "layer1.0.conv1.weight" not in shapes or "conv1.weight" not in shapes:
        return ""
    blocks = tuple(_count(shapes, rf"layer{place}\.(\d+)\.") for place in (1, 2, 3, 4))
    deep = "layer1.0.conv3.weight" in shapes
    number = _RESNETS.get((deep, blocks))
    if number is None:
        return "a ResNet"
    width = _first(shapes, "layer1.0.conv2.weight")
    if deep and len(width) == 4 and width[0] != width[1]:
        return f"ResNeXt-{number} (torchvision)"
    wide = "Wide " if deep and width[:1] == (128,) else ""
    return f"{wide}ResNet-{number} (torchvision)"


_DENSENETS: dict[tuple[int, ...], int] = {
    (6, 12, 24, 16): 121,
    (6, 12, 36, 24): 161,
    (6, 12, 32, 32): 169,
    (6, 12, 48, 32): 201,
}


def _densenet(shapes: Shapes) -> str:
    pattern = r"features\.denseblock{}\.denselayer(\d+)\."
    layers = tuple(_count(shapes, pattern.format(place)) for place in (1, 2, 3, 4))
    number = _DENSENETS.get(layers)
    return f"DenseNet-{number} (torchvision)" if number else ""


def _mobilenet(shapes: Shapes) -> str:
    if "features.1.conv.0.0.weight" in shapes:
        return "MobileNet v2 (torchvision)"
    if "features.1.block.0.0.weight" in shapes:
        size = "large" if any(name.startswith("features.16.") for name in shapes) else "small"
        return f"MobileNet v3 {size} (torchvision)"
    return ""


def _efficientnet(shapes: Shapes) -> str:
    if any(re.match(r"features\.1\.0\.block\.", name) for name in shapes):
        if any("layer_scale" in name for name in shapes):
            return _convnext(shapes)
        return "EfficientNet (torchvision)"
    if "conv_stem.weight" in shapes or "_conv_stem.weight" in shapes:
        return "EfficientNet (timm)"
    return ""


_Marks = tuple[tuple[str, tuple[str, ...]], ...]

_CONVNEXTS = {(9, 96): "tiny", (27, 96): "small", (27, 128): "base", (27, 192): "large"}


def _convnext(shapes: Shapes) -> str:
    width = (*_first(shapes, "features.0.0.weight"), 0)[0]
    size = _CONVNEXTS.get((_count(shapes, r"features\.5\.(\d+)\."), width))
    return f"ConvNeXt {size} (torchvision)" if size else "ConvNeXt (torchvision)"


# Architecture → patterns, each of which some name fits.
_MARKS: _Marks = (
    ("a LoRA, which changes another network", (r"lora_(up|down|A|B|linear)|hada_w1",)),
    ("Inception v3 (torchvision)", (r"^Conv2d_1a_3x3\.", r"^Mixed_5b\.")),
    ("GoogLeNet (torchvision)", (r"^inception3a\.branch1",)),
    ("ConvNeXt", (r"layer_scale|stages\.0\.blocks\.0\.(gamma|dwconv|conv_dw)",)),
    ("a Stable Diffusion checkpoint", (r"diffusion_model\.", r"first_stage_model\.")),
    ("CLIP", (r"(visual\.|vision_model\.)", r"(resblocks|text_model|token_embedding)")),
    ("CLIP's half that sees", (r"vision_model\.|^visual\.",)),
    ("Swin (a vision transformer)", (r"relative_position_bias_table",)),
    ("ViT (torchvision)", (r"^class_token$", r"encoder_layer_0")),
    ("ViT (a vision transformer)", (r"cls_token$", r"attn\.qkv|attention\.")),
    ("ViT (a vision transformer)", (r"patch_embed",)),
    ("a diffusion model's UNet", (r"down_blocks\.0\.", r"time_embedding\.|time_embed\.")),
    ("a diffusion model's UNet", (r"input_blocks\.0\.", r"time_embed\.")),
    ("a VAE (of a diffusion model)", (r"(post_)?quant_conv\.weight",)),
    ("a VAE (of a diffusion model)", (r"encoder\.(down|down_blocks)\.0", r"decoder\.(up|mid)")),
    ("StyleGAN2", (r"synthesis\.b4\.|convs\.0\.conv\.modulation",)),
    ("StyleGAN", (r"mapping\.", r"synthesis\.|g_synthesis")),
    ("a CycleGAN generator (resnet)", (r"conv_block\.\d+\.weight",)),
    ("a pix2pix generator (U-Net)", (r"^(model\.)*1\.(model\.)+\d+\.",)),
    ("a U-Net", (r"(inc|down1|up1)\..*double_conv|^(enc|down)\w*1\..*conv",)),
    ("ESRGAN (it enlarges)", (r"rdb1\.conv1|RDB1\.conv1",)),
    ("a style of PyTorch's fast_neural_style", (r"^conv1\.conv2d\.", r"^res1\.")),
    ("a DCGAN generator", (r"^main\.0\.weight$", r"^main\.3\.weight$")),
    ("YOLO (it finds objects)", (r"\d+\.cv1\.conv\.",)),
    ("a language model", (r"(^|\.)(h|layers?)\.0\.(attn|self_attn|attention)\.",)),
)
