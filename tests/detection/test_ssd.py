"""SSD: maps, counts, gradients, torchvision's losses and boxes, labels, padding, shares, images without boxes."""

import math
from typing import Any

import pytest
import torch
from detector_parts import AsTheyAre, made_batch, total
from found_boxes import image, split
from torch import nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import ssd300_vgg16

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.vgg import VGG
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.networks import DenseDetector, create_detector
from lit_cnn.detection.ssd import DefaultBoxes, announce_images_without_boxes
from lit_cnn.detection.ssd_maps import VGGMaps, ssd_maps
from lit_cnn.detection.ssd_settings import SSDSettings

CANVAS = (64, 128)
ALL = DecodingSettings(score_threshold=0.0, nms_threshold=0.45, candidates=100_000)
PAPER_SIDES = [38, 19, 10, 5, 3, 1]


def detector(**settings: Any) -> DenseDetector:
    """On an eighth of a ResNet-18, in evaluation, with outputs that differ from place to place."""
    torch.manual_seed(0)
    options = NetworkOptions(width_multiplier=0.125)
    network = create_detector("ssd", "resnet18", 3, CANVAS, options, decoding=ALL, ssd=SSDSettings(**settings))
    assert isinstance(network, DenseDetector)
    loosen(network.head)
    return network.eval()


@torch.no_grad()
def loosen(head: nn.Module) -> None:
    for parameter in head.parameters():
        if parameter.dim() == 4:
            nn.init.normal_(parameter, std=0.3 / math.sqrt(parameter[0].numel()))


def last_biases(network: DenseDetector) -> list[nn.Parameter]:
    return [layer.bias for layer in network.head.layers.classification_head.module_list]  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param("resnet50", marks=pytest.mark.slow),
        "mobilenet_v2",
        pytest.param("efficientnet_b0", marks=pytest.mark.slow),
        pytest.param("vgg16", marks=pytest.mark.slow),
    ],
)
def test_every_parameter_gets_a_gradient(architecture: str) -> None:
    options = NetworkOptions(weight_init="he") if architecture == "vgg16" else NetworkOptions()
    network = create_detector("ssd", architecture, 3, CANVAS, options)
    found = network.losses(made_batch(2, CANVAS))
    assert found.keys() == {"classification", "box"}
    assert all(loss.dim() == 0 and loss.dtype == torch.float32 and loss > 0 for loss in found.values())
    total(found).backward()
    assert [key for key, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("architecture", ["vgg16", "resnet50"])
def test_maps_at_300_pixels_are_the_papers(architecture: str) -> None:
    with on_meta():
        maps = ssd_maps(create_model(architecture, num_classes=0), architecture, (8, 16, 32), 6, (300, 300))
    assert maps.grids((300, 300)) == [(side, side) for side in PAPER_SIDES]
    assert maps.channels == [512, 1024, *((512,) if architecture == "vgg16" else (2048,)), 256, 256, 256]


def test_parameters_on_vgg_at_91_classes_are_torchvisions() -> None:
    with on_meta():
        network = create_detector("ssd", "vgg16", 90, (300, 300))
    assert sum(parameter.numel() for parameter in network.parameters()) == 35_641_826  # 91 with the background


def test_more_maps_of_the_network_than_default_boxes_are_refused() -> None:
    settings = SSDSettings(aspect_ratios=((2.0,), (2.0,)), scales=(0.1, 0.3, 0.6))
    with pytest.raises(
        ValueError, match=r"^ssd\.aspect_ratios must have a list for each map, at least 3 for resnet18, got 2"
    ):
        create_detector("ssd", "resnet18", 3, CANVAS, NetworkOptions(width_multiplier=0.125), ssd=settings)


def test_the_fine_map_of_vgg_has_features_of_the_length_of_its_scale() -> None:
    torch.manual_seed(0)
    thin = VGG((1, 1, 1, 1, 1), widths=(8, 8, 8, 64, 8), weight_init="he", map_size=1, hidden=4, num_classes=2)
    maps = ssd_maps(thin, "vgg11", (), 3, (64, 64))
    assert isinstance(maps, VGGMaps)
    with torch.no_grad():
        fine = maps(torch.randn(1, 3, 64, 64))[0]
        assert torch.allclose(fine.norm(dim=1), torch.tensor(20.0))
        maps.norm_scale.mul_(0.5)
        assert torch.allclose(maps(torch.randn(1, 3, 64, 64))[0].norm(dim=1), torch.tensor(10.0))


def test_default_boxes_are_torchvisions() -> None:
    settings, grids = SSDSettings(), [(8, 16), (4, 8), (2, 4), (1, 2), (1, 1), (1, 1)]
    ours = torch.cat(DefaultBoxes(settings, CANVAS).boxes(grids, torch.device("cpu")))
    generator = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=list(settings.scales))
    maps = [torch.zeros(1, 1, *grid) for grid in grids]
    theirs = generator(ImageList(torch.zeros(1, 3, *CANVAS), [CANVAS]), maps)[0]
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.slow
def test_losses_and_boxes_are_torchvisions() -> None:
    """Of the paper's network; torchvision is given the paper's centers, by the sides of the maps."""
    torch.manual_seed(0)
    options = NetworkOptions(weight_init="he")
    ours = create_detector("ssd", "vgg16", 3, (300, 300), options, decoding=ALL).eval()
    assert isinstance(ours, DenseDetector)
    loosen(ours.head)
    theirs: Any = ssd300_vgg16(
        weights=None,
        weights_backbone=None,
        num_classes=4,
        score_thresh=0.0,
        topk_candidates=100_000,
        detections_per_img=100,
    )
    theirs.anchor_generator.steps, theirs.transform = None, AsTheyAre()
    state = ours.state_dict()
    scale = state.pop("pyramid.norm_scale")
    theirs.load_state_dict(dict(zip(theirs.state_dict(), [scale, *state.values()], strict=True)))
    data = made_batch(2, (300, 300))
    targets = [{"boxes": data.boxes[data.rows == n], "labels": data.labels[data.rows == n] + 1} for n in range(2)]
    found, expected = ours.losses(data), theirs.train()(list(data.images), targets)
    assert found["classification"].item() == pytest.approx(expected["classification"].item(), rel=1e-5)
    assert found["box"].item() == pytest.approx(expected["bbox_regression"].item(), rel=1e-5)
    with torch.no_grad():
        boxes, wanted = ours.detect(data.images), theirs.eval()(list(data.images))
    for mine, other in zip(boxes, wanted, strict=True):
        assert len(mine.boxes) == 100
        assert torch.allclose(mine.scores, other["scores"], atol=1e-6)
        assert torch.cdist(mine.boxes, other["boxes"], p=math.inf).amin(1).max() < 1e-2
        assert torch.equal(mine.labels, other["labels"] - 1)


def test_images_without_boxes_teach_nothing() -> None:
    network, whole = detector(), made_batch(2, CANVAS)
    empty = whole._replace(boxes=torch.zeros(0, 4), labels=whole.labels[:0], rows=whole.rows[:0], shares=torch.zeros(0))
    found = network.losses(empty)
    total(found).backward()
    assert all(loss == 0 for loss in found.values())
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in network.parameters())


def test_images_without_boxes_are_counted_to_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    box = (1.0, 2.0, 30.0, 40.0)
    full, empty, crowd = image([box], [0]), image([], []), image([box], [0], crowd=[0])
    announce_images_without_boxes(split([full, full]))
    assert capsys.readouterr().out == ""
    announce_images_without_boxes(split([full, empty, crowd]))
    assert capsys.readouterr().out == "2 of 3 training images have no box: ssd learns nothing from them\n"


@pytest.mark.parametrize("label", [0, 2])
def test_labels_stand_one_column_behind_the_background(label: int) -> None:
    network, data = detector(), made_batch(2, CANVAS)

    def gradient(wanted: int) -> torch.Tensor:
        network.zero_grad()
        network.losses(data._replace(labels=torch.full((3,), wanted)))["classification"].backward()
        return torch.stack([bias.grad.view(-1, 4).sum(0) for bias in last_biases(network)]).sum(0)  # type: ignore[union-attr]

    expected = torch.zeros(4)
    expected[label + 1], expected[2] = -1.0, 1.0  # what has to rise, and what does not any longer
    assert torch.allclose(gradient(label) - gradient(1), expected, atol=1e-5)
    network.decoding = DecodingSettings(score_threshold=0.05)
    with torch.no_grad():
        for bias in last_biases(network):
            bias.view(-1, 4)[:, label + 1] += 20
        assert all(len(found.labels) and found.labels.eq(label).all() for found in network.detect(data.images))
        for bias in last_biases(network):
            bias.view(-1, 4)[:, 0] += 40
        assert all(len(found.labels) == 0 for found in network.detect(data.images))


@pytest.mark.parametrize("normalizer", ["image", "batch", "global"])
def test_images_that_do_not_count_change_nothing(normalizer: str) -> None:
    network, whole = detector(normalizer=normalizer), made_batch(2, CANVAS)
    padded, rest = (
        whole._replace(index=torch.tensor([0, -1])),
        whole._replace(
            images=whole.images[:1],
            boxes=whole.boxes[:2],
            labels=whole.labels[:2],
            rows=whole.rows[:2],
            shares=whole.shares[:2],
            index=whole.index[:1],
        ),
    )
    found, expected = network.losses(padded), network.losses(rest)
    assert all(found[key].item() == pytest.approx(expected[key].item(), rel=1e-5) for key in expected)


def test_a_box_counts_by_its_share() -> None:
    network, whole = detector(), made_batch(2, CANVAS)
    without = network.losses(whole._replace(shares=torch.tensor([1.0, 1, 0])))
    changed = network.losses(whole._replace(labels=torch.tensor([0, 2, 0]), shares=torch.tensor([1.0, 1, 0])))
    assert all(torch.equal(changed[key], without[key]) for key in without)
    half = network.losses(whole._replace(shares=torch.full((3,), 0.5)))
    assert half["box"].item() == pytest.approx(network.losses(whole)["box"].item(), rel=1e-5)  # of half as many


def test_boxes_and_losses_under_bfloat16_are_float32() -> None:
    network, data = detector(), made_batch(3, CANVAS)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(data.images)[0].logits.dtype == torch.bfloat16
        assert all(loss.dtype == torch.float32 for loss in network.losses(data).values())
        found = network.detect(data.images)
    assert all(x.boxes.dtype == x.scores.dtype == torch.float32 for x in found)
    assert all((x.boxes % 0.25).abs().gt(0.01).any() for x in found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scales": (0.1, 0.2)}, r"ssd.scales must be 7 positive numbers, one more than .* lists, got \[0.1, 0.2\]"),
        ({"aspect_ratios": ((0.0,),)}, r"ssd.aspect_ratios must be lists of positive numbers.*, got \[\[0.0\]\]"),
        ({"positive_iou": 0.0}, "ssd.positive_iou must be above 0 and at most 1, got 0.0"),
        ({"negatives_per_positive": 0.0}, "ssd.negatives_per_positive must be positive, got 0.0"),
        ({"normalizer": "sum"}, "ssd.normalizer must be image or batch or global, got 'sum'"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SSDSettings(**settings)
