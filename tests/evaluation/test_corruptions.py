"""Corruptions: keys, severities, and the formulas of the table."""

import pytest
import torch
from colors import noise
from torchvision.transforms.v2 import functional

from lit_cnn.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt, plasma

ROWS = torch.arange(6)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Smooth color pictures, uint8 (6, 3, 32, 32)."""
    return functional.resize(noise(6, 4, 4), [32, 32])


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_size_and_type_stay_and_the_input_too(kind: str, channels: int, images: torch.Tensor) -> None:
    before = images[:, :channels].clone()
    out = corrupt(before, kind, 3, ROWS)
    assert (out.shape, out.dtype) == (before.shape, torch.uint8)
    assert torch.equal(before, images[:, :channels])
    if (kind, channels) != ("saturate", 1):
        assert not torch.equal(out, before)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_an_image_depends_on_its_key_alone(kind: str, images: torch.Tensor) -> None:
    whole = corrupt(images, kind, 4, ROWS, seed=5)
    single = corrupt(images[3:4], kind, 4, ROWS[3:4], seed=5)
    assert (whole[3:4].int() - single.int()).abs().max() <= 1  # convolutions add in another order
    drawn = {"gaussian_noise", "shot_noise", "impulse_noise", "motion_blur", "fog"}
    same = torch.equal(corrupt(images, kind, 4, ROWS, seed=6), whole)
    assert same == (kind not in drawn)
    assert torch.equal(corrupt(images, kind, 4, ROWS + 9, seed=5), whole) == (kind not in drawn)


@pytest.mark.parametrize("size", [32, 96])
@pytest.mark.parametrize("kind", [kind for kind in CORRUPTIONS if kind != "saturate"])
def test_severities_grow(kind: str, size: int, images: torch.Tensor) -> None:
    """Mean absolute change. Saturate is left out, for it removes color before it adds it, and so is pixelate at
    severity 1 of small images, where 30 of 32 pixels move the grid more than 28 do."""
    clean = functional.resize(images, [size, size])
    first = 2 if (kind, size) == ("pixelate", 32) else 1
    changes = [(corrupt(clean, kind, s, ROWS).float() - clean).abs().mean().item() for s in SEVERITIES if s >= first]
    assert changes == sorted(changes)
    assert changes[0] > 0


def test_every_severity_has_its_constants() -> None:
    for corruption in CORRUPTIONS.values():
        assert len(corruption.small) == len(corruption.large) == len(SEVERITIES)


@pytest.mark.parametrize(("size", "deviation"), [(64, 0.08), (65, 0.18)])
def test_the_scale_follows_the_image_size(size: int, deviation: float) -> None:
    gray = torch.full((4, 3, size, size), 128, dtype=torch.uint8)
    out = corrupt(gray, "gaussian_noise", 3, ROWS[:4]).double() / 255
    assert out.std().item() == pytest.approx(deviation, rel=0.03)
    assert out.mean().item() == pytest.approx(128 / 255, abs=0.004)


def test_noise_has_the_stated_law() -> None:
    gray = torch.full((4, 3, 64, 64), 102, dtype=torch.uint8)
    shot = corrupt(gray, "shot_noise", 5, ROWS[:4]).double() / 255
    assert shot.mean().item() == pytest.approx(0.4, abs=0.004)
    assert shot.var().item() == pytest.approx(0.4 / 50, rel=0.05)
    impulse = corrupt(gray, "impulse_noise", 5, ROWS[:4])
    for level in (0, 255):
        assert (impulse == level).double().mean().item() == pytest.approx(0.035, rel=0.1)


def test_blurs_keep_flat_areas_and_the_mean() -> None:
    flat = torch.full((1, 3, 96, 96), 90, dtype=torch.uint8)
    dot = torch.zeros(1, 1, 97, 97, dtype=torch.uint8)
    dot[..., 40:57, 40:57] = 255
    for kind in ("defocus_blur", "motion_blur", "zoom_blur"):
        assert torch.equal(corrupt(flat, kind, 5, ROWS[:1]), flat)
    for kind in ("defocus_blur", "motion_blur"):
        spread = corrupt(dot, kind, 3, ROWS[:1])
        assert spread.double().mean().item() == pytest.approx(dot.double().mean().item(), rel=0.02)
        assert (spread > 0).sum() > (dot > 0).sum()


def test_defocus_spreads_a_point_to_a_disk() -> None:
    point = torch.zeros(1, 1, 81, 81, dtype=torch.uint8)
    point[..., 40, 40] = 255
    bright = corrupt(point, "defocus_blur", 1, ROWS[:1])[0, 0] > 2  # radius 3, hardly smoothed
    rows, columns = bright.nonzero().sub(40).T
    assert bright.sum() == 29  # lattice points within 3
    assert (rows**2 + columns**2).max() == 9


def test_brightness_contrast_and_saturation_by_hand() -> None:
    pixel = torch.tensor([200, 100, 50], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    bright = corrupt(pixel, "brightness", 1, ROWS[:1])[0, :, 0, 0]  # value 200 + 0.05 * 255
    assert bright.tolist() == [213, 106, 53]
    black = torch.zeros_like(pixel)
    assert corrupt(black, "brightness", 2, ROWS[:1])[0, :, 0, 0].tolist() == [26, 26, 26]
    grayer = corrupt(pixel, "saturate", 1, ROWS[:1])[0, :, 0, 0]  # saturation 0.75 * 0.3
    assert grayer.tolist() == [200, 170, 155]
    gray = torch.full_like(pixel, 70)
    assert torch.equal(corrupt(gray, "saturate", 5, ROWS[:1]), gray)
    two = torch.tensor([0, 200], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 1, 2, 2)
    assert corrupt(two, "contrast", 2, ROWS[:1])[0, 0, 0].tolist() == [50, 150]


def test_saturation_and_brightness_keep_the_hue(images: torch.Tensor) -> None:
    import colorsys

    for kind, severity in (("saturate", 4), ("brightness", 2)):
        out = corrupt(images[:1], kind, severity, ROWS[:1])
        for place in (3, 15, 28):
            old = colorsys.rgb_to_hsv(*(images[0, :, place, place] / 255).tolist())
            new = colorsys.rgb_to_hsv(*(out[0, :, place, place] / 255).tolist())
            turn = abs(old[0] - new[0])
            assert min(turn, 1 - turn) < 0.02
            if kind == "saturate":
                assert new[1:] == pytest.approx((min(2 * old[1] + 0.1, 1), old[2]), abs=0.02)
            else:
                assert new[1:] == pytest.approx((old[1], min(old[2] + 0.1, 1)), abs=0.02)


def test_fog_is_a_fractal_between_the_image_and_its_brightest_value(images: torch.Tensor) -> None:
    draws = torch.rand((3, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
    maps = plasma(draws, 2.0)
    assert maps.amin((1, 2)).tolist() == [0, 0, 0]
    assert maps.amax((1, 2)).tolist() == [1, 1, 1]
    rough, smooth = (plasma(draws, decay).diff(dim=2).abs().mean() for decay in (1.4, 3.0))
    assert rough > 2 * smooth
    out = corrupt(images, "fog", 5, ROWS)
    assert (out.amax((1, 2, 3)) <= images.amax((1, 2, 3))).all()


def test_plasma_by_hand() -> None:
    """One square of side 2 on a torus: corner 0, center u, edges (2 u + 0) / 4 + their own noise."""
    noise_map = torch.tensor([[[0.0, 0.2], [0.4, 0.8]]])
    edges = 0.8 * 2 / 4 + 0.2, 0.8 * 2 / 4 + 0.4
    expected = torch.tensor([[[0, edges[0]], [edges[1], 0.8]]]) / max(*edges, 0.8)
    torch.testing.assert_close(plasma(noise_map, 2.0), expected)


def test_unknown_kinds_and_severities_are_named(images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="no corruption 'snow'; there are gaussian_noise"):
        corrupt(images, "snow", 1, ROWS)
    with pytest.raises(ValueError, match="severity is 1 to 5, got 6"):
        corrupt(images, "fog", 6, ROWS)
