"""The catalog's stored counts are what the networks have, and bad names are answered with the nearest."""

import json
import os
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import lit_cnn
from lit_cnn.architectures.catalog import CATALOG, find_entry
from lit_cnn.architectures.entry import Entry
from lit_cnn.architectures.layers.network import Network

NAMES = [entry.name for entry in CATALOG]
FAST = [name for name in NAMES if "1202" not in name]
DEEP = [pytest.param(name, marks=pytest.mark.slow) for name in NAMES if "1202" in name]


def build_on_meta(entry: Entry) -> torch.nn.Module:
    with torch.device("meta"):
        return lit_cnn.create_model(entry.name).eval()


@pytest.mark.parametrize("name", [*FAST, *DEEP])
def test_parameters_to_the_unit(name: str) -> None:
    entry = find_entry(name)
    network = build_on_meta(entry)
    assert sum(parameter.numel() for parameter in network.parameters()) == entry.params


@pytest.mark.parametrize("name", FAST)
def test_multiply_adds_to_the_unit(name: str) -> None:
    entry = find_entry(name)
    image = torch.empty(1, 3, entry.image_size, entry.image_size, device="meta")
    with FlopCounterMode(display=False) as counter:
        build_on_meta(entry)(image)
    assert counter.get_total_flops() == 2 * entry.madds


@pytest.mark.parametrize("name", NAMES)
def test_counts_agree_with_the_papers_rounded_figures(name: str) -> None:
    entry = find_entry(name)
    if entry.paper.params_millions is not None:
        assert entry.params / 1e6 == pytest.approx(entry.paper.params_millions, rel=0.04)
    if entry.paper.madds_millions is not None:
        assert entry.madds / 1e6 == pytest.approx(entry.paper.madds_millions, rel=0.08)


@pytest.mark.parametrize("name", FAST)
def test_contract_of_a_network(name: str) -> None:
    with torch.device("meta"):
        network = lit_cnn.create_model(name, num_classes=7, in_channels=1).eval()
    assert isinstance(network, Network)
    side = network.smallest_input
    image = torch.empty(2, 1, side, side, device="meta")
    assert network(image).shape == (2, 7)
    maps = network.stages(image)
    assert maps[-1].shape == network.forward_features(image).shape
    sides = [stage.shape[-1] for stage in maps]
    assert sides == sorted(sides, reverse=True)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'resnet50'"):
        lit_cnn.create_model("resnet5O")


def test_unknown_option_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'dropout'"):
        lit_cnn.create_model("resnet50", droput=0.1)


def test_list_models_filters_by_pattern() -> None:
    assert lit_cnn.list_models("resnet_rs_*")[0] == "resnet_rs_50"
    assert lit_cnn.list_models() == NAMES
    assert len(set(NAMES)) == len(NAMES)


def test_plain_nets_refuse_stochastic_depth() -> None:
    with pytest.raises(ValueError, match="no shortcuts"):
        lit_cnn.create_model("plain18", drop_path=0.1)


def test_v1_stride_has_the_papers_multiply_adds() -> None:
    with torch.device("meta"):
        network = lit_cnn.create_model("resnet50", stride_in="1x1").eval()
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 224, 224, device="meta"))
    assert counter.get_total_flops() == 2 * 3_857_973_248  # architectures.json: resnet50_v1


REFERENCE_IDS = {
    "alexnet": "alexnet_original",
    "alexnet_one_tower": "alexnet_torchvision",
    "mobilenet_v1": "mobilenetv1_1.0_224",
}
"""Rows of the reference facts whose name does not follow from ours."""


def reference_id(entry: Entry) -> str:
    """The reference's name of a row: it adds image sizes, the ResNet's stride and the EfficientNet's padding."""
    name = REFERENCE_IDS.get(entry.name, entry.name)
    if name in ("resnet50", "resnet101", "resnet152"):
        return f"{name}_v15"
    if name.startswith("resnet_rs_"):
        return f"{name}_{entry.image_size}"
    if name.startswith("efficientnet_b"):
        return f"{name}_same"
    if name.startswith("mobilenet_v1_"):
        return f"mobilenetv1_{entry.arguments['width']}_224"
    name = {"mobilenet_v2": "mobilenetv2_1.0", "googlenet": "googlenet_original"}.get(name, name)
    return name.replace("efficientnet_v2", "efficientnetv2").replace("mobilenet_v2", "mobilenetv2")


def reference_rows() -> dict[str, dict]:
    root = Path(os.environ.get("LIT_CNN_REFERENCE", "../shared/reference")) / "architectures.json"
    if not root.is_file():
        pytest.skip("the reference facts are not here (LIT_CNN_REFERENCE or ../shared/reference)")
    return {row["id"]: row for row in json.loads(root.read_text())}


def test_counts_equal_the_reference_facts() -> None:
    rows = reference_rows()
    compared = [(entry, rows[reference_id(entry)]) for entry in CATALOG if reference_id(entry) in rows]
    assert len(compared) >= 97  # all but googlenet_bn and resnext152_32x4d, which the facts do not list as rows
    for entry, row in compared:
        assert entry.params == row["params"], entry.name
        if entry.image_size == row["resolution_px"]:
            assert entry.madds == row["madds"], entry.name
