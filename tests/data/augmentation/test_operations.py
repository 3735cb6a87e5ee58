"""Operations do alike to PIL images and tensors what their names say."""

import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.magnitudes import paper_value
from lit_cnn.data.augmentation.operations import CUTOUT_FILL, PAPER_FILL, RELEASED_OPERATIONS, Step, apply

IMAGES = torch.randint(0, 256, (3, 3, 24, 20), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("name", ["Identity", *RELEASED_OPERATIONS])
def test_pil_and_tensor_agree(name):
    # Smooth content: rounding of blends may differ by a level or two, the operation may not.
    ramp = torch.arange(256, dtype=torch.uint8).view(16, 16).repeat_interleave(2, 0).repeat_interleave(2, 1)
    image = torch.stack([ramp, ramp.flip(0), ramp.T])
    step = Step(name, paper_value(name, 4, 32, 1), (0.1, 0.6))
    from_pil = functional.pil_to_tensor(apply(functional.to_pil_image(image), step, PAPER_FILL))
    difference = (apply(image, step, PAPER_FILL).int() - from_pil.int()).abs()
    assert difference.float().median() <= 2
    assert (difference > 4).float().mean() < 0.12


def test_fill_reaches_the_uncovered_area():
    shifted = apply(IMAGES, Step("TranslateX", 5.0), PAPER_FILL)
    assert (shifted[..., :5] == PAPER_FILL).all()
    assert (apply(Image.new("L", (8, 8), 255), Step("TranslateY", 3.0), 9).crop((0, 0, 8, 3)).getextrema()) == (9, 9)


def test_fill_may_name_a_level_per_channel_and_gray_takes_its_mean():
    shifted = apply(IMAGES, Step("TranslateX", 5.0), (10, 20, 30))
    assert (shifted[..., :5] == torch.tensor([10, 20, 30]).view(3, 1, 1)).all()
    assert (apply(IMAGES[:, :1], Step("TranslateX", 5.0), (10, 20, 30))[..., :5] == 20).all()


@pytest.mark.parametrize("pil", [False, True])
def test_cutout_fills_a_clipped_square_and_nothing_else(pil):
    """Side 6 around row 2 of 24 and column 10 of 20: rows -1 to 4, columns 7 to 12."""
    step = Step("Cutout", 6.0, (2.5 / 24, 10.5 / 20))
    expected = IMAGES[0].clone()
    expected[:, :5, 7:13] = torch.tensor(CUTOUT_FILL).view(3, 1, 1)
    before = IMAGES[0].clone()
    given = functional.to_pil_image(IMAGES[0]) if pil else IMAGES[0]
    out = apply(given, step)
    assert torch.equal(functional.pil_to_tensor(out) if pil else out, expected)
    assert torch.equal(functional.pil_to_tensor(given) if pil else given, before)
    everything = apply(given, Step("Cutout", 60.0, (0.5, 0.5)), 9)
    assert ((functional.pil_to_tensor(everything) if pil else everything) == 9).all()


def test_solarize_add_brightens_dark_pixels_only():
    image = torch.tensor([0, 127, 128, 255], dtype=torch.uint8).view(1, 1, 4)
    assert apply(image, Step("SolarizeAdd", 100.0)).flatten().tolist() == [100, 227, 128, 255]
    assert apply(image, Step("SolarizeAdd", 200.0)).flatten().tolist() == [200, 255, 128, 255]


def test_unknown_operation_is_named():
    with pytest.raises(ValueError, match="'Blur' is not an image operation"):
        apply(IMAGES, Step("Blur", 1.0))
