"""Weights that others saved made into ours. Nothing is unpickled but by torch's restricted reader,
which builds tensors and containers alone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from belamy.checks import show_value
from belamy.errors import OptionError, PictureWarning, WeightsError
from belamy.files import expand_home, missing_file
from belamy.networks.files import caffe
from belamy.networks.files.cache import cached_path
from belamy.networks.files.colors import (
    Feeding,
    check_choices,
    choose_feeding,
    turn_colors,
)
from belamy.networks.files.containers import read_container, tell_format
from belamy.networks.files.header import network_in, read_metadata
from belamy.networks.files.network_file import check_shapes, open_network_file, without_counters
from belamy.networks.files.ranges import ColorOrder, Range
from belamy.networks.files.signatures import OURS, guess_architecture
from belamy.networks.files.unwrap import strip_prefixes, unwrap
from belamy.networks.files.weights import Description, save_weights
from belamy.networks.files.well_known import feeding_of, network_of, network_of_file
from belamy.networks.find import AUTO, check_kind
from belamy.networks.registry import find_architecture, names_of
from belamy.networks.unfilled import skip_filling

__all__ = ["import_weights"]

_TRAINING_ONLY = ("aux1.", "aux2.", "AuxLogits.")  # GoogLeNet's and Inception's other classifiers
_MOST_CLASSES = 1 << 16
_LARGEST_LIST = 4 << 20  # bytes of a file of class names


def import_weights(
    name: str,
    file: str | Path,
    *,
    source: str | None = None,
    colors: ColorOrder = "auto",
    range: Range = "auto",
    classes: Sequence[str] | str | None = None,
) -> Path:
    """Convert a file of weights for the network `name` and keep it in the cache.

    Args:
        name: a backbone of the registry, or torchvision's name of its weights
            (VGG19_Weights.IMAGENET1K_V1); auto is told by what is in the file.
        file: what torch saved (.pth, .pt, .ckpt, .pth.tar, .bin), .safetensors or .npz; the state
            dict may lie in the wrappers that training scripts put around it.
        source: where it was published, for the metadata; None for the file's own name.
        colors: which channel the network takes first, rgb or bgr. auto: as its published weights
            do, unless drawn fruit is seen rightly in another way alone.
        range: the numbers that it takes for black and white: 0-1, 0-255, -1-1, imagenet (less mean,
            by deviation), or caffe (0-255 less mean, bgr). auto: as for colors.
        classes: names of its classes, in order, with commas between them or in a file, one a line.
            None: those that the file names, or ImageNet's where it tells a thousand apart.

    Returns:
        the file in the cache.

    Raises:
        UnknownName: no such network, order of colors or range.
        OptionError: classes that are not as many as the network's, or cannot be read.
        WeightsError: the file is missing, damaged, of another format or network, or clearly takes
            pictures otherwise than is stated.
    """
    path = expand_home(file)
    name = _tell_network(path) if name == AUTO else network_of(name)
    find_architecture(name, "backbone")
    check_choices(colors, range)
    stated = (colors, range) != ("auto", "auto")
    read = _read(name, path)
    if read.says_itself and (stated or classes is not None):
        raise OptionError(f"{path} says itself how it is used; leave out colors, range and classes")
    _check(name, path, read.state)
    if not read.says_itself:
        names = _read_classes(classes) if classes is not None else read.description.classes
        read = replace(read, description=_with_classes(name, path, read, names))
    _check_fit(name, path, read.description, read.state)
    if not read.says_itself and source is None:
        read = _choose_feeding(name, path, read, colors, range)
    target = cached_path(name)
    notes = {"source": source or path.name, "licence": _licence(name, source)}
    save_weights(target, read.state, notes=notes, **vars(read.description))
    return target


@dataclass(frozen=True)
class _Read:
    """A file's state dict and how it is used; whether the file says that itself."""

    state: dict[str, Tensor]
    description: Description
    says_itself: bool = False


def _tell_network(path: Path) -> str:
    """The backbone that a file is of, by the names and shapes of its tensors.

    Raises:
        WeightsError: it cannot be told, or is none of belamy's.
    """
    known = names_of("backbone")
    if tell_format(path) == "safetensors" and (said := network_in(read_metadata(path))):
        return said
    state = unwrap(path, read_container(path)).state
    guess = guess_architecture({key: x.shape for key, x in state.items()})
    name = OURS.get(guess, "") if OURS.get(guess, "") in known else network_of_file(path, known)
    if not name:
        like = f"it looks like {guess}" if guess else "it looks like none that is known"
        raise WeightsError(
            f"{path} does not say which network it is of, and {like}; name it: belamy models "
            f"import NETWORK {path}"
        )
    return name


def _licence(name: str, source: str | None) -> str:
    published = find_architecture(name).published
    return published.licence if source and published else "as its source says"


def _describe(name: str) -> Description:
    """How the network's published weights were trained, assumed of files that do not say."""
    row = find_architecture(name).published
    if row is None:
        raise WeightsError(
            f"weights of {name} must say how they were trained; only a file that belamy wrote does"
        )
    return Description(name, {}, row.mean, row.std, tuple(row.classes), row.trained_on)


def _read(name: str, path: Path) -> _Read:
    if tell_format(path) == "safetensors":
        with open_network_file(path) as file:
            if file.network:
                check_kind(file.path, file.network, "backbone")
                if file.network != name:
                    raise WeightsError(f"{file.path} is for {file.network}, not for {name}")
                state = {key: file.read(key) for key in file.tensors}
                return _Read(without_counters(state), Description.of(file), says_itself=True)
    usual, target = _describe(name), _shapes(name, {})
    tree = read_container(path)
    if isinstance(tree, Mapping) and caffe.is_caffe(tree):
        if name != "squeezenet1_0":
            raise WeightsError(f"{path} has the Caffe names of squeezenet1_0, not of {name}")
        own = replace(usual, mean=caffe.MEAN, std=caffe.STD)
        return _Read(caffe.from_caffe(tree), replace(own, classes=()))
    found = unwrap(path, tree, target)
    state = {key: x for key, x in found.state.items() if not key.startswith(_TRAINING_ONLY)}
    return _Read(
        _without_broken_head(name, _rename(name, state)), replace(usual, classes=found.classes)
    )


def _rename(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the names of tensors that the network has today."""
    renamed = {}
    for key, tensor in state.items():
        for pattern, own in find_architecture(name).tensor_names.items():
            key = re.sub(pattern, own, key)
        renamed[key] = tensor
    return renamed


def _without_broken_head(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without neurons that are no numbers, as torchvision's VGG-16 of features alone has them."""
    row = find_architecture(name)
    if not row.without_head:
        return state
    rest = {key: x for key, x in state.items() if key in _shapes(name, row.without_head)}
    head = [x for key, x in state.items() if key not in rest and x.is_floating_point()]
    return rest if head and all(bool(x.isnan().any()) for x in head) else state


def _shapes(name: str, arguments: Mapping[str, Any]) -> dict[str, torch.Size]:
    """The network's, built without memory for its weights."""
    with skip_filling():
        network = find_architecture(name).build(**arguments)
    return {key: x.shape for key, x in without_counters(network.state_dict()).items()}


def _check(name: str, path: Path, state: Mapping[str, Tensor]) -> None:
    """Name the architecture, where the file is of another one; heads may differ."""
    target = _shapes(name, {})
    if all(key in state and state[key].shape[1:] == x[1:] for key, x in target.items()):
        return
    guess = guess_architecture({key: x.shape for key, x in state.items()})
    own = OURS.get(guess, "")
    if not guess or own == name:
        return
    if own in names_of("backbone"):
        advice = f"run: belamy models import {own} {path}"
    else:
        advice = f"belamy reads {', '.join(names_of('backbone'))}"
    raise WeightsError(f"{path} does not fit {name}: it looks like {guess}; {advice}")


def _read_classes(given: Sequence[str] | str) -> tuple[str, ...]:
    """Names of classes out of a list, a text with commas between them, or a file with one a line.

    Raises:
        OptionError: there are none, too many, or the file cannot be read.
    """
    names = list(given) if not isinstance(given, str) else _read_list(given)
    tidy = tuple(" ".join(str(name).split()) for name in names)
    if not 1 <= len(tidy) <= _MOST_CLASSES or not all(tidy):
        raise OptionError(
            f"classes is {show_value(given)}; it must be names with commas between them, or a file "
            "with one a line"
        )
    return tidy


def _read_list(given: str) -> list[str]:
    path = expand_home(given)
    if "," in given:
        return given.split(",")
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_LIST)
    except FileNotFoundError as error:
        raise missing_file(OptionError, given) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"cannot read the classes in {show_value(given)}: {reason}") from error
    return [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]


def _with_classes(name: str, path: Path, read: _Read, names: Sequence[str]) -> Description:
    """The description with as many classes as the file's head tells apart."""
    published = _describe(name).classes
    head = _head(name, len(published))
    count = read.state[head].shape[0] if head in read.state and read.state[head].dim() else 0
    same = count == len(published)
    headless = find_architecture(name).without_head
    if headless and read.state.keys() == _shapes(name, headless).keys():
        return replace(read.description, arguments=headless, classes=())
    if not count or (same and not names):
        return replace(read.description, classes=published)
    if not names:
        names = [f"class {number}" for number in range(count)]
        _warn(f"{path} tells {count} classes apart and names none; name them with --classes")
    if len(names) != count:
        raise OptionError(f"{path} tells {count} classes apart, and {len(names)} are named")
    arguments = {} if same else {"classes": count}
    trained_on = read.description.trained_on if same else "as its source says"
    return replace(
        read.description, arguments=arguments, classes=tuple(names), trained_on=trained_on
    )


def _head(name: str, classes: int) -> str:
    """The weights that give the logits: the last whose rows are as many as the classes."""
    shapes = _shapes(name, {})
    return [key for key, shape in shapes.items() if len(shape) > 1 and shape[0] == classes][-1]


def _choose_feeding(name: str, path: Path, read: _Read, colors: str, range_: str) -> _Read:
    """With the colours that the network takes: stated, tried out, or as is usual."""
    with skip_filling():
        network = find_architecture(name).build(**read.description.arguments)
    assert isinstance(network, nn.Module)
    full = {key: x.float() for key, x in read.state.items()}
    network.load_state_dict({**_zeros(network), **full}, assign=True)
    description = read.description
    usual = Feeding(*(feeding_of(path) or (False, description.mean, description.std)))
    feeding, line = choose_feeding(path, network.eval(), description.classes, usual, colors, range_)
    if line:
        _warn(line)
    state = turn_colors(read.state) if feeding.bgr else read.state
    return replace(
        read, state=state, description=replace(description, mean=feeding.mean, std=feeding.std)
    )


def _zeros(network: nn.Module) -> dict[str, Tensor]:
    """Counters, which no state here has."""
    return {
        key: torch.zeros(x.shape, dtype=x.dtype, device="cpu")
        for key, x in network.state_dict().items()
        if x.dtype == torch.long
    }


def _warn(text: str) -> None:
    warnings.warn(text, PictureWarning, stacklevel=2)


def _check_fit(name: str, path: Path, description: Description, state: dict[str, Tensor]) -> None:
    """Compare `state` with the network, built without memory for its weights."""
    target = _shapes(name, description.arguments)
    actual = {key: x.shape for key, x in strip_prefixes(path, state).items()}
    check_shapes(path, name, actual, target, exact=True)
    for key, tensor in state.items():
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(f"{path} has {key} of {kind}; save the network's weights as float32")
        if not bool(tensor.isfinite().all()):
            raise WeightsError(f"{path} has {key} that is not all finite numbers")
