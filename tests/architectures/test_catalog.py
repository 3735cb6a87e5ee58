"""The catalog's stored counts are what the networks have, and bad names are answered with the nearest."""

import pytest
import torch
from stored_facts import stored_facts
from torch.utils.flop_counter import FlopCounterMode

import lit_cnn
from lit_cnn.architectures.catalog import CATALOG, find_entries, find_entry, select_entries
from lit_cnn.architectures.entry import Entry, Value
from lit_cnn.architectures.meta import on_meta, run_on_meta
from lit_cnn.architectures.network import Network

NAMES = [entry.name for entry in CATALOG]
SMALLEST = {
    *("alexnet", "vgg11", "googlenet", "resnet18", "mobilenet_v1_0.25", "mobilenet_v2", "shufflenet_v1_g3_1.0x"),
    *("efficientnet_b0", "resnet_rs_50", "cifar_resnet8", "cifar_vgg8", "block_network"),
}
"""A network of each kind of stem, block and head, on which every run of the tests tries what all of them promise; of
the deep ones, NFNet and cells, a shorter network by its options."""
CELLS = ("nasnet", "amoebanet", "cell_network")
DEEP = {entry.name for entry in CATALOG if entry.layers >= 100 or entry.name.startswith(CELLS)} - {
    "amoebanet_a_proxy_n3_f24"
}
"""Counted by the slow tests: even without numbers their layers take a second, and they have smaller relatives."""


def all_but(fast: set[str]) -> list:
    """The names of the catalog, of which those not in ``fast`` are slow."""
    return [pytest.param(name, marks=[] if name in fast else pytest.mark.slow) for name in NAMES]


def build_on_meta(entry: Entry) -> torch.nn.Module:
    with on_meta():
        return lit_cnn.create_model(entry.name).eval()


@pytest.mark.parametrize("name", all_but({*NAMES} - DEEP))
def test_counts_to_the_unit(name: str) -> None:
    entry = find_entry(name)
    network = build_on_meta(entry)
    assert sum(parameter.numel() for parameter in network.parameters()) == entry.params
    image = torch.empty(1, 3, entry.image_size, entry.image_size, device="meta")
    with FlopCounterMode(display=False) as counter:
        run_on_meta(network, image)
    assert counter.get_total_flops() == 2 * entry.madds


DISAGREEING = {
    "mobilenet_v2_1.4": "parameters",
    "nasnet_a_7_2304_cifar": "parameters",
    "amoebanet_a_n6_f448": "multiply-adds",
}
"""Networks of which the paper prints a figure that its own rules do not give; their deviations say so."""


@pytest.mark.parametrize("name", NAMES)
def test_counts_agree_with_the_papers_rounded_figures(name: str) -> None:
    entry = find_entry(name)
    figures = {
        "parameters": (entry.params, entry.paper.params_millions, 0.04),
        "multiply-adds": (entry.madds, entry.paper.madds_millions, 0.08),
    }
    for what, (ours, printed, tolerance) in figures.items():
        if printed is None:
            continue
        # Half a unit of the last printed digit, where the paper rounds more coarsely.
        near = ours / 1e6 == pytest.approx(printed, rel=tolerance, abs=0.05 if printed < 1 else 0.0)
        disagrees = DISAGREEING.get(name) == what
        assert near != disagrees
        assert not disagrees or any(
            f"the paper prints {printed:g} M" in text or "104 B" in text for text in entry.deviations
        )


@torch.no_grad()
@pytest.mark.parametrize("name", all_but(SMALLEST))
def test_contract_of_a_network(name: str) -> None:
    with on_meta():
        assert_contract(name)


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vgg11", {"head": "global_average"}),
        pytest.param("vgg16_bn", {"head": "global_average"}, marks=pytest.mark.slow),
        pytest.param("googlenet", {"head": "fully_connected"}, marks=pytest.mark.slow),
        pytest.param("googlenet", {"inception": "naive"}, marks=pytest.mark.slow),
        ("googlenet_bn", {"inception": "naive", "head": "fully_connected", "stem": "small"}),
        ("resnet18", {"shortcut": "zero_pad_both"}),
        ("cifar_resnet20", {"shortcut": "zero_pad_both", "widths": (8, 24, 41)}),
        ("nfnet_f0", {"widths": (32, 64, 128), "depths": (1, 2, 1)}),
        ("cell_network", {"normal": "identity@0 + conv_1x1@1 > 0 2", "repeats": 1, "filters": 4, "stem": "imagenet"}),
        (
            "mbconv_chain",
            {"stages": "identity s2 c16; identity c16; fused e4 k3 s2 c24; mbconv e3 k5 c24 n2 se0.25"},
        ),
        ("block_network", {"blocks": "inception c16; separable s2 c32 n2; bottleneck c32; plain s2 c64"}),
    ],
)
def test_contract_with_the_options_that_change_the_network(name: str, options: dict[str, Value]) -> None:
    with on_meta():
        assert_contract(name, **options)


def assert_contract(name: str, **options: Value) -> None:
    """What all of them promise, with ``options``."""
    network = lit_cnn.create_model(name, num_classes=7, in_channels=1, **options).eval()
    assert isinstance(network, Network)
    side = network.smallest_input
    image = torch.empty(2, 1, side, side)
    assert network(image).shape == (2, 7)
    maps = network.stages(image)
    assert maps[-1].shape == network.forward_features(image).shape
    sides = [stage.shape[-1] for stage in maps]
    assert sides == sorted(sides, reverse=True)
    assert [stage.channels for stage in network.feature_info] == [stage.shape[1] for stage in maps]
    assert network.num_classes == 7
    assert network.num_features == network.classifier.in_features
    strides = sorted({stage.stride for stage in network.feature_info})
    extractor = lit_cnn.create_model(name, in_channels=1, features_only=True, out_strides=strides, **options).eval()
    assert [stage.stride for stage in extractor.feature_info] == strides
    assert [stage.channels for stage in extractor.feature_info] == [x.shape[1] for x in extractor(image)]
    network.reset_classifier(3)
    assert network(image).shape == (2, 3)
    network.reset_classifier(0)
    assert network(image).flatten(1).shape[0] == 2
    assert network.num_classes == 0


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


def test_list_models_takes_several_patterns_and_exclusions() -> None:
    assert lit_cnn.list_models(["vgg11", "zfnet"]) == ["zfnet", "vgg11"]
    names = lit_cnn.list_models("vgg*", exclude=["*_bn", "vgg19"])
    assert "vgg16" in names
    assert not any(name.endswith("_bn") or name == "vgg19" for name in names)


def test_rows_are_selected_by_cost_and_sorted_by_a_column() -> None:
    rows = select_entries("resnet_rs*", sort="params", max_params_millions=90, max_madds_millions=10_000)
    assert [row.name for row in rows] == ["resnet_rs_50", "resnet_rs_101"]
    assert [row.name for row in select_entries()] == NAMES
    ranked = [row.paper.top1 for row in select_entries("vgg*", sort="top1")]
    assert ranked == [73.0, 72.7, 71.3, 70.4, None, None, None, None]
    with pytest.raises(ValueError, match=r"sorted by one of year, params, .*, got 'price'"):
        select_entries(sort="price")


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [("vgg16", "head", "global_avg"), ("resnet50", "stem", "cifar"), ("resnet18", "shortcut", "A"),
     ("resnet50", "stride_in", 1), ("efficientnet_b0", "padding", "same"), ("nfnet_f0", "epsilon", "add")],
)  # fmt: skip
def test_a_value_that_an_option_cannot_take_is_refused_with_those_that_it_can(name, option, value) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: {option} must be \w+ or \w+.*, got {value!r}$"):
        lit_cnn.create_model(name, **{option: value})


def test_plain_nets_refuse_stochastic_depth() -> None:
    with pytest.raises(ValueError, match="no shortcuts"):
        lit_cnn.create_model("plain18", drop_path=0.1)


@pytest.mark.parametrize("name", ["alexnet", "zfnet", "vgg16_bn", "googlenet", "mobilenet_v1"])
def test_nets_without_shortcuts_refuse_stochastic_depth(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has no shortcuts, so stochastic depth cannot be used"):
        lit_cnn.create_model(name, drop_path=0.1)


@pytest.mark.parametrize(("sizes", "least"), [({"num_classes": -1}, 0), ({"in_channels": 0}, 1)])
def test_too_few_outputs_or_channels_are_refused(sizes: dict[str, int], least: int) -> None:
    (name, size), *_ = sizes.items()
    with pytest.raises(ValueError, match=f"{name} must be at least {least}, got {size}"):
        lit_cnn.create_model("resnet18", **sizes)


@torch.no_grad()
@pytest.mark.parametrize("name", all_but(SMALLEST))
def test_small_images(name: str) -> None:
    """32 and 64 px reach the head as a map of several pixels, except where a paper's five halvings leave one."""
    options = {"map_size": 1} if name.startswith("vgg") else {"stem": "small"}
    if name.startswith(("cifar_resnet", "cifar_plain", "cifar_vgg")):
        options = {}
    with on_meta():
        network = lit_cnn.create_model(name, num_classes=10, **options).eval()
        assert network.smallest_input <= 32
        for side in (32, 64):
            image = torch.empty(2, 3, side, side)
            assert network(image).shape == (2, 10)
            halvings = 5 if name.startswith("vgg") else 4
            assert network.forward_features(image).shape[-1] >= side // 2**halvings


def test_v1_stride_has_the_papers_multiply_adds() -> None:
    with on_meta():
        network = lit_cnn.create_model("resnet50", stride_in="1x1").eval()
    with FlopCounterMode(display=False) as counter:
        run_on_meta(network, torch.empty(1, 3, 224, 224, device="meta"))
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
    return {row["id"]: row for row in stored_facts("architectures")}


PAPERS_OWN = {
    "resnet18": "10 crops as in the paper; the facts have Facebook's single crop",
    "resnet34": "the same",
    "resnet50": "the authors' released v1 net; the facts have Facebook's v1.5",
    "resnet101": "the same",
    "resnet152": "the same",
    "resnet200": "the facts have Facebook's pre-activation net",
    "vgg16": "the multiply-adds are the ResNet paper's",
    "vgg19": "the same",
    "googlenet": "6.8 M and 1.5 G are sums of the paper's rounded rows, recalled and not checked",
}
"""Where the catalog's figures of a paper are not those of the facts, and why."""


def test_figures_of_the_papers_equal_the_reference_facts() -> None:
    rows = reference_rows()
    for entry in CATALOG:
        row = rows.get(reference_id(entry))
        if row is None or entry.name in PAPERS_OWN:
            continue
        madds = row["madds_paper_millions"]
        if entry.name.startswith("resnet_rs_"):  # FLOPs; some are marked as recalled and not checked
            madds = None if any("FLOP" in text for text in row["unverified_fields"]) else madds / 2
        paper = entry.paper
        assert paper.params_millions == row["params_paper_millions"], entry.name
        assert paper.madds_millions == madds, entry.name
        assert paper.top1 == row["top1_percent"], entry.name
        assert paper.top5 == row["top5_percent"], entry.name
        assert row["layers_paper"] in (None, entry.layers), entry.name


def test_counts_equal_the_reference_facts() -> None:
    rows = reference_rows()
    compared = [(entry, rows[reference_id(entry)]) for entry in CATALOG if reference_id(entry) in rows]
    assert len(compared) >= 97  # all but googlenet_bn and resnext152_32x4d, which the facts do not list as rows
    for entry, row in compared:
        assert entry.params == row["params"], entry.name
        if entry.image_size == row["resolution_px"]:
            assert entry.madds == row["madds"], entry.name


def test_tasks_are_selected_apart() -> None:
    assert {row.num_classes for row in select_entries(task="cifar")} == {10}
    assert {row.num_classes for row in select_entries(task="imagenet")} == {1000}
    with pytest.raises(ValueError, match="tasks imagenet and cifar, got 'digits'"):
        select_entries(task="digits")


def test_patterns_and_names_find_each_row_once_in_their_order() -> None:
    assert [row.name for row in find_entries(["vgg16", "zf*", "vgg1[16]"])] == ["vgg16", "zfnet", "vgg11"]
    with pytest.raises(ValueError, match="did you mean 'resnet50'"):
        find_entries(["zfnet", "resnet5O"])
    with pytest.raises(ValueError, match=r"no architecture matches 'lenet\*'"):
        find_entries(["lenet*"])
