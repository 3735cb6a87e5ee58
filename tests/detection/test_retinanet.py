"""RetinaNet's head: anchors, matching, each of its losses, its norms."""

import math
from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.retinanet import _default_anchorgen

from lit_cnn.detection.dense_head import HeadOutputs
from lit_cnn.detection.retinanet import Branch, RetinaNetHead, RetinaNetSettings
from lit_cnn.detection.targets import BACKGROUND, IGNORED, ImageBoxes, assign

CPU = torch.device("cpu")
LEVELS = [torch.tensor([[0.0, 0, 20, 20], [40, 0, 60, 20]]), torch.tensor([[0.0, 0, 40, 40]])]


def head(strides: Sequence[int] = (8, 16), **settings: float | str) -> RetinaNetHead:
    return RetinaNetHead(32, 3, strides, RetinaNetSettings(depth=1, **settings))  # type: ignore[arg-type]


def test_anchors_are_torchvisions_by_default() -> None:
    ours, theirs = head((8, 16, 32, 64, 128)).anchors, _default_anchorgen()
    assert ours.generator.sizes == theirs.sizes
    assert ours.generator.aspect_ratios == theirs.aspect_ratios
    assert ours.per_position == 9


def test_smaller_anchors_for_smaller_objects() -> None:
    anchors = head(anchor_scale=1.0, scales_per_level=1).anchors
    squares = anchors.boxes([(1, 1), (1, 1)], CPU)
    assert squares[0][1].tolist() == [-4, -4, 4, 4]
    assert squares[1][1].tolist() == [-8, -8, 8, 8]


def test_anchors_take_the_box_they_overlap_most() -> None:
    boxes = torch.tensor([[0.0, 0, 18, 20], [0.0, 0, 26, 40], [500.0, 500, 501, 501]])
    match = head().match(LEVELS, boxes)
    assert match.tolist() == [0, BACKGROUND, 1]  # the last box, far from all, makes none of them its own
    near = head().match(LEVELS, torch.tensor([[0.0, 0, 20, 20], [0.0, 0, 20, 9]]))
    assert near.tolist() == [0, BACKGROUND, BACKGROUND]
    ignored = head().match([torch.tensor([[0.0, 0, 20, 20], [0.0, 0, 20, 9]])], torch.tensor([[0.0, 0, 20, 20]]))
    assert ignored.tolist() == [0, IGNORED]  # an IoU of 0.45
    assert head().match(LEVELS, torch.zeros(0, 4)).tolist() == [BACKGROUND] * 3


def test_a_box_that_no_anchor_fits_gets_its_best_one_but_is_not_reached() -> None:
    boxes = torch.tensor([[40.0, 0, 50, 9], [0.0, 0, 39, 39]])
    assert head().match(LEVELS, boxes).tolist() == [BACKGROUND, 0, 1]
    assert head().reached(LEVELS, boxes).tolist() == [False, True]
    assert head().reached(LEVELS, boxes[:0]).shape == (0,)


def box_loss(**settings: float | str) -> float:
    """Of a box 1.2 times as wide as its anchor and 2 px to the right of it, at a weight of 0.5 and a factor of 3."""
    module = head(**settings)
    image = ImageBoxes(torch.tensor([[0.0, 0, 24, 20]]), torch.tensor([2]), torch.tensor([0.5]))
    assignment = assign([torch.tensor([0, -1, -1])], [image], torch.tensor([True]))
    outputs = HeadOutputs(torch.zeros(1, 3, 3), torch.zeros(1, 3, 4))
    return module.losses(outputs, LEVELS, assignment, torch.tensor([3.0]))["box"].item()


def test_box_losses_are_those_of_the_formulas() -> None:
    shift, scale = 0.1, math.log(1.2)
    assert box_loss() == pytest.approx(1.5 * (shift + scale), rel=1e-5)
    assert box_loss(box_loss="huber", huber_delta=0.15, box_weight=50.0) == pytest.approx(
        1.5 * 50 * (shift**2 / 2 + 0.15 * (scale - 0.075)) / 4, rel=1e-5
    )
    assert box_loss(box_loss="giou") == pytest.approx(1.5 * (1 - 20 / 24), rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 1.5])
def test_focal_loss_has_the_stated_exponent(gamma: float) -> None:
    module = head(focal_gamma=gamma, focal_alpha=0.3)
    image = ImageBoxes(LEVELS[0][:1], torch.tensor([2]), torch.tensor([1.0]))
    assignment = assign([torch.tensor([0, BACKGROUND, IGNORED])], [image], torch.tensor([True]))
    logits = torch.tensor([[[0.5, -1.0, 2.0], [1.0, -2.0, 0.0], [9.0, 9.0, 9.0]]])
    losses = module.losses(HeadOutputs(logits, torch.zeros(1, 3, 4)), LEVELS, assignment, torch.tensor([0.5]))
    expected = 0.0
    for row, column, wanted in [(0, 0, 0), (0, 1, 0), (0, 2, 1), (1, 0, 0), (1, 1, 0), (1, 2, 0)]:
        p = torch.sigmoid(logits[0, row, column]).item()
        expected -= 0.3 * (1 - p) ** gamma * math.log(p) if wanted else 0.7 * p**gamma * math.log(1 - p)
    assert losses["classification"].item() == pytest.approx(expected / 2, rel=1e-5)


def test_the_class_branch_starts_with_the_prior_probability() -> None:
    with torch.no_grad():
        scores = head(prior_probability=0.2)([torch.zeros(1, 32, 2, 2), torch.zeros(1, 32, 1, 1)]).logits.sigmoid()
    assert scores.shape == (1, 9 * 5, 3)
    assert torch.allclose(scores, torch.tensor(0.2))


def test_a_branch_puts_the_anchors_of_a_position_side_by_side() -> None:
    branch = Branch(4, 2, 3, 1, RetinaNetSettings(depth=0))
    x = torch.randn(1, 4, 2, 3)
    expected = branch.last(x)[0].reshape(2, 3, 6)  # anchors, outputs, positions
    with torch.no_grad():
        assert torch.allclose(branch([x])[0].reshape(6, 2, 3), expected.permute(2, 0, 1))


def test_batch_norms_are_each_levels_own_and_group_norms_shared() -> None:
    def norms(kind: str, layer: type[nn.Module]) -> int:
        module = RetinaNetHead(32, 3, (8, 16, 32), RetinaNetSettings(depth=2, norm=kind))  # type: ignore[arg-type]
        return sum(isinstance(found, layer) for found in module.modules())

    assert norms("batch", nn.BatchNorm2d) == 2 * 2 * 3
    assert norms("group", nn.GroupNorm) == 2 * 2
    assert norms("none", nn.BatchNorm2d) == norms("none", nn.GroupNorm) == 0
    branch = Branch(4, 1, 4, 2, RetinaNetSettings(depth=1, norm="batch"))
    maps = [torch.randn(2, 4, 4, 4), 5 + torch.randn(2, 4, 2, 2)]
    layer, last = branch.convs[0], branch.last

    def expected(x: Tensor) -> Tensor:
        return last(F.relu(F.batch_norm(layer(x), None, None, training=True))).flatten(2).transpose(1, 2)

    assert torch.allclose(branch(maps), torch.cat([expected(x) for x in maps], 1), atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"anchor_scale": 0.0}, "retinanet.anchor_scale must be positive, got 0.0"),
        ({"depth": -1}, "retinanet.depth must be at least 0, got -1"),
        ({"prior_probability": 1.0}, "retinanet.prior_probability must be between 0 and 1, got 1.0"),
        ({"aspect_ratios": (1.0, -1.0)}, r"retinanet.aspect_ratios must be positive, got \[1.0, -1.0\]"),
        ({"negative_iou": 0.6}, "negative_iou must be in .* not above retinanet.positive_iou, got 0.6 and 0.5"),
        ({"box_loss": "iou"}, "retinanet.box_loss must be l1 or huber or giou, got 'iou'"),
        ({"normalizer": "sum"}, "retinanet.normalizer must be image or batch or global, got 'sum'"),
        ({"norm": "layer"}, "retinanet.norm must be none or batch or group, got 'layer'"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RetinaNetSettings(**settings)
