"""Two canvases blend, and the boxes of both remain with the shares of their images."""

import pytest
import torch

from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup, draw_images
from lit_cnn.detection.box_mixup import BoxMixup, mix_boxes
from lit_cnn.detection.boxes import BoxBatch

KEY = (3, 17)


def _batch(counts, index=None, first=0, images=None):
    """Images n of constant level n with ``counts[n]`` boxes each, whose label is the image's position."""
    number = len(counts)
    position = torch.arange(first, first + number)
    rows = torch.repeat_interleave(torch.arange(number), torch.tensor(counts))
    boxes = torch.stack([position[rows].float(), torch.arange(len(rows)).float()], 1).repeat(1, 2) + torch.tensor(
        [0.0, 0.0, 5.0, 5.0]
    )
    if images is None:
        images = position.float().view(-1, 1, 1, 1).expand(number, 3, 4, 4).clone()
    return BoxBatch(
        images=images,
        boxes=boxes,
        labels=position[rows],
        rows=rows,
        shares=torch.ones(len(rows)),
        scales=torch.ones(number),
        offsets=torch.zeros(number, 2),
        index=torch.arange(number) if index is None else torch.tensor(index),
        position=position,
        weight=torch.tensor(1.0),
    )


def _shares(count, mixup):
    return draw_images(KEY, count, Mixup(mixup.alpha, mixup.probability), CutMix(), Mixing()).share


def test_a_pair_by_hand():
    mixup = BoxMixup(1.5)
    first, second = _shares(2, mixup).tolist()
    batch = _batch([2, 1])
    mixed = mix_boxes(batch, mixup, KEY)
    assert mixed.images[0].unique().tolist() == pytest.approx([(1 - first) * 1])  # levels 0 and 1
    assert mixed.images[1].unique().tolist() == pytest.approx([second * 1])
    assert mixed.rows.tolist() == [0, 0, 0, 1, 1, 1]
    assert mixed.labels.tolist() == [0, 0, 1, 1, 0, 0]
    expected = [first, first, 1 - first, second, 1 - second, 1 - second]
    torch.testing.assert_close(mixed.shares, torch.tensor(expected))
    assert torch.equal(mixed.boxes, batch.boxes[[0, 1, 2, 2, 0, 1]])
    for name in ("scales", "offsets", "index", "position", "weight"):
        assert getattr(mixed, name) is getattr(batch, name)


def test_boxes_have_the_shares_that_their_pixels_have():
    mixup = BoxMixup(0.7, probability=0.6)
    mixed = mix_boxes(_batch([1] * 12), mixup, KEY)
    assert len(mixed.rows) > 12
    for row in range(12):
        own = mixed.rows == row
        assert mixed.shares[own].sum().item() == pytest.approx(1.0)
        level = (mixed.shares[own] * mixed.labels[own]).sum().item()  # the label is the image's level
        assert mixed.images[row].mean().item() == pytest.approx(level, abs=1e-5)


def test_rows_ascend_and_own_boxes_come_first():
    mixed = mix_boxes(_batch([3, 0, 2, 2, 0, 0, 1]), BoxMixup(1.0), KEY)
    assert (mixed.rows.diff() >= 0).all()
    assert mixed.labels.tolist() == [0, 0, 0, 0, 0, 0, 2, 2, 3, 3, 3, 3, 2, 2, 6]
    assert mixed.boxes.dtype == mixed.shares.dtype == torch.float32


def test_an_image_without_boxes_lends_only_its_pixels():
    mixup = BoxMixup(1.0)
    mixed = mix_boxes(_batch([1, 0]), mixup, KEY)
    first, second = _shares(2, mixup).tolist()
    assert mixed.rows.tolist() == [0, 1]
    torch.testing.assert_close(mixed.shares, torch.tensor([first, 1 - second]))


@pytest.mark.parametrize("index", [[0, 1, -1, 3, 4], [0, 1, 2, -2, 4]])
def test_padding_skipped_and_odd_last_images_stay_as_they_are(index):
    batch = _batch([1, 1, 0, 1, 1], index)
    mixed = mix_boxes(batch, BoxMixup(1.0), KEY)
    assert torch.equal(mixed.images[2:], batch.images[2:])
    for row in (2, 3, 4):
        assert mixed.shares[mixed.rows == row].tolist() == [1.0] * (batch.rows == row).sum().item()
    assert (mixed.rows == 0).sum() == 2


def test_micro_batches_of_even_size_give_the_whole_batch():
    counts = [2, 1, 0, 3, 1, 1]
    whole = mix_boxes(_batch(counts), BoxMixup(1.5), KEY)
    parts = [mix_boxes(_batch(counts[at : at + 2], first=at), BoxMixup(1.5), KEY) for at in (0, 2, 4)]
    assert torch.equal(whole.images, torch.cat([part.images for part in parts]))
    assert torch.equal(whole.shares, torch.cat([part.shares for part in parts]))
    assert torch.equal(whole.labels, torch.cat([part.labels for part in parts]))


def test_keyed_by_seed_and_step_without_ambient_draws():
    state = torch.get_rng_state()
    first, second, later = (mix_boxes(_batch([1, 1]), BoxMixup(1.0), key) for key in (KEY, KEY, (3, 18)))
    assert torch.equal(first.shares, second.shares)
    assert not torch.equal(first.shares, later.shares)
    assert torch.equal(torch.get_rng_state(), state)


def test_shares_of_the_batch_are_multiplied():
    batch = _batch([1, 1])._replace(shares=torch.tensor([0.5, 1.0]))
    mixup = BoxMixup(1.0)
    first, second = _shares(2, mixup).tolist()
    mixed = mix_boxes(batch, mixup, KEY)
    torch.testing.assert_close(mixed.shares, torch.tensor([0.5 * first, 1 - first, second, 0.5 * (1 - second)]))


def test_uint8_images_are_rounded_and_stay_uint8():
    images = torch.tensor([10, 200], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 4, 4).clone()
    mixup = BoxMixup(1.0)
    mixed = mix_boxes(_batch([1, 1], images=images), mixup, KEY)
    assert mixed.images.dtype == torch.uint8
    assert mixed.images[0].unique().tolist() == [round(200 - 190 * _shares(2, mixup)[0])]


def test_off_and_empty_batches_stay_as_they_are():
    batch = _batch([1, 2])
    assert mix_boxes(batch, BoxMixup(), KEY) is batch
    none = mix_boxes(_batch([1, 2]), BoxMixup(1.0, probability=0.0), KEY)
    assert torch.equal(none.images, batch.images)
    assert none.shares.tolist() == [1.0] * 3
    bare = mix_boxes(_batch([0, 0]), BoxMixup(1.0), KEY)
    assert bare.boxes.shape == (0, 4)


def test_mixup_stops_at_its_epoch():
    assert [BoxMixup(1.0, stop_epoch=2).active(epoch) for epoch in (0, 1, 2)] == [True, True, False]
    assert BoxMixup(1.0).active(1000)
    assert not BoxMixup(0.0).active(0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"alpha": -1}, r"data.mixup.alpha is -1 but must be 0 \(off\) or positive"),
        ({"probability": 2}, "data.mixup.probability is 2 but must be a probability between 0 and 1"),
        ({"stop_epoch": -1}, "data.mixup.stop_epoch is -1 but must be null or an epoch number"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(values, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        BoxMixup(**values)
