"""Faster R-CNN: gradients, counts, torchvision's losses and boxes, labels, padding, shares, precision, draws."""

import math
from collections import OrderedDict
from typing import Any

import pytest
import torch
from detector_parts import AsTheyAre, made_batch, total
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN as Reference
from torchvision.models.detection.anchor_utils import AnchorGenerator

from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.architectures.layers.keyed import set_random_key
from lit_cnn.architectures.meta import on_meta
from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.faster_rcnn import FasterRCNN
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.networks import create_detector
from lit_cnn.detection.pyramid import PyramidSettings

CANVAS = (64, 128)
PAPER = PyramidSettings(strides=(4, 8, 16, 32), top="pool")
ALL = DecodingSettings(score_threshold=0.0, nms_threshold=0.5, candidates=10_000)
LOSSES = {"objectness", "proposal_box", "classification", "box"}


def detector(canvas: tuple[int, int] = CANVAS, width: int = 16, **settings: Any) -> FasterRCNN:
    """On an eighth of a ResNet-18, small, with anchors from 16 px on and outputs that differ from place to place."""
    torch.manual_seed(0)
    small: dict[str, Any] = {
        "anchor_scale": 4.0,
        "anchors_per_image": 32,
        "training_proposals": 60,
        "proposals": 40,
        "proposals_per_image": 16,
        "hidden": 32,
    }
    network = create_detector(
        "faster_rcnn",
        "resnet18",
        3,
        canvas,
        options=NetworkOptions(width_multiplier=0.125),
        pyramid=PyramidSettings(width=width, strides=(4, 8, 16, 32), top="pool"),
        faster_rcnn=FasterRCNNSettings(**(small | settings)),
        decoding=ALL,
    )
    assert isinstance(network, FasterRCNN)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1 and not name.startswith("pyramid"):
            scale = 0.1 if "box_predictor" in name else 1.0  # scores below 1, no two the same
            nn.init.normal_(parameter, std=scale / math.sqrt(parameter[0].numel()))
    return network


def batch(images: int = 3, canvas: tuple[int, int] = CANVAS) -> BoxBatch:
    return made_batch(images, canvas)


def losses(network: FasterRCNN, data: BoxBatch, step: int = 0) -> dict[str, Tensor]:
    set_random_key(network, seed=0, step=step, positions=data.position)
    return network.losses(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param("resnet50", marks=pytest.mark.slow),
        "mobilenet_v2",
        pytest.param("efficientnet_b0", marks=pytest.mark.slow),
    ],
)
def test_every_parameter_gets_a_gradient(architecture: str) -> None:
    pyramid = PyramidSettings(width=16, strides=(4, 8, 16, 32), top="pool")
    network = create_detector(
        "faster_rcnn", architecture, 3, CANVAS, pyramid=pyramid, faster_rcnn=FasterRCNNSettings(hidden=32)
    )
    found = network.losses(batch(2))
    assert found.keys() == LOSSES
    assert all(loss.dim() == 0 and loss.dtype == torch.float32 and loss > 0 for loss in found.values())
    total(found).backward()
    assert [key for key, parameter in network.named_parameters() if parameter.grad is None] == []


def test_images_without_boxes_train_the_background() -> None:
    network, whole = detector(), batch(1)
    empty = whole._replace(boxes=torch.zeros(0, 4), labels=whole.labels[:0], rows=whole.rows[:0], shares=torch.zeros(0))
    found = losses(network, empty)
    total(found).backward()
    assert found["objectness"] > 0
    assert found["classification"] > 0
    assert found["proposal_box"] == found["box"] == 0
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_parameters_at_91_classes_are_torchvisions() -> None:
    with on_meta():
        network = create_detector("faster_rcnn", "resnet50", 90, (64, 64), pyramid=PAPER)
    norms = [module for module in network.backbone.modules() if isinstance(module, BATCH_NORMS)]
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 41_808_406  # torchvision's 91 classes have the background among them
    assert count - sum(parameter.numel() for norm in norms for parameter in norm.parameters()) == 41_755_286


class Wrapped(nn.Module):
    """A pyramid as torchvision wants a backbone."""

    def __init__(self, pyramid: nn.Module, width: int) -> None:
        super().__init__()
        self.pyramid, self.out_channels = pyramid, width

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        maps = self.pyramid(images)
        return OrderedDict(zip(["0", "1", "2", "3", "pool"], maps, strict=True))


class SameDraws:
    """Our sampler with torchvision's interface."""

    def __init__(self, sampler: nn.Module) -> None:
        self.sampler = sampler

    def __call__(self, labels: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        positive, background = [x >= 1 for x in labels], [x == 0 for x in labels]
        drawn = self.sampler(positive, background)
        pairs = zip(drawn, positive, background, strict=True)
        masks = [(mask & objects, mask & rest) for mask, objects, rest in pairs]
        return [mask for mask, _ in masks], [mask for _, mask in masks]


def reference(ours: FasterRCNN) -> Any:
    sizes = tuple((4 * stride,) for stride in ours.pyramid.strides)
    settings = ours.settings
    theirs: Any = Reference(
        Wrapped(ours.pyramid, 16),
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
        rpn_pre_nms_top_n_train=settings.training_proposals,
        rpn_post_nms_top_n_train=settings.training_proposals,
        rpn_pre_nms_top_n_test=settings.proposals,
        rpn_post_nms_top_n_test=settings.proposals,
        box_head=ours.regions.box_head,
        box_predictor=ours.regions.box_predictor,
        box_score_thresh=0.0,
    )
    theirs.rpn.head = ours.rpn.head
    theirs.transform = AsTheyAre()
    theirs.rpn.fg_bg_sampler = SameDraws(ours.rpn.sampler)
    theirs.roi_heads.fg_bg_sampler = SameDraws(ours.regions.sampler)
    return theirs


def test_losses_and_boxes_are_torchvisions() -> None:
    """On a canvas of which every level has the side that its stride says, as torchvision needs."""
    ours, data = detector((128, 256)), batch(3, (128, 256))
    theirs = reference(ours)
    targets = [{"boxes": data.boxes[data.rows == n], "labels": data.labels[data.rows == n] + 1} for n in range(3)]
    found = losses(ours.train(), data)
    expected = theirs.train()(list(data.images), targets)
    names = {
        "objectness": "loss_objectness",
        "proposal_box": "loss_rpn_box_reg",
        "classification": "loss_classifier",
        "box": "loss_box_reg",
    }
    assert {names[key] for key in found} == expected.keys()
    assert all(found[key].item() == pytest.approx(expected[names[key]].item(), rel=1e-5) for key in found)
    assert all(loss > 0 for loss in found.values())
    with torch.no_grad():
        boxes, wanted = ours.eval().detect(data.images), theirs.eval()(list(data.images))
    for mine, other in zip(boxes, wanted, strict=True):
        assert len(mine.boxes) > 20
        assert len(mine.labels.unique()) > 1
        assert torch.allclose(mine.scores, other["scores"], atol=1e-6)
        apart = torch.cdist(mine.boxes, other["boxes"], p=math.inf)  # equal scores may stand in any order
        assert max(apart.amin(0).max(), apart.amin(1).max()) < 1e-3
        assert torch.equal(mine.labels, other["labels"] - 1)


@pytest.mark.parametrize("label", [0, 2])
def test_labels_stand_one_column_behind_the_background(label: int) -> None:
    network = detector().eval()
    data, last = batch(2), network.regions.box_predictor.cls_score
    losses(network, data._replace(labels=torch.full((3,), label)))["classification"].backward()
    assert last.bias.grad[1:].argmin() == label  # the one that has to rise
    with torch.no_grad():
        last.bias[label + 1] += 30
        network.decoding = DecodingSettings(score_threshold=0.05)
        assert all(found.labels.eq(label).all() and len(found.labels) for found in network.detect(data.images))
        last.bias[0] += 60
        assert all(len(found.labels) == 0 for found in network.detect(data.images))


def test_boxes_and_losses_under_bfloat16_are_float32() -> None:
    network = detector().eval()
    data = batch()
    with torch.no_grad():
        expected = losses(network, data)
        with torch.autocast("cpu", torch.bfloat16):
            first = network(data.images)
            found = network.detect(data.images)
            lost = losses(network, data)
    assert first.objectness.dtype == torch.bfloat16
    assert all(x.boxes.dtype == x.scores.dtype == torch.float32 for x in found)
    assert all(loss.dtype == torch.float32 for loss in lost.values())
    assert lost["objectness"].item() == pytest.approx(expected["objectness"].item(), rel=0.05)
    anchors = network.rpn.anchors.boxes([(x.shape[2], x.shape[3]) for x in first.maps], data.images.device)
    proposals = network.rpn.propose(first.objectness.float(), first.regression.float(), anchors, CANVAS)
    decoded = network.rpn.box_coder.decode_single(first.regression[0].float(), torch.cat(anchors))
    decoded = torch.stack([decoded[:, n].clamp(0, CANVAS[1] if n % 2 == 0 else CANVAS[0]) for n in range(4)], 1)
    assert torch.cdist(proposals[0], decoded, p=math.inf).amin(1).max() < 0.01
    assert all((x.boxes % 0.25).abs().gt(0.01).any() for x in found)


@pytest.mark.parametrize("normalizer", ["image", "batch", "global"])
def test_images_that_do_not_count_change_nothing(normalizer: str) -> None:
    network = detector(normalizer=normalizer).eval()
    whole = batch(3)
    rest = whole._replace(
        images=whole.images[[0, 2]],
        boxes=whole.boxes[:2],
        labels=whole.labels[:2],
        rows=whole.rows[:2],
        shares=whole.shares[:2],
        index=whole.index[[0, 2]],
        position=whole.position[[0, 2]],
    )
    found, expected = losses(network, whole._replace(index=torch.tensor([0, -1, 2]))), losses(network, rest)
    assert all(found[key].item() == pytest.approx(expected[key].item(), rel=1e-5) for key in LOSSES)
    nothing = losses(network, whole._replace(index=torch.full((3,), -2)))
    assert all(loss == 0 for loss in nothing.values())
    total(nothing).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_box_counts_by_its_share() -> None:
    """A box that weighs nothing leaves no trace in the losses; half of every object halves their part."""
    network, whole = detector().eval(), batch(2)
    without = losses(network, whole._replace(shares=torch.tensor([1.0, 1, 0])))
    changed = whole._replace(labels=torch.tensor([0, 2, 0]), shares=torch.tensor([1.0, 1, 0]))
    assert all(torch.equal(losses(network, changed)[key], without[key]) for key in LOSSES)
    full, half = losses(network, whole), losses(network, whole._replace(shares=torch.full((3,), 0.5)))
    for key in ("proposal_box", "box"):
        assert 0.5 * full[key] < half[key] < full[key]  # of fewer in all


def test_draws_depend_on_seed_step_and_position_alone() -> None:
    network, data = detector().eval(), batch(3)
    first = losses(network, data, step=1)
    torch.manual_seed(99)
    torch.rand(7)
    again = losses(network, data, step=1)
    assert all(torch.equal(first[key], again[key]) for key in LOSSES)
    assert not torch.equal(first["objectness"], losses(network, data, step=2)["objectness"])
    assert not torch.equal(
        first["objectness"], losses(network, data._replace(position=data.position + 5), 1)["objectness"]
    )


def test_what_is_drawn_of_an_image_does_not_depend_on_its_batch() -> None:
    """With the mean over images: that of two images is the mean of each alone, on whatever rank."""
    network, whole = detector(normalizer="image").eval(), batch(2)
    mean = losses(network, whole)
    alone = []
    for row in range(2):
        mine, image = whole.rows == row, slice(row, row + 1)
        part = whole._replace(
            images=whole.images[image],
            boxes=whole.boxes[mine],
            labels=whole.labels[mine],
            rows=whole.rows[mine] - row,
            shares=whole.shares[mine],
            index=whole.index[image],
            position=whole.position[image],
        )
        alone.append(losses(network, part))
    for key in LOSSES:
        assert mean[key].item() == pytest.approx((alone[0][key] + alone[1][key]).item() / 2, rel=1e-4)


def test_boxes_that_fit_no_anchor_are_told() -> None:
    boxes = [torch.tensor([[10.0, 12, 50, 60], [17.0, 17, 18, 18]]), torch.zeros(0, 4)]
    assert detector().reached(boxes).tolist() == [True, False]


@pytest.mark.slow
def test_what_is_compiled_is_one_graph() -> None:
    network = detector().eval()
    expected = losses(network, batch())
    network.compile(backend="eager", fullgraph=True, dynamic=False)
    found = losses(network, batch())
    assert all(found[key].item() == pytest.approx(expected[key].item(), rel=1e-5) for key in LOSSES)
