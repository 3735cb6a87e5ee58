"""Mixed targets lie on the simplex, mixed images match them, and the split into micro-batches does not matter."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup, cutmix_box, draw, draw_images, mix, partners
from lit_cnn.data.batch import Batch


def _mix(images, targets, index, *options, position=None):
    """Images and targets of the mixed batch; positions count from 0 unless given."""
    position = torch.arange(len(index)) if position is None else position
    mixed = mix(Batch(images, targets, index, position, torch.tensor(1.0)), *options)
    assert mixed.index is index
    return mixed.images, mixed.targets


def _batch(count, size=8):
    images = torch.arange(count, dtype=torch.float32).view(-1, 1, 1, 1).expand(count, 1, size, size).clone()
    return images, torch.arange(count) % 5, torch.arange(count)


@given(
    count=st.integers(1, 9),
    step=st.integers(0, 200),
    mixup=st.floats(0, 3),
    cutmix=st.floats(0, 3),
    switch=st.floats(0, 1),
    per_image=st.booleans(),
)
@settings(max_examples=80, deadline=None)
@pytest.mark.slow
def test_targets_on_the_simplex_and_equal_to_the_image_shares(count, step, mixup, cutmix, switch, per_image):
    images, targets, index = _batch(count)
    mixing = Mixing(switch, per_image=per_image)
    mixed, soft = _mix(images, targets, index, 5, (0, step), Mixup(mixup), CutMix(cutmix), mixing)
    if soft.dtype == torch.int64:
        assert torch.equal(soft, targets)
        assert torch.equal(mixed, images)
        return
    assert soft.shape == (count, 5)
    assert soft.min() >= 0
    torch.testing.assert_close(soft.sum(1), torch.ones(count))
    # The constant image i has mean i; the mixed mean is the share-weighted mean of the pair.
    other = partners(index)
    for row in range(count):
        if targets[row] != targets[other[row]]:
            share = soft[row, targets[row]].item()
            expected = share * row + (1 - share) * other[row].item()
            assert mixed[row].mean().item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("method", ["mixup", "cutmix", "both"])
def test_micro_batches_of_even_size_give_the_whole_batch(method, per_image):
    images, targets = torch.rand(12, 3, 16, 16), torch.arange(12) % 5
    index = torch.arange(12)
    alphas = Mixup(float(method != "cutmix")), CutMix(float(method != "mixup"))
    options = 5, (0, 4), *alphas, Mixing(per_image=per_image)
    whole = _mix(images, targets, index, *options)
    assert whole[1].dtype == torch.float32
    for size in (2, 4, 6):
        rows = [slice(i, i + size) for i in range(0, 12, size)]
        parts = [_mix(images[part], targets[part], index[part], *options, position=index[part]) for part in rows]
        assert torch.equal(torch.cat([part[0] for part in parts]), whole[0])
        assert torch.equal(torch.cat([part[1] for part in parts]), whole[1])


def test_uint8_images_stay_uint8_and_round():
    images = torch.tensor([0, 200], dtype=torch.uint8).view(2, 1, 1, 1)
    share = draw((0, 1), Mixup(1.0), CutMix(), Mixing()).share
    mixed, _ = _mix(images, torch.tensor([0, 1]), torch.arange(2), 2, (0, 1), Mixup(1.0), CutMix(), Mixing())
    assert mixed.dtype == torch.uint8
    assert mixed.flatten().tolist() == [round(200 * (1 - share)), round(200 * share)]


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("settings_", [(Mixup(1.0), CutMix()), (Mixup(), CutMix(1.0))])
def test_padding_is_untouched(settings_, per_image):
    images, targets = torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])
    index = torch.tensor([7, -1, 3, 4])
    mixed, soft = _mix(images, targets, index, 4, (0, 0), *settings_, Mixing(per_image=per_image))
    assert torch.equal(mixed[:2], images[:2])
    assert torch.equal(soft[:2], torch.eye(4)[:2])
    assert not torch.equal(mixed[2:], images[2:])


def test_an_odd_last_sample_keeps_to_itself():
    assert partners(torch.arange(5)).tolist() == [1, 0, 3, 2, 4]
    assert partners(torch.arange(1)).tolist() == [0]


@given(share=st.floats(0, 1), row=st.floats(0, 0.999), column=st.floats(0, 0.999))
@settings(max_examples=60, deadline=None)
def test_box_is_clipped_and_never_larger_than_its_share(share, row, column):
    top, bottom, left, right = cutmix_box(20, 30, share, (row, column))
    assert 0 <= top <= bottom <= 20
    assert 0 <= left <= right <= 30
    assert (bottom - top) * (right - left) <= (1 - share) * 600 + 1e-6


def test_probabilities_and_switch_hold_over_many_steps():
    draws = [draw((0, step), Mixup(0.2, 0.5), CutMix(1.0), Mixing(0.25)).method for step in range(2000)]
    assert draws.count("cutmix") / 2000 == pytest.approx(0.25, abs=0.04)
    assert draws.count("mixup") / 2000 == pytest.approx(0.375, abs=0.04)
    shares = torch.tensor([draw((1, step), Mixup(1.0), CutMix(), Mixing()).share for step in range(2000)])
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)
    assert shares.var().item() == pytest.approx(1 / 12, abs=0.01)


def test_images_have_draws_of_their_own_that_depend_on_position_alone():
    both = Mixup(0.2, 0.5), CutMix(1.0), Mixing(0.25, per_image=True)
    draws = draw_images((0, 3), 4000, *both)
    assert draws.cutmix.mean() == pytest.approx(0.25, abs=0.03)
    assert (draws.share == 1.0).mean() == pytest.approx(0.375, abs=0.03)  # mixup's half that does not mix
    shares = draws.share[draws.cutmix]
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / 12, abs=0.01)
    assert len(set(shares.tolist())) == len(shares)
    part = draw_images((0, 3), 8, *both)
    for own, whole in zip(part, draws, strict=True):
        assert (own == whole[:8]).all()
    assert (draw_images((0, 4), 4000, *both).share != draws.share).any()


def test_one_batch_holds_mixup_and_cutmix_when_drawn_per_image():
    """A black and a white image: CutMix leaves pure pixels, mixup one gray level."""
    images = torch.tensor([0, 255], dtype=torch.uint8).repeat(64).view(-1, 1, 1, 1).expand(-1, 1, 16, 16).clone()
    targets = torch.tensor([0, 1]).repeat(64)
    mixed, soft = _mix(images, targets, torch.arange(128), 2, (0, 0), Mixup(1.0), CutMix(1.0), Mixing(per_image=True))
    assert mixed.dtype == torch.uint8
    flat = (mixed == mixed[:, :, :1, :1]).flatten(1).all(1)
    pure = ((mixed == 0) | (mixed == 255)).flatten(1).all(1)
    assert 30 < (flat & ~pure).sum() < 98
    assert 30 < (~flat & pure).sum() < 98
    assert (flat | pure).all()
    torch.testing.assert_close(mixed.float().mean((1, 2, 3)) / 255, soft[:, 1], atol=1 / 255, rtol=0)


def test_layout_survives_mixing_per_image():
    images = torch.rand(4, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    for alphas in ((Mixup(1.0), CutMix()), (Mixup(), CutMix(1.0))):
        options = 4, (0, 0), *alphas, Mixing(per_image=True)
        mixed, _ = _mix(images, torch.arange(4), torch.arange(4), *options)
        assert mixed.is_contiguous(memory_format=torch.channels_last)


def test_alphas_of_zero_leave_the_batch_as_it_is():
    images, targets, index = _batch(6)
    batch = Batch(images, targets, index, index, torch.tensor(1.0))
    for per_image in (False, True):
        assert mix(batch, 5, (0, 9), Mixup(), CutMix(), Mixing(per_image=per_image)) is batch


def test_pixels_of_the_partner_lie_in_the_box_and_nowhere_else():
    """CutMix per image: the pixels that changed form the rectangle of ``cutmix_box``, rows and columns."""
    position = torch.arange(8)
    images = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 16, 12).contiguous()
    batch = Batch(images, position % 4, position, position, torch.tensor(1.0))
    cutmix, mixing = CutMix(alpha=1.0), Mixing(per_image=True)
    mixed = mix(batch, 4, (0, 5), Mixup(), cutmix, mixing)
    draws = draw_images((0, 5), 8, Mixup(), cutmix, mixing)
    for number in range(8):
        expected = torch.zeros(16, 12, dtype=torch.bool)
        top, bottom, left, right = cutmix_box(16, 12, draws.share[number].item(), tuple(draws.center[number].tolist()))
        expected[top:bottom, left:right] = True
        assert torch.equal(mixed.images[number, 0] != images[number, 0], expected)


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (Mixup, {"alpha": -1}, r"data\.mixup\.alpha"),
        (CutMix, {"probability": 2}, r"data\.cutmix\.probability"),
        (Mixing, {"switch_probability": 2}, r"data\.mixing\.switch_probability"),
        (Mixing, {"stop_epoch": -3}, r"data\.mixing\.stop_epoch"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
