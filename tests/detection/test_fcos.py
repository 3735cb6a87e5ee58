"""FCOS's matching and losses against torchvision's, and by hand."""

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.fcos import FCOS

from lit_cnn.detection.anchors import Anchors
from lit_cnn.detection.dense_head import HeadOutputs
from lit_cnn.detection.fcos import FCOSHead, FCOSSettings
from lit_cnn.detection.targets import BACKGROUND, ImageBoxes, assign

STRIDES = (8, 16)
GRIDS = [(8, 8), (4, 4)]


def head(**settings: float | str) -> FCOSHead:
    return FCOSHead(32, 3, STRIDES, FCOSSettings(depth=1, **settings))  # type: ignore[arg-type]


def anchors() -> list[Tensor]:
    return head().anchors.boxes(GRIDS, torch.device("cpu"))


def test_a_position_belongs_to_the_smallest_box_around_it_of_its_levels_size() -> None:
    """Centers at multiples of 8 and 16; up to 64 px from a side is the fine level's."""
    boxes = torch.tensor([[2.0, 2, 22, 22], [0, 0, 60, 60], [30.0, 30, 31, 31], [-40, -40, 110, 110]])
    match = head().match(anchors(), boxes)
    fine, coarse = match[:64].view(8, 8), match[64:].view(4, 4)
    assert (fine[1, 1], fine[1, 2], fine[2, 1], fine[2, 2]) == (0, 0, 0, 0)
    assert fine[3, 3] == 1  # (24, 24) lies outside the first
    assert fine[0, 0] == BACKGROUND  # on a corner: not inside
    assert not (match == 2).any()  # between all positions
    assert (coarse == 3).any()
    assert not (fine == 3).any()


def test_no_box_leaves_background_alone() -> None:
    assert head().match(anchors(), torch.zeros(0, 4)).eq(BACKGROUND).all()


def test_boxes_without_a_position_of_their_own_are_not_reached() -> None:
    boxes = torch.tensor([[2.0, 2, 22, 22], [30.0, 30, 31, 31]])
    assert head().reached(anchors(), boxes).tolist() == [True, False]
    assert head().reached(anchors(), boxes[:0]).shape == (0,)


def test_losses_of_one_position_are_those_of_the_formulas() -> None:
    module = head(focal_alpha=0.25, focal_gamma=2.0)
    levels = [torch.tensor([[-4.0, -4, 4, 4]])]  # of stride 8 at the origin
    image = ImageBoxes(torch.tensor([[-8.0, -4, 24, 4]]), torch.tensor([1]), torch.tensor([0.5]))
    assignment = assign([torch.tensor([0])], [image], torch.tensor([True]))
    outputs = HeadOutputs(torch.zeros(1, 1, 3), torch.tensor([[[1.0, 0.5, 3.0, 0.5]]]), torch.zeros(1, 1, 1))
    losses = module.losses(outputs, levels, assignment, torch.tensor([2.0]))
    nats = torch.tensor(2.0).log().item()  # cross-entropy of probability 1/2
    assert losses["classification"].item() == pytest.approx((0.25 + 0.75 * 2) * 0.25 * nats)
    assert losses["box"].item() == pytest.approx(0.0, abs=1e-6)  # the box itself: 8 to the left, 24 to the right
    assert losses["centerness"].item() == pytest.approx(nats)  # whatever is wanted


def test_wanted_centerness_is_1_at_the_center_and_the_papers_root_elsewhere() -> None:
    boxes = torch.tensor([[-8.0, -4, 8, 4], [-8.0, -4, 24, 4]])
    found = head()._centerness(torch.tensor([[-4.0, -4, 4, 4]] * 2), boxes)
    assert found.tolist() == pytest.approx([1.0, (8 / 24) ** 0.5])


class Maps(nn.Module):
    """A backbone whose maps are given."""

    out_channels = 32

    def __init__(self, maps: list[Tensor]) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, _: Tensor) -> OrderedDict[str, Tensor]:
        return OrderedDict((str(number), x) for number, x in enumerate(self.maps))


def test_matches_are_torchvisions() -> None:
    """Areas differ by more than 8 square pixels, below which torchvision's float32 takes boxes for equal."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(40, 2, generator=generator) * 50
    boxes = torch.cat([corners, corners + 4 + torch.rand(40, 2, generator=generator) * 90], 1)
    module, levels = head(), anchors()
    theirs = FCOS(Maps([]), 3, anchor_generator=Anchors([(8,), (16,)], (1.0,), STRIDES).generator)
    kept: list[Tensor] = []
    theirs.head.compute_loss = lambda *arguments: kept.extend(arguments[3])  # type: ignore[method-assign]
    target = {"boxes": boxes, "labels": torch.zeros(40, dtype=torch.int64)}
    theirs.compute_loss([target], {}, [torch.cat(levels)], [len(level) for level in levels])
    ours = module.match(levels, boxes)
    assert torch.equal(kept[0], ours)
    assert len(ours.unique()) > 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": -1}, "fcos.depth must be at least 0, got -1"),
        ({"prior_probability": 0.0}, "fcos.prior_probability must be between 0 and 1, got 0.0"),
        ({"focal_alpha": 1.0}, "fcos.focal_alpha must be between 0 and 1, got 1.0"),
        ({"focal_gamma": -1.0}, "fcos.focal_gamma must be at least 0, got -1.0"),
        ({"center_radius": 0.0}, "fcos.center_radius must be positive, got 0.0"),
        ({"normalizer": "sum"}, "fcos.normalizer must be image or batch or global, got 'sum'"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FCOSSettings(**settings)


def test_a_width_that_groups_cannot_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="width to a multiple of 32, got 80"):
        FCOSHead(80, 3, STRIDES, FCOSSettings())
