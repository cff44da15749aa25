"""What a generator draws from: styles by number, on their way to each other, and in files.

Here every picture is told by its *styles*, (levels, style) numbers: what the generator's mapping
makes of a latent, one row for each level that they steer. They can be mixed level by level, moved,
fitted to a picture and saved, where a latent can only be drawn by lot. For the classic generators,
which have no mapping, the style is the latent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from belamy import files
from belamy.devices import make_rng as chance
from belamy.errors import OptionError, WeightsError
from belamy.networks.files.tensors import write_tensors
from belamy.networks.files.weights import check_header
from belamy.networks.gan.registry import Generator

__all__ = [
    "check_latents_path",
    "draw",
    "draw_styles",
    "load_styles",
    "per_level",
    "principal_directions",
    "save_styles",
    "slerp",
]

_KIND = "latents"  # what such a file says that it holds
_SEEN = 4096  # styles whose principal directions are found
_THUMB = 8  # pixels of the pictures that stand for what the classic generators' latents change
_BATCH = 64


def draw_styles(
    generator: Generator,
    numbers: Sequence[int],
    *,
    seed: int = 0,
    truncation: float = 1.0,
    label: int | None = None,
) -> Tensor:
    """The styles of pictures by their numbers: each depends on the seed and its number alone.

    Args:
        generator: on any device.
        numbers: from 1.
        seed: of the latents.
        truncation: 1 leaves the styles, 0 makes them all that of the most ordinary picture.
        label: its index, drawn by lot for each number where the generator has several and it is
            None.

    Returns:
        (N, levels, style) on the generator's device.
    """
    place = next(generator.parameters()).device
    draws = [chance(seed, "latent", number) for number in numbers]
    z = torch.stack([torch.randn(generator.latent, generator=draw) for draw in draws])
    kinds = None
    if len(generator.labels) > 1:
        count = len(generator.labels)
        lots = [torch.randint(count, (), generator=draw) for draw in draws]
        kinds = torch.stack(lots) if label is None else torch.full((len(draws),), label)
        kinds = kinds.to(place)
    with torch.inference_mode():
        styles = generator.styles(z.to(place), kinds)
        if truncation != 1:
            styles = generator.truncate(styles, truncation, kinds)
    return per_level(generator, styles)


def per_level(generator: Generator, styles: Tensor) -> Tensor:
    """(N, style) → (N, levels, style)."""
    return styles[:, None].expand(-1, generator.levels, -1).clone()


def draw(generator: Generator, styles: Tensor) -> Tensor:
    """(N, levels, style) → (N, 3, size, size) in [0, 1]; gradients flow where they are wanted."""
    return generator.draw(styles if generator.levels > 1 else styles[:, 0])


def slerp(first: Tensor, second: Tensor, share: Tensor | float, centre: Tensor) -> Tensor:
    """From one set of styles to another along a circle around `centre`.

    On the straight line the middle would be more ordinary than both ends; here how far it is from
    the most ordinary picture changes evenly.

    Args:
        first, second: (…, style).
        share: of the second, in [0, 1]; broadcast over all but the last dimension.
        centre: (style,) or broadcast, the most ordinary style.

    Returns:
        (…, style).

    Source: Shoemake 1985; for latents White 2016, "Sampling generative networks".
    """
    share = torch.as_tensor(share, dtype=first.dtype, device=first.device)
    share = share[..., None] if share.ndim else share
    a, b = first - centre, second - centre
    near, far = (x.norm(dim=-1, keepdim=True).clamp_min(1e-12) for x in (a, b))
    a, b = a / near, b / far
    angle = (a * b).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    turned = ((1 - share) * angle).sin() * a + (share * angle).sin() * b
    # of directions that are nearly the same, or opposite, the line itself is taken
    plain = a + (b - a) * share
    direction: Tensor = torch.where(sine > 1e-4, turned / sine.clamp_min(1e-4), plain)
    length: Tensor = near + (far - near) * share
    found: Tensor = centre + direction * length
    return found


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
        raise OptionError(f"direction {count} is none of this painter's; it has 1 to {most}")
    numbers = range(1, _SEEN + 1) if generator.levels > 1 else range(1, _SEEN // 4 + 1)
    styles = draw_styles(generator, numbers, seed=seed)[:, 0]
    centred = styles - styles.mean(0)
    mapped = generator.levels > 1
    found: Tensor = _components(centred, count) if mapped else _shown(generator, styles, count)
    signs = found.gather(1, found.abs().argmax(1, keepdim=True)).sign()
    return found * signs


def _components(centred: Tensor, count: int) -> Tensor:
    """(count, D), each a standard deviation long, of (N, D)."""
    values, vectors = torch.linalg.eigh(centred.double().mT @ centred.double() / (len(centred) - 1))
    lengths: Tensor = values.clamp_min(0).sqrt().flip(0)[:count, None]
    directions: Tensor = lengths * vectors.flip(1).mT[:count]
    return directions.to(centred)


def _shown(generator: Generator, styles: Tensor, count: int) -> Tensor:
    """(count, style): what changes the pictures most."""
    with torch.inference_mode():
        parts = [draw(generator, part[:, None]) for part in torch.split(styles, _BATCH)]
    small = torch.cat([torch.nn.functional.adaptive_avg_pool2d(x, _THUMB) for x in parts])
    pictures = small.flatten(1) - small.flatten(1).mean(0)
    axes = _components(pictures, count)
    places = pictures @ axes.mT / axes.square().sum(1)  # (N, count), with deviation 1
    centred = styles - styles.mean(0)
    carried: Tensor = torch.linalg.lstsq(places, centred).solution
    return carried


def save_styles(path: Path, styles: Tensor, *, network: str, sha256: str) -> None:
    """Write styles that `load_styles` reads.

    Args:
        path: a `.safetensors` file, replaced whole.
        styles: (N, levels, style).
        network: name of the generator's file.
        sha256: of that file.

    Raises:
        OptionError: another suffix.
        BelamyError: it cannot be written.
    """
    check_latents_path(path)
    told = {"kind": _KIND, "network": network, "sha256": sha256}
    with files.atomic_path(path) as temporary:
        write_tensors(temporary, {"styles": styles.float()}, told)


def check_latents_path(path: Path) -> None:
    """Raises OptionError unless latents can be saved under this name."""
    if path.suffix != ".safetensors":
        raise OptionError(f"latents are saved as .safetensors, not as {path.name}")


def load_styles(path: Path, generator: Generator, label: int | None = None) -> Tensor:
    """The styles in a file: `styles` (N, levels, style), or `latents` (N, latent), to be mapped.

    Args:
        path: what `save_styles` wrote, or any safetensors with one of the two.
        generator: for which they are to be.
        label: of latents, where the generator has several.

    Returns:
        (N, levels, style) on the generator's device.

    Raises:
        WeightsError: missing, damaged, or of a generator with other sizes.
        OptionError: a label for styles, which have theirs in them already.
    """
    try:
        check_header(path)
        with safe_open(path, framework="pt") as handle:
            held = {name: handle.get_tensor(name).float() for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} holds no latents that can be read: {error}") from error
    place = next(generator.parameters()).device
    if "styles" in held:
        if label is not None:
            raise OptionError(f"{path} holds styles, which have their label already; give none")
        wanted = (generator.levels, generator.mean_style().shape[1])
        return _sized(path, held["styles"], wanted).to(place)
    if "latents" not in held:
        raise WeightsError(f"{path} holds no latents; name a file of --save-latents")
    z = _sized(path, held["latents"], (generator.latent,)).to(place)
    kinds = None
    if len(generator.labels) > 1:
        kinds = torch.full((len(z),), label or 0, device=place)
    with torch.inference_mode():
        return per_level(generator, generator.styles(z, kinds))


def _sized(path: Path, found: Tensor, wanted: tuple[int, ...]) -> Tensor:
    if found.ndim != 1 + len(wanted) or tuple(found.shape[1:]) != wanted or not len(found):
        sizes = ["×".join(map(str, size)) for size in (found.shape[1:], wanted)]
        raise WeightsError(
            f"the latents in {path} have {sizes[0] or 'no'} numbers each, this painter's have "
            f"{sizes[1]}; they are another painter's"
        )
    if not bool(found.isfinite().all()):
        raise WeightsError(f"the latents in {path} have values that are no numbers")
    return found
