"""What is made of the second design's answer: thin fog, edges, smog under an open sky."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.defog import look
from belamy.pixels.fog.model import Fog, remove_fog


def leaves(height: int = 90, width: int = 120) -> Tensor:
    rough = torch.rand((1, 3, -(-height // 4), -(-width // 4)), generator=make_rng(0, "test")) ** 2
    return rough.repeat_interleave(4, 2).repeat_interleave(4, 3)[..., :height, :width]


def even(opacity: float, air: float = 0.9) -> look.Estimator:
    return lambda x: Fog(1 - opacity * torch.ones_like(x[:, :1]), x * 0 + air)


def fixed(transmission: Tensor, air: float) -> look.Estimator:
    """One that finds this map, at the size that it is shown, and mirrored."""

    def estimate(image: Tensor) -> Fog:
        small = F.interpolate(transmission, image.shape[-2:], mode="area")
        return Fog(torch.cat([small, small.flip(-1)]), image * 0 + air)

    return estimate


def ramp(start: float, end: float, size: tuple[int, int]) -> Tensor:
    """From above to below."""
    return torch.linspace(start, end, size[0])[:, None].expand(1, 1, *size).clone()


def test_what_may_be_the_scene_s_own_is_left() -> None:
    image = leaves() * 0.5 + 0.5
    found = [1 - look.look_smaller(even(x), image).transmission for x in (0.15, 0.26, 0.5)]
    assert float(found[0].max()) < 1e-6
    assert 0.05 < float(found[1].mean()) < 0.2
    assert float(found[2].mean()) == pytest.approx(0.5, abs=0.01)


def test_the_air_is_no_lighter_than_white_and_the_map_as_large_as_the_picture() -> None:
    fog = look.look_smaller(even(0.5, air=1.03), leaves(300, 400) * 0.3 + 0.7)
    assert fog.transmission.shape == (1, 1, 300, 400)
    assert float(fog.air.max()) == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (300, 2), (5, 512)])
def test_any_size_is_looked_at(size: tuple[int, int]) -> None:
    fog = look.look_smaller(even(0.6), leaves(*size))
    assert fog.transmission.shape == (1, 1, *size)
    assert bool(fog.transmission.isfinite().all() & fog.air.isfinite().all())
    assert 0 < float(fog.transmission.min()) <= float(fog.transmission.max()) <= 1


def misty(contrast: float) -> Tensor:
    """Dark below, lighter above, with leaves whose contrast in the light is this."""
    light = ramp(0.65, 0.1, (180, 240))
    return (light + contrast * (leaves(180, 240) - 0.3)).clamp(0, 1)


def test_thin_haze_that_takes_all_contrast_is_taken() -> None:
    hazy, crisp = (look.look_smaller(even(0.16), misty(x)) for x in (0.1, 0.9))
    assert float(crisp.transmission.min()) == 1
    # and more where the dark channel is light than the network says
    assert float(hazy.transmission[..., :30, :].mean()) < 0.7
    assert float(hazy.transmission[..., -30:, :].mean()) > 0.8


def test_hardly_any_fog_is_none_however_low_the_contrast() -> None:
    assert float(look.look_smaller(even(0.09), misty(0.1)).transmission.min()) == 1


def test_a_soft_map_makes_no_halo_beside_what_is_near() -> None:
    size = (192, 256)
    near = torch.zeros(1, 1, *size)
    near[..., :100] = 1
    image = (0.2 * near + 0.7 * (1 - near)).expand(1, 3, -1, -1) + 0.02 * leaves(*size)
    soft = F.avg_pool2d(F.pad(near, (10, 10, 0, 0), mode="replicate"), (1, 21), 1)
    fog = look.look_smaller(fixed(0.4 + 0.5 * soft, 0.75), image)
    far = fog.transmission[..., 150:].mean()
    given = 0.4 + 0.5 * float(soft[..., 102:106].mean())
    beside = float(fog.transmission[..., 102:106].mean())
    assert given - float(far) > 0.15
    assert beside - float(far) < 0.5 * (given - float(far))


def smog(size: tuple[int, int] = (180, 320)) -> tuple[Tensor, look.Estimator]:
    """An even sky that is white on the left and grey on the right, over a dark town; and a network
    that finds one white air in it."""
    height, width = size
    across = torch.linspace(1, 0.58, width).expand(1, 3, height, width)
    below = (ramp(0, 1, size) > 0.6).float()
    image = across * (1 - below) + below * (0.5 * across + 0.05 * leaves(*size))
    return image, fixed(ramp(0.25, 0.95, size), 1.0)


def test_smog_against_the_sun_is_no_night() -> None:
    image, estimate = smog()
    found = estimate(image)
    plain = remove_fog(image, found.transmission[:1], found.air[:1])
    fog = look.look_smaller(estimate, image)
    made = remove_fog(image, fog.transmission, fog.air)
    sky, far = (slice(0, 90), slice(240, 320))
    assert float(plain[..., sky, far].mean()) < 0.2
    assert float(made[..., sky, far].mean()) > 0.75 * float(image[..., sky, far].mean())
    assert float(fog.air.max()) <= 1


def test_a_sky_in_smog_keeps_its_light() -> None:
    image, estimate = smog()
    fog = look.look_smaller(estimate, image)
    sky = (..., slice(0, 70), slice(None))
    made = remove_fog(image, fog.transmission, fog.air)[sky]
    assert float((made - image[sky]).abs().mean()) < 0.01


def test_smog_is_told_from_a_room_whose_far_wall_is_in_fog() -> None:
    image, _ = smog()
    dense = fixed(ramp(0.25, 0.35, (180, 320)), 1.0)
    fog = look.look_smaller(dense, image)
    made = remove_fog(image, fog.transmission, fog.air)
    assert float(made[..., :90, 240:].mean()) < 0.5 * float(image[..., :90, 240:].mean())
