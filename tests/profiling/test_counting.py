import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures import create_model, list_models
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.counting import KINDS, count_madds, count_model, count_network, kind_of, stage_of

ONE_PER_FAMILY = (
    *("alexnet", "vgg16", "googlenet", "resnet50", "se_resnext50_32x4d", "mobilenet_v2", "shufflenet_v1_g3_1.0x"),
    *("amoebanet_a_proxy_n3_f24", "efficientnet_b0", "nfnet_f0", "cifar_resnet20"),
)
COUNTED = [name for name in list_models() if "1202" not in name]


class Tiny(nn.Module):
    """A net small enough to count by hand; ``spare`` is a head that inference does not run."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        mix = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 6, 1))
        self.features = nn.Sequential()
        self.features.add_module("stem", stem)
        self.features.add_module("mix", mix)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))
        self.spare = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x))


def test_hand_computed_counts() -> None:
    count = count_network(Tiny(), 8)
    rows = {stage.name: stage for stage in count.stages}
    assert list(rows) == ["stem", "mix", "head", "spare"]
    assert rows["stem"].params == 4 * 3 * 9 + 2 * 4
    assert rows["stem"].madds == 64 * 4 * 3 * 9
    assert rows["stem"].shape == (4, 8, 8)
    assert rows["mix"].params == (4 * 9 + 4) + (6 * 4 + 6)
    assert rows["mix"].madds == 64 * 4 * 9 + 64 * 6 * 4
    assert rows["head"].params == rows["head"].madds + 5 == 35
    assert (rows["spare"].params, rows["spare"].madds, rows["spare"].shape) == (14, 0, ())


class Foreign(nn.Module):
    """Whose products lie outside convolutions and linear layers, and whose last classes are as many as the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 3, 3, 3))
        self.up = nn.ConvTranspose2d(4, 6, 2, 2)
        self.mix = nn.MultiheadAttention(6, 2, batch_first=True)
        self.twin = nn.Linear(6, 6)
        self.twin2 = nn.Linear(6, 6)
        self.twin2.weight = self.twin.weight
        self.head = nn.Linear(6, 251)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.up(nn.functional.conv2d(x, self.weight, padding=1)).flatten(2).transpose(1, 2)
        return self.head(self.twin2(self.twin(self.mix(x, x, x, need_weights=False)[0].mean(1))))


def test_products_outside_convolutions_and_linear_layers_are_counted_where_they_run() -> None:
    count = count_network(Foreign(), 4)
    madds = {layer.name: layer.madds for layer in count.layers}
    tokens = 64  # of 8 x 8 pixels
    projections, attention = 4 * tokens * 6 * 6, 2 * tokens * tokens * 6
    assert madds["mix"] + madds["mix.out_proj"] == projections + attention
    assert (madds[""], madds["up"], madds["twin"], madds["head"]) == (16 * 4 * 27, 16 * 4 * 6 * 4, 36, 6 * 251)
    assert {layer.stage for layer in count.layers if not layer.name} == {"itself"}
    assert count_madds(Foreign().to("meta"), 4) == count.madds == sum(stage.madds for stage in count.stages)


def test_shared_parameters_count_once_and_weights_are_never_activations() -> None:
    network = Foreign()
    count = count_network(network, 4)
    params = {layer.name: layer.params for layer in count.layers}
    assert (params["twin"], params["twin2"]) == (42, 6)
    assert count.params == sum(parameter.numel() for parameter in network.parameters())
    kept = {layer.name: layer.activations for layer in count.layers}
    assert (kept["twin2"], kept["head"]) == (6, 6)


def test_kept_activations_by_hand() -> None:
    layers = {layer.name: layer for layer in count_network(Tiny(), 8).layers}
    # Batch norm keeps its input, the in-place ReLU its output, each later convolution its input unless already kept;
    # the mean's backward pass needs no map.
    kept = {name: layer.activations for name, layer in layers.items() if layer.activations}
    assert kept == {
        "features.stem.1": 4 * 64,
        "features.stem.2": 4 * 64,
        "features.mix.1": 4 * 64,
        "head.2": 6,
    }
    assert all(layer.activation_bytes == 4 * layer.activations for layer in layers.values())


def test_kept_activations_are_what_autograd_keeps_on_a_real_device() -> None:
    network = create_model("cifar_resnet20").train()
    owned = {tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    image = torch.randn(3, 3, 32, 32)
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        address = tensor.untyped_storage().data_ptr()
        if address not in owned | {image.data_ptr()} and tensor.shape[0] == 3:
            kept[address] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = network(image).sum()
    size = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    assert loss.requires_grad
    assert size == 3 * count_model("cifar_resnet20").activation_bytes


@pytest.mark.parametrize(
    "name", [name if name in ONE_PER_FAMILY else pytest.param(name, marks=pytest.mark.slow) for name in COUNTED]
)
@pytest.mark.slow
def test_catalog_to_the_unit(name: str) -> None:
    entry = find_entry(name)
    count = count_model(name)
    with torch.no_grad(), FlopCounterMode(display=False) as counter, on_meta():
        create_model(name).eval()(torch.empty(1, 3, entry.image_size, entry.image_size))
    assert count.madds == counter.get_total_flops() // 2 == entry.madds
    assert count.params == entry.params
    assert sum(stage.params for stage in count.stages) == count.params
    assert sum(stage.madds for stage in count.stages) == count.madds
    assert sum(stage.activation_bytes for stage in count.stages) == count.activation_bytes > 0
    assert count.stages[-1].name == "head" or not count.stages[-1].shape


def test_shares_add_up_by_kind_and_keep_the_order() -> None:
    count = count_model("resnet18")
    shares = count.shares("params")
    assert [stage for stage, _ in shares] == ["stem", "stage2", "stage3", "stage4", "stage5", "head"]
    assert sum(sum(kinds.values()) for _, kinds in shares) == count.params
    assert dict(shares)["head"]["linear"] == 513_000
    assert all(tuple(kinds) == KINDS for _, kinds in shares)


def test_kinds_and_stages() -> None:
    assert kind_of(nn.Conv2d(8, 8, 3, groups=8)) == "depthwise"
    assert kind_of(nn.Conv2d(8, 8, 3, groups=4)) == "convolution"
    assert kind_of(nn.Conv2d(8, 8, (1, 7))) == "convolution"
    assert kind_of(nn.Conv2d(8, 8, 1)) == "pointwise"
    assert kind_of(nn.Linear(2, 2)) == "linear"
    assert kind_of(nn.BatchNorm2d(2)) == "other"
    assert stage_of("features.stage3.0.residual") == "stage3"
    assert stage_of("head.classifier") == "head"


def test_the_network_is_left_as_it_is() -> None:
    network = Tiny().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    count_network(network, 8)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_errors_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="did you mean 'resnet50'"):
        count_model("resnet5O")


def test_the_report_holds_all_counts_and_their_sums_by_kind() -> None:
    count = count_model("cifar_resnet20")
    report = count.report()
    assert (report["name"], report["params"], report["madds"]) == ("cifar_resnet20", 269_722, 40_551_040)
    assert sum(stage["activations"] for stage in report["stages"]) == report["activations"]
    assert tuple(report["by_kind"]["params"]) == KINDS
    for figure in ("params", "madds"):
        for kind, amount in report["by_kind"][figure].items():
            assert amount == sum(layer[figure] for layer in report["layers"] if layer["kind"] == kind)
