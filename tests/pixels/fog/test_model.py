"""The physics of fog, there and back; and fog made up, of every kind."""

from __future__ import annotations

import io

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from belamy.devices import make_rng
from belamy.pixels.fog.model import (
    Fog,
    add_bright_region,
    apply_fog,
    degrade,
    density_for,
    fog_at,
    random_fog,
    random_scene,
    remove_fog,
)
from belamy.pixels.images import load_image, to_pil


def pictures(count: int = 4, height: int = 40, width: int = 56) -> Tensor:
    rough = torch.rand((count, 3, 5, 6), generator=make_rng(0, "test"))
    return F.interpolate(rough, (height, width), mode="bicubic").clamp(0, 1)


def test_by_hand() -> None:
    image, air = torch.full((1, 3, 2, 2), 0.2), torch.full((1, 3, 1, 1), 0.8)
    seen = apply_fog(image, torch.full((1, 1, 2, 2), 0.25), air)
    assert torch.allclose(seen, torch.full_like(image, 0.2 * 0.25 + 0.8 * 0.75))
    assert torch.equal(apply_fog(image, torch.ones(1, 1, 2, 2), air), image)


def test_there_and_back() -> None:
    image = pictures()
    transmission = torch.rand((4, 1, 40, 56), generator=make_rng(0, "t")) * 0.8 + 0.2
    air = torch.rand((4, 3, 1, 1), generator=make_rng(0, "a"))
    seen = Fog(transmission, air).on(image)
    assert torch.allclose(remove_fog(seen, transmission, air), image, atol=1e-5)


def test_nothing_is_divided_by_less_than_the_least() -> None:
    seen, air = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 1, 1), 0.4)
    made = remove_fog(seen, torch.full((1, 1, 2, 2), 1e-9), air)
    assert torch.allclose(made, torch.full_like(made, 0.4 + 0.1 / 0.1))


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.5, 0.9])
def test_the_density_for_an_amount(amount: float) -> None:
    depth = torch.rand((1, 1, 30, 30), generator=make_rng(0, "d"))
    density = density_for(depth, amount)
    assert 1 - float(torch.exp(-density * depth).mean()) == pytest.approx(amount, abs=1e-5)


def test_scenes_keep_their_pictures_but_for_what_is_put_in_front() -> None:
    image = pictures(60, 32, 32)
    scene, depth = random_scene(image, make_rng(0, "scene"))
    changed = (scene != image).any(1, keepdim=True)
    assert 0.01 < float(changed.float().mean()) < 0.25
    assert 0 <= float(depth.min()) <= float(depth.max()) <= 1
    for one in range(60):  # what is in front is nearer than what it hides
        if changed[one].any() and not changed[one].all():
            farthest, nearest = depth[one][changed[one]].max(), depth[one][~changed[one]].min()
            assert float(farthest) <= max(float(nearest), 0.07)


def test_fogs_are_of_every_kind() -> None:
    depth = torch.rand((400, 1, 8, 8), generator=make_rng(0, "d")) * 0.5 + 0.5
    fog = random_fog(depth, make_rng(0, "fog"))
    amount = 1 - fog.transmission.mean((1, 2, 3))
    assert 0.15 < float((amount == 0).float().mean()) < 0.35  # some have none
    assert float(amount.max()) > 0.85
    assert float(fog.transmission.min()) > 0
    air = fog.air.mean((2, 3))
    assert 0 <= float(fog.air.min()) <= float(fog.air.max()) <= 1
    assert float(air.mean(1).min()) < 0.6
    spread = air.amax(1) - air.amin(1)
    assert float((spread < 0.02).float().mean()) > 0.25  # white and grey
    assert 0.1 < float((spread > 0.05).float().mean()) < 0.4  # and coloured


def test_some_scenes_get_a_large_light_place() -> None:
    image = pictures(200, 32, 48) * 0.5
    made = add_bright_region(image, make_rng(0, "light"))
    changed = ((made - image).abs().amax(1) > 0.1).float().mean((1, 2))
    assert 0.15 < float((changed > 0.05).float().mean()) < 0.45  # of the pictures
    assert torch.equal(made[changed == 0].round(decimals=5), image[changed == 0].round(decimals=5))
    light = made[changed > 0.3].mean((1, 2, 3))
    assert float(light.mean()) > float(image.mean()) + 0.15
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    assert torch.equal(made, add_bright_region(image, make_rng(0, "light")))


def test_fog_moves_between_devices() -> None:
    fog = random_fog(torch.ones(1, 1, 4, 4), make_rng(0, "fog"))
    assert torch.equal(fog.to(torch.device("cpu")).air, fog.air)


def test_wear_is_slight_and_on_some() -> None:
    image = pictures(30)
    seen = degrade(image, make_rng(0, "wear"))
    error = (seen - image).abs().mean((1, 2, 3))
    assert 4 <= int((error == 0).sum()) <= 20
    assert float(error.max()) < 0.05
    assert 0 <= float(seen.min()) <= float(seen.max()) <= 1
    assert torch.equal(seen, degrade(image, make_rng(0, "wear")))


def test_wear_is_noise_and_then_jpeg() -> None:
    image = pictures(24)
    seen = degrade(image, make_rng(1, "wear"))
    rng = make_rng(1, "wear")
    draws = torch.rand((24, 4), generator=rng).tolist()
    for one, found, (noisy, amount, packed, quality) in zip(image, seen, draws, strict=True):
        expected = one
        if noisy < 0.5:
            noise = 0.02 * amount * torch.randn(one.shape, generator=rng)
            expected = (one + noise).clamp(0, 1)
        if packed < 1 / 3:
            file = io.BytesIO()
            to_pil(expected).save(file, "JPEG", quality=round(40 + 55 * quality))
            expected = load_image(Image.open(file))[0]
        torch.testing.assert_close(found, expected)


def test_the_density_of_fog_is_even_in_its_logarithm() -> None:
    fog = random_fog(torch.ones(4000, 1, 2, 2), make_rng(0, "fog"))
    density = -fog.transmission.log().flatten(1).mean(1)
    foggy = density[density > 0]
    assert 0.72 < len(foggy) / 4000 < 0.78
    even = foggy[(foggy > 0.4) & (foggy < 2.5)].log()  # patches blur the ends
    low, middle, high = torch.quantile(even, torch.tensor([0.0, 0.5, 1.0])).tolist()
    assert middle == pytest.approx((low + high) / 2, abs=0.08)
    assert float(foggy.quantile(0.02)) < 0.35
    assert float(foggy.quantile(0.98)) > 3


def test_fog_at_a_depth_that_is_known_is_an_exponential_of_it() -> None:
    depth = torch.rand((40, 1, 16, 16), generator=make_rng(0, "test")) * 5 + 0.5
    fog = fog_at(depth, torch.zeros(40, dtype=torch.bool), make_rng(0, "fog"))
    optical = -fog.transmission.log()
    ratio = optical / depth
    spread = ratio.flatten(1).std(1) / ratio.flatten(1).mean(1).clamp_min(1e-6)
    assert float(spread.max()) < 1e-3
    none = (optical.amax((1, 2, 3)) == 0).float().mean()
    assert 0 < float(none) < 0.4
    assert 0.3 < float(optical.amax((1, 2, 3)).median()) < 2.5  # at the farthest place


def test_out_of_doors_a_far_sky_does_not_take_all_of_the_fog() -> None:
    depth = torch.rand((40, 1, 16, 16), generator=make_rng(0, "test")) * 20 + 5
    depth[..., :6, :] = 10_000.0
    fog = fog_at(depth, torch.ones(40, dtype=torch.bool), make_rng(0, "fog"))
    near = 1 - fog.transmission[..., 6:, :].mean((1, 2, 3))
    assert float(near.median()) > 0.1
    assert (fog.transmission[..., :6, :] <= fog.transmission[..., 6:, :].amin() + 1).all()


def test_most_airs_are_nearly_white_and_few_have_a_deep_cast() -> None:
    depth = torch.ones((400, 1, 4, 4))
    air = fog_at(depth, torch.zeros(400, dtype=torch.bool), make_rng(0, "fog")).air.mean((2, 3))
    cast = (air.amax(1) - air.amin(1)) / air.amax(1)
    assert 0.3 < float((cast < 0.005).float().mean()) < 0.7
    assert 0.02 < float((cast > 0.1).float().mean()) < 0.25
    assert float((air.mean(1) > 0.69).float().mean()) > 0.75
