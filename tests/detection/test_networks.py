"""Whole detectors: gradients, counts, torchvision's losses and boxes, precision, labels, padding, shares, processes."""

import math
import multiprocessing
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from detector_parts import AsTheyAre, made_batch
from torch import Tensor, nn
from torchvision.models.detection import FCOS, RetinaNet, fcos_resnet50_fpn, retinanet_resnet50_fpn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.architectures.layers.keyed import random_layers, set_random_key
from lit_cnn.architectures.meta import on_meta
from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.fcos import FCOSSettings
from lit_cnn.detection.networks import DenseDetector, create_detector
from lit_cnn.detection.pyramid import PyramidSettings
from lit_cnn.detection.retinanet import RetinaNetSettings
from lit_cnn.training.weight_copying import copy_matching

DENSE = ("fcos", "retinanet")
CANVAS = (64, 96)
EVEN = (128, 256)  # of which every level has the side that its stride says, as torchvision needs
THIN = NetworkOptions(width_multiplier=0.125)
ALL = DecodingSettings(score_threshold=0.0, nms_threshold=0.6)


def detector(name: str, canvas: tuple[int, int] = CANVAS, **settings: Any) -> DenseDetector:
    """On an eighth of a ResNet-18, with classes and boxes that differ from place to place."""
    torch.manual_seed(0)
    arguments: dict[str, Any] = {"options": THIN, "pyramid": PyramidSettings(width=64), "decoding": ALL} | settings
    network = create_detector(name, "resnet18", 3, canvas, **arguments)
    assert isinstance(network, DenseDetector)
    loosen(network.head)
    return network


@torch.no_grad()
def loosen(head: nn.Module) -> None:
    """Weights that spread scores and boxes, which all start out nearly equal."""
    for parameter in head.parameters():
        if parameter.dim() == 4:
            nn.init.normal_(parameter, std=1.0 / math.sqrt(parameter[0].numel()))


def batch(images: int = 3, canvas: tuple[int, int] = CANVAS) -> BoxBatch:
    return made_batch(images, canvas)


slow = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param("resnet50", marks=slow),
        "mobilenet_v2",
        pytest.param("efficientnet_b0", marks=slow),
        pytest.param("nasnet_a_mobile", marks=slow),
    ],
)
def test_every_parameter_gets_a_gradient(name: str, architecture: str) -> None:
    network = create_detector(name, architecture, 3, (64, 64), pyramid=PyramidSettings(width=32))
    losses = network.losses(batch(2, (64, 64)))
    assert all(loss.dim() == 0 and loss.dtype == torch.float32 and loss > 0 for loss in losses.values())
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert [key for key, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("name", DENSE)
def test_images_without_boxes_train_the_background(name: str) -> None:
    network = detector(name)
    whole = batch(1)
    empty = whole._replace(boxes=torch.zeros(0, 4), labels=whole.labels[:0], rows=whole.rows[:0], shares=torch.zeros(0))
    losses = network.losses(empty)
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert losses["classification"] > 0
    assert losses["box"] == 0
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "count", "frozen"), [("fcos", 32_322_720, 32_269_600), ("retinanet", 34_068_119, 34_014_999)]
)
def test_parameters_at_91_classes_are_torchvisions(name: str, count: int, frozen: int) -> None:
    with on_meta():
        network = create_detector(name, "resnet50", 91, (64, 64))
    norms = [module for module in network.backbone.modules() if isinstance(module, BATCH_NORMS)]
    total = sum(parameter.numel() for parameter in network.parameters())
    assert total == count
    assert total - sum(parameter.numel() for norm in norms for parameter in norm.parameters()) == frozen


class Wrapped(nn.Module):
    """A pyramid as torchvision wants a backbone."""

    def __init__(self, pyramid: nn.Module, width: int) -> None:
        super().__init__()
        self.pyramid, self.out_channels = pyramid, width

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        return OrderedDict((str(number), x) for number, x in enumerate(self.pyramid(images)))


def copy_in_order(ours: nn.Module, theirs: nn.Module) -> None:
    values = list(ours.state_dict().values())
    theirs.load_state_dict(dict(zip(theirs.state_dict(), values, strict=True)))


def assert_same(ours: DenseDetector, theirs: Any) -> None:
    """Losses in training and detections in evaluation agree to float32's rounding."""
    theirs.transform = AsTheyAre()
    data = batch(3, EVEN)
    targets = [{"boxes": data.boxes[data.rows == n], "labels": data.labels[data.rows == n]} for n in range(3)]
    names = {"classification": "classification", "box": "bbox_regression", "centerness": "bbox_ctrness"}
    losses, expected = ours.train().losses(data), theirs.train()(list(data.images), targets)
    assert len(losses) == len(expected)
    for key, loss in losses.items():
        assert loss.item() == pytest.approx(expected[names[key]].item(), rel=1e-5)
    with torch.no_grad():
        found, wanted = ours.eval().detect(data.images), theirs.eval()(list(data.images))
    for mine, other in zip(found, wanted, strict=True):
        assert len(mine.boxes) == 100
        assert len(mine.labels.unique()) > 1
        assert mine.labels.dtype == torch.int64
        assert torch.allclose(mine.scores, other["scores"], atol=1e-6)
        assert torch.allclose(mine.boxes, other["boxes"], atol=1e-3)
        assert torch.equal(mine.labels, other["labels"])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reference"), [("fcos", FCOS), ("retinanet", RetinaNet)])
def test_losses_and_boxes_are_torchvisions(name: str, reference: type[nn.Module]) -> None:
    ours = detector(name, EVEN)
    thresholds = {"score_thresh": 0.0, "nms_thresh": 0.6, "detections_per_img": 100}
    theirs = reference(Wrapped(ours.pyramid, 64), 3, **thresholds)
    copy_in_order(ours.head, theirs.head)
    assert_same(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reference"), [("fcos", fcos_resnet50_fpn), ("retinanet", retinanet_resnet50_fpn)])
def test_whole_networks_agree_with_torchvisions(name: str, reference: Any) -> None:
    torch.manual_seed(0)
    ours = create_detector(name, "resnet50", 5, EVEN, decoding=ALL)
    assert isinstance(ours, DenseDetector)
    loosen(ours.head)
    thresholds = {"score_thresh": 0.0, "nms_thresh": 0.6, "detections_per_img": 100}
    theirs = reference(weights=None, weights_backbone=None, num_classes=5, **thresholds)
    copy_in_order(ours, theirs)
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("label", [0, 2])
def test_labels_count_columns_from_0_in_training_and_detection(name: str, label: int) -> None:
    network = detector(name).eval()
    last: Any = network.head.get_submodule(
        "classification_head.cls_logits" if name == "fcos" else "classification.last"
    )
    data = batch(2)
    network.losses(data._replace(labels=torch.full((3,), label)))["classification"].backward()
    assert last.bias.grad.view(-1, 3).sum(0).argmin() == label  # the one that has to rise
    with torch.no_grad():
        last.bias.view(-1, 3)[:, label] += 20
        assert all(found.labels.eq(label).all() for found in network.detect(data.images))


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSE)
def test_boxes_under_bfloat16_are_those_of_a_float32_decode(name: str) -> None:
    network = detector(name).eval()
    images = batch().images
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        raw, grids = network(images)
        found = network.detect(images)
        losses = network.losses(batch())
    assert raw.logits.dtype == torch.bfloat16
    assert all(x.boxes.dtype == x.scores.dtype == torch.float32 for x in found)
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    levels = network.head.anchors.boxes(grids, images.device)
    outputs = type(raw)(*(None if part is None else part.float() for part in raw))
    decoded = torch.cat([level.boxes for level in network.head.boxes(outputs, levels)[0]])
    height, width = CANVAS
    decoded = torch.stack([decoded[:, n].clamp(0, width if n % 2 == 0 else height) for n in range(4)], 1)
    assert torch.cdist(found[0].boxes, decoded, p=math.inf).amin(1).max() < 0.01
    assert decoded.frac().abs().gt(0.01).any()


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("normalizer", ["image", "batch", "global"])
def test_images_that_do_not_count_change_nothing(name: str, normalizer: Any) -> None:
    network = detector(name, **settings_with(normalizer)).eval()  # batch norm sees them in training, as elsewhere
    whole = batch(3)
    padded = whole._replace(index=torch.tensor([0, -1, 2]))
    rest = whole._replace(
        images=whole.images[[0, 2]],
        boxes=whole.boxes[:2],
        labels=whole.labels[:2],
        rows=whole.rows[:2],
        shares=whole.shares[:2],
        index=whole.index[[0, 2]],
    )
    found, expected = network.losses(padded), network.losses(rest)
    assert all(found[key].item() == pytest.approx(expected[key].item(), rel=1e-5) for key in expected)
    nothing = network.losses(whole._replace(index=torch.full((3,), -2)))
    assert all(loss == 0 for loss in nothing.values())


def settings_with(normalizer: Any) -> dict[str, Any]:
    return {"fcos": FCOSSettings(normalizer=normalizer), "retinanet": RetinaNetSettings(normalizer=normalizer)}


@pytest.mark.parametrize("name", DENSE)
def test_a_box_counts_by_its_share(name: str) -> None:
    """In the box loss, which has no background: the mean of the boxes' losses weighted by anchors and shares."""
    network = detector(name, **settings_with("batch")).eval()
    whole = batch(2)

    def loss(*shares: float) -> float:
        return network.losses(whole._replace(shares=torch.tensor(shares)))["box"].item()

    first, second = loss(1.0, 0.0, 0.0), loss(0.0, 0.0, 1.0)
    both, mixed = loss(1.0, 0.0, 1.0), loss(1.0, 0.0, 0.25)
    share = (both - second) / (first - second)  # of the first box in the anchors
    assert 0 < share < 1
    assert mixed == pytest.approx(
        (share * first + 0.25 * (1 - share) * second) / (share + 0.25 * (1 - share)), rel=1e-4
    )
    assert loss(0.5, 0.5, 0.5) == pytest.approx(loss(1.0, 1.0, 1.0), rel=1e-5)


@pytest.mark.parametrize("name", DENSE)
def test_boxes_that_fit_no_anchor_are_told(name: str) -> None:
    network = detector(name)
    boxes = [
        torch.tensor([[10.0, 12, 50, 60], [17.0, 17, 18, 18]]),
        torch.zeros(0, 4),
        torch.tensor([[3.0, 5, 41, 33]]),
    ]
    assert network.reached(boxes).tolist() == [True, False, True]


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"canvas of 64x96 pixels \(height x width\), got images of 64x256"):
        detector("fcos").detect(torch.zeros(1, 3, 64, 256))


def test_thresholds_may_be_replaced() -> None:
    network = detector("fcos").eval()
    images = batch().images
    with torch.no_grad():
        few = network.detect(images)[0]
        network.decoding = replace(ALL, max_detections=7)
        assert torch.equal(network.detect(images)[0].boxes, few.boxes[:7])


def test_unknown_detectors_are_named() -> None:
    with pytest.raises(
        ValueError, match=r"model\.detector must be fcos or retinanet or faster_rcnn or ssd, got 'yolo'"
    ):
        create_detector("yolo", "resnet18", 3, CANVAS)


def test_random_layers_of_the_backbone_are_keyed() -> None:
    """The same key gives the same losses, another key others."""
    options = NetworkOptions(width_multiplier=0.125, drop_path=0.5)
    network = detector("fcos", options=options)
    assert len(random_layers(network.backbone)) > 0

    def loss(step: int) -> Tensor:
        set_random_key(network.backbone, seed=0, step=step, positions=torch.arange(3))
        return network.losses(batch())["box"].detach()

    assert torch.equal(loss(0), loss(0))
    assert not torch.equal(loss(0), loss(1))


def test_the_backbone_takes_a_classifiers_weights_by_their_names() -> None:
    classifier = create_model("resnet18", num_classes=20, width_multiplier=0.125)
    network = detector("fcos")
    stored = [str(number) for number in range(20)]
    said = copy_matching(network.backbone, classifier.state_dict(), stored, ())
    tensors = len(network.backbone.state_dict())
    assert said.startswith(f"copied {tensors} of {tensors} tensors")
    values = network.backbone.state_dict()
    assert all(torch.equal(values[name], classifier.state_dict()[name]) for name in values)


def test_channels_last_gives_the_same_losses() -> None:
    network, data = detector("retinanet").eval(), batch()
    expected = network.losses(data)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = network.losses(data._replace(images=data.images.contiguous(memory_format=torch.channels_last)))
    assert all(found[key].item() == pytest.approx(expected[key].item(), rel=1e-4) for key in expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSE)
def test_what_is_compiled_is_one_graph(name: str) -> None:
    network = detector(name).eval()
    expected = network.losses(batch())
    network.compile(backend="eager", fullgraph=True, dynamic=False)
    found = network.losses(batch())
    assert all(found[key].item() == pytest.approx(expected[key].item(), rel=1e-5) for key in expected)


def lose_part(rank: int, folder: str, name: str) -> None:
    """Rank 0 has the image of two boxes, rank 1 one with a box and one without; gradients are averaged as DDP does."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    network, whole = evaluated(detector(name, **settings_with("global"))), batch(3)
    rows = torch.tensor([0] if rank == 0 else [1, 2])
    mine = torch.isin(whole.rows, rows)
    part = whole._replace(
        images=whole.images[rows],
        boxes=whole.boxes[mine],
        labels=whole.labels[mine],
        rows=whole.rows[mine] - rank,
        shares=whole.shares[mine],
        index=whole.index[rows],
    )
    loss = torch.stack(list(network.losses(part).values())).sum() * (len(rows) * 2 / 3)
    loss.backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None])
    for value in (loss := loss.detach(), gradient):
        torch.distributed.all_reduce(value)
    torch.save((loss / 2, gradient / 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def evaluated(network: DenseDetector) -> DenseDetector:
    """In training, but with fixed statistics: a process's own would differ from the whole batch's."""
    for module in network.train().modules():
        if isinstance(module, BATCH_NORMS):
            module.eval()
    return network


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSE)
def test_two_processes_train_as_one(name: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=lose_part, args=(rank, str(tmp_path), name)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    network = evaluated(detector(name, **settings_with("global")))
    loss = torch.stack(list(network.losses(batch(3)).values())).sum()
    loss.backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None])
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found[0].item() == pytest.approx(loss.item(), rel=1e-5)
        assert (found[1] - gradient).abs().max() < 1e-4 * gradient.abs().max()
