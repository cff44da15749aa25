"""A training taken apart into named tensors, and put together again."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from belamy.errors import RunError
from belamy.training.state import BUFFERS, LOOP, pack, rename, unpack

OPTIMIZERS = {
    "sgd": lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda weights: torch.optim.Adam(weights, 0.01, betas=(0.5, 0.9)),
    "plain": lambda weights: torch.optim.SGD(weights, 0.1),
}


def network(channels: int = 5) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(), nn.Flatten()
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def step(module: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    images = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    module(images.contiguous(memory_format=torch.channels_last)).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_what_was_packed_goes_on_bit_for_bit(kind: str) -> None:
    first = network()
    optimizer = OPTIMIZERS[kind](first.parameters())
    for seed in range(3):
        step(first, optimizer, seed)
    tensors, structure = pack({"n": first}, {"n": first}, {"o": optimizer})
    # Through JSON and through memory of another order, as a file would take it.
    told = json.loads(json.dumps(structure))
    kept = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}

    second, average = network(), network()
    other = OPTIMIZERS[kind](second.parameters())
    unpack((kept, told), {"n": second}, {"n": average}, {"o": other})
    for seed in range(3, 6):
        step(first, optimizer, seed)
        step(second, other, seed)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    assert torch.equal(average.state_dict()["0.weight"], kept["average/n/0.weight"])


def test_momentum_lies_in_memory_as_its_weights_do() -> None:
    module = network()
    optimizer = OPTIMIZERS["sgd"](module.parameters())
    step(module, optimizer, 0)
    tensors, structure = pack({"n": module}, {}, {"o": optimizer})
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    unpack((kept, structure), {"n": module}, {}, {"o": optimizer})
    weight = next(module.parameters())
    assert optimizer.state[weight]["momentum_buffer"].stride() == weight.stride()


def test_packing_names_everything() -> None:
    module = network()
    optimizer = OPTIMIZERS["sgd"](module.parameters())
    step(module, optimizer, 0)
    tensors, structure = pack({"n": module}, {}, {"o": optimizer})
    assert {"network/n/0.weight", "network/n/1.running_var"} <= tensors.keys()
    assert "optimizer/o/0/momentum_buffer" in tensors
    assert structure["o"]["groups"][0]["momentum"] == 0.9


def test_the_state_of_another_network_is_refused() -> None:
    module, other = network(), network(6)
    optimizer, another = (OPTIMIZERS["sgd"](part.parameters()) for part in (module, other))
    step(module, optimizer, 0)
    state = pack({"n": module}, {}, {"o": optimizer})
    with pytest.raises(RunError, match="of another network") as caught:
        unpack(state, {"n": other}, {}, {"o": another})
    assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="of another network"):
        unpack(state, {"n": module}, {}, {"unknown": optimizer})


def test_a_state_of_old_names_is_brought_up_to_date() -> None:
    module = network()
    optimizer = OPTIMIZERS["sgd"](module.parameters())
    step(module, optimizer, 0)
    tensors, structure = pack({"critic": module}, {"critic": module}, {"critic": optimizer})
    tensors[f"{BUFFERS}/scale critic"] = torch.ones(1)
    tensors["alone"] = torch.ones(1)
    meter = {"sums": {"slopes": 2.0}, "count": 1, "measures": {"found": 3.0}}
    structure[LOOP] = {"processes": 1, "meter": meter}
    names = {"critic": "discriminator", "scale critic": "scale discriminator"}
    state = rename((tensors, structure), names, {"slopes": "gradients", "found": "actual"})
    assert {f"{BUFFERS}/scale discriminator", "alone"} <= state[0].keys()
    assert not any("critic" in name for name in [*state[0], *state[1]])
    assert state[1][LOOP] == {
        "processes": 1,
        "meter": {"sums": {"gradients": 2.0}, "count": 1, "measures": {"actual": 3.0}},
    }
    other, average = network(), network()
    optimizer = OPTIMIZERS["sgd"](other.parameters())
    unpack(
        state, {"discriminator": other}, {"discriminator": average}, {"discriminator": optimizer}
    )
    for name, value in module.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
        assert torch.equal(value, average.state_dict()[name])
