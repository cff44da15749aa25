"""A generator's latent space: styles by number, between each other, along directions, in files.

Here every picture is given by its *styles*, (resolutions, style) numbers (StyleGAN's W+): what the
mapping network makes of a latent, one row for each resolution that they steer. They can be mixed
(style mixing), moved, fitted to a picture and saved, where a latent can only be sampled. For the
classic generators, which have no mapping, the style is the latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from belamy import files
from belamy.devices import make_rng
from belamy.errors import OptionError, WeightsError
from belamy.networks.files.network_file import open_network_file
from belamy.networks.files.tensors import write_tensors
from belamy.networks.gan.generator import Generator

__all__ = [
    "check_latents_path",
    "draw",
    "draw_styles",
    "load_styles",
    "per_resolution",
    "principal_directions",
    "save_styles",
    "slerp",
]

_KIND = "latents"  # what such a file says that it holds
_SAMPLES = 4096  # styles whose principal directions are found
_THUMB = 8  # pixels of the pictures that stand for what the classic generators' latents change
_BATCH = 64


def draw_styles(
    generator: Generator,
    numbers: Sequence[int],
    *,
    seed: int = 0,
    truncation: float = 1.0,
    label: int | None = None,
    attempt: int = 0,
) -> Tensor:
    """The styles of pictures by their numbers: each depends on the seed and its number alone.

    Args:
        generator: on any device.
        numbers: from 1.
        seed: of the latents.
        truncation: 1 leaves the styles, 0 makes them all that of the most ordinary picture.
        label: its index, sampled for each number where the generator has several and it is
            None.
        attempt: further ones of the same numbers, where the first, 0, were rejected.

    Returns:
        (N, resolutions, style) on the generator's device.
    """
    device = next(generator.parameters()).device
    again = (attempt,) if attempt else ()
    rngs = [make_rng(seed, "latent", number, *again) for number in numbers]
    z = torch.stack([torch.randn(generator.latent, generator=rng) for rng in rngs])
    labels = None
    if len(generator.labels) > 1:
        count = len(generator.labels)
        drawn = [torch.randint(count, (), generator=rng) for rng in rngs]
        labels = torch.stack(drawn) if label is None else torch.full((len(rngs),), label)
        labels = labels.to(device)
    with torch.inference_mode():
        styles = generator.styles(z.to(device), labels)
        if truncation != 1:
            styles = generator.truncate(styles, truncation, labels)
    return per_resolution(generator, styles)


def per_resolution(generator: Generator, styles: Tensor) -> Tensor:
    """(N, style) → (N, resolutions, style)."""
    return styles[:, None].expand(-1, generator.resolutions, -1).clone()


def draw(generator: Generator, styles: Tensor) -> Tensor:
    """(N, resolutions, style) → (N, 3, size, size) in [0, 1]; gradients flow."""
    return generator.draw(styles if generator.resolutions > 1 else styles[:, 0])


def slerp(first: Tensor, second: Tensor, fraction: Tensor | float, centre: Tensor) -> Tensor:
    """From one set of styles to another along a circle around `centre`.

    On the straight line the middle would be more ordinary than both ends; here how far it is from
    the most ordinary picture changes evenly.

    Args:
        first, second: (…, style).
        fraction: of the second, in [0, 1]; broadcast over all but the last dimension.
        centre: (style,) or broadcast, the most ordinary style.

    Returns:
        (…, style).

    Source: Shoemake 1985; for latents White 2016, "Sampling generative networks".
    """
    fraction = torch.as_tensor(fraction, dtype=first.dtype, device=first.device)
    fraction = fraction[..., None] if fraction.ndim else fraction
    a, b = first - centre, second - centre
    near, far = (x.norm(dim=-1, keepdim=True).clamp_min(1e-12) for x in (a, b))
    a, b = a / near, b / far
    angle = (a * b).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    on_circle = ((1 - fraction) * angle).sin() * a + (fraction * angle).sin() * b
    # of directions that are nearly the same, or opposite, the line itself is taken
    on_line = a + (b - a) * fraction
    direction: Tensor = torch.where(sine > 1e-4, on_circle / sine.clamp_min(1e-4), on_line)
    length: Tensor = near + (far - near) * fraction
    result: Tensor = centre + direction * length
    return result


def principal_directions(generator: Generator, count: int, *, seed: int = 0) -> Tensor:
    """In which directions styles differ most, the strongest first: (count, style), each one
    standard deviation long, its largest number positive.

    Where there is a mapping, the principal components of the styles; for the classic generators,
    whose latents are the same in all directions, those of small versions of the pictures, carried
    back to the latents by least squares.

    Raises:
        OptionError: more directions than there are.

    Source: Härkönen et al. 2020, "GANSpace". **Differs** for the classic generators in that the
    components are of pictures instead of the first layer's features, which for one linear layer
    would be its own singular vectors, whatever they show.
    """
    most = min(generator.mean_style().shape[1], 3 * _THUMB**2)
    if not 1 <= count <= most:
        raise OptionError(f"direction {count} is none of this generator's; it has 1 to {most}")
    numbers = range(1, _SAMPLES + 1) if generator.resolutions > 1 else range(1, _SAMPLES // 4 + 1)
    styles = draw_styles(generator, numbers, seed=seed)[:, 0]
    centred = styles - styles.mean(0)
    mapped = generator.resolutions > 1
    if mapped:
        directions = _principal_components(centred, count)
    else:
        directions = _fit_components_of_images(generator, styles, count)
    signs = directions.gather(1, directions.abs().argmax(1, keepdim=True)).sign()
    return directions * signs


def _principal_components(centred: Tensor, count: int) -> Tensor:
    """(count, D), each a standard deviation long, of (N, D)."""
    values, vectors = torch.linalg.eigh(centred.double().mT @ centred.double() / (len(centred) - 1))
    lengths: Tensor = values.clamp_min(0).sqrt().flip(0)[:count, None]
    directions: Tensor = lengths * vectors.flip(1).mT[:count]
    return directions.to(centred)


def _fit_components_of_images(generator: Generator, styles: Tensor, count: int) -> Tensor:
    """(count, style): what changes the pictures most."""
    with torch.inference_mode():
        parts = [draw(generator, part[:, None]) for part in torch.split(styles, _BATCH)]
    small = torch.cat([torch.nn.functional.adaptive_avg_pool2d(x, _THUMB) for x in parts])
    pictures = small.flatten(1) - small.flatten(1).mean(0)
    axes = _principal_components(pictures, count)
    scores = pictures @ axes.mT / axes.square().sum(1)  # (N, count), with deviation 1
    centred = styles - styles.mean(0)
    directions: Tensor = torch.linalg.lstsq(scores, centred).solution
    return directions


def save_styles(path: Path, styles: Tensor, *, network: str, sha256: str) -> None:
    """Write styles that `load_styles` reads.

    Args:
        path: a `.safetensors` file, replaced whole.
        styles: (N, resolutions, style).
        network: name of the generator's file.
        sha256: of that file.

    Raises:
        OptionError: another suffix.
        BelamyError: it cannot be written.
    """
    check_latents_path(path)
    metadata = {"kind": _KIND, "network": network, "sha256": sha256}
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, {"styles": styles.float()}, metadata)


def check_latents_path(path: Path) -> None:
    """Raises OptionError unless latents can be saved under this name."""
    if path.suffix != ".safetensors":
        raise OptionError(f"latents are saved as .safetensors, not as {path.name}")


def load_styles(path: Path, generator: Generator, label: int | None = None) -> Tensor:
    """The styles in a file: `styles` (N, resolutions, style), or `latents` (N, latent) to map.

    Args:
        path: what `save_styles` wrote, or any safetensors with one of the two.
        generator: for which they are to be.
        label: of latents, where the generator has several.

    Returns:
        (N, resolutions, style) on the generator's device.

    Raises:
        WeightsError: missing, damaged, or of a generator with other sizes.
        OptionError: a label for styles, which have theirs in them already.
    """
    if not path.is_file():
        raise files.missing_file(WeightsError, path)
    with open_network_file(path) as file:
        tensors = file.state()
    device = next(generator.parameters()).device
    if "styles" in tensors:
        if label is not None:
            raise OptionError(f"{path} holds styles, which have their label already; give none")
        size = (generator.resolutions, generator.mean_style().shape[1])
        return _check_size(path, tensors["styles"], size).to(device)
    if "latents" not in tensors:
        raise WeightsError(f"{path} holds no latents; name a file of --save-latents")
    z = _check_size(path, tensors["latents"], (generator.latent,)).to(device)
    labels = None
    if len(generator.labels) > 1:
        labels = torch.full((len(z),), label or 0, device=device)
    with torch.inference_mode():
        return per_resolution(generator, generator.styles(z, labels))


def _check_size(path: Path, tensor: Tensor, target: tuple[int, ...]) -> Tensor:
    if tensor.ndim != 1 + len(target) or tuple(tensor.shape[1:]) != target or not len(tensor):
        sizes = ["×".join(map(str, size)) for size in (tensor.shape[1:], target)]
        raise WeightsError(
            f"the latents in {path} have {sizes[0] or 'no'} numbers each, this generator's have "
            f"{sizes[1]}; they are another generator's"
        )
    if not bool(tensor.isfinite().all()):
        raise WeightsError(f"the latents in {path} have values that are no numbers")
    return tensor
