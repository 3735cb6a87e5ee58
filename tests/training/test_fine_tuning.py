from pathlib import Path

import pytest
import torch
from torch import nn

import lit_cnn
from lit_cnn.training.fine_tuning import InitialWeights, load_initial_weights

SMALL = {"num_classes": 3, "map_size": 1, "hidden": 8}


def make_vgg(depth: int, seed: int, **options: int) -> nn.Module:
    torch.manual_seed(seed)
    return lit_cnn.create_model(f"vgg{depth}", **{**SMALL, **options})


def save(network: nn.Module, architecture: str, path: Path) -> Path:
    state = {f"net.{name}": value for name, value in network.state_dict().items()}
    torch.save({"network": {"architecture": architecture}, "state_dict": state, "format": 1}, path)
    return path


def layers(network: nn.Module, kind: type) -> list[torch.Tensor]:
    return [module.weight.detach() for module in network.modules() if isinstance(module, kind)]


@pytest.fixture(scope="module")
def vgg11(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    network = make_vgg(11, 0)
    return network, save(network, "vgg11", tmp_path_factory.mktemp("vgg") / "vgg11.ckpt")


@pytest.mark.parametrize("depth", [13, 16, 19])
def test_vgg_grows_by_the_first_layers_of_its_stages_and_its_linear_layers(depth: int, vgg11: tuple) -> None:
    source, path = vgg11
    grown, fresh = make_vgg(depth, 1), make_vgg(depth, 1)
    load_initial_weights(grown, InitialWeights(str(path), convolutions=4, linears=3))
    for own, other in zip(layers(grown, nn.Linear), layers(source, nn.Linear), strict=True):
        assert torch.equal(own, other)
    # Column A's first four convolutions are 1_1, 2_1, 3_1 and 3_2; in B, D and E those are numbers 0, 2, 4 and 5.
    target = dict(zip((0, 2, 4, 5), layers(source, nn.Conv2d), strict=False))
    for number, (own, random) in enumerate(zip(layers(grown, nn.Conv2d), layers(fresh, nn.Conv2d), strict=True)):
        assert torch.equal(own, target.get(number, random))


def test_without_counts_all_but_a_head_of_other_classes_is_copied(vgg11: tuple) -> None:
    source, path = vgg11
    network, fresh = make_vgg(11, 1, num_classes=5), make_vgg(11, 1, num_classes=5)
    sentence = load_initial_weights(network, InitialWeights(str(path)))
    assert "copied 20 of 22 tensors, not head.classifier.weight, head.classifier.bias" in sentence
    for own, other in zip(layers(network, nn.Conv2d), layers(source, nn.Conv2d), strict=True):
        assert torch.equal(own, other)
    assert torch.equal(layers(network, nn.Linear)[-1], layers(fresh, nn.Linear)[-1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convolutions": 9}, "initial.convolutions is 9, but the checkpoint has 8"),
        ({"linears": 4}, "initial.linears is 4, but the checkpoint has 3"),
    ],
)
def test_more_layers_than_there_are(options: dict, message: str, vgg11: tuple) -> None:
    with pytest.raises(ValueError, match=message):
        load_initial_weights(make_vgg(16, 1), InitialWeights(str(vgg11[1]), **options))


def test_layers_that_do_not_fit_are_named(vgg11: tuple) -> None:
    with pytest.raises(ValueError, match=r"do not fit: the checkpoint's .*weight is 3x8, the network needs 5x8"):
        load_initial_weights(make_vgg(16, 1, num_classes=5), InitialWeights(str(vgg11[1]), linears=1))
    with pytest.raises(ValueError, match="no layer left for the checkpoint's"):
        load_initial_weights(lit_cnn.create_model("cifar_resnet20"), InitialWeights(str(vgg11[1]), convolutions=1))


def test_a_checkpoint_of_something_else_is_refused(vgg11: tuple) -> None:
    with pytest.raises(ValueError, match="shares no layer"):
        load_initial_weights(lit_cnn.create_model("cifar_resnet20"), InitialWeights(str(vgg11[1])))


def test_counts_need_a_checkpoint() -> None:
    with pytest.raises(ValueError, match=r"needs initial\.checkpoint"):
        InitialWeights(convolutions=4)
