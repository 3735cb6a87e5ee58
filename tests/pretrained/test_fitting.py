"""A file of weights fits several networks: names, logits or images decide; nothing is taken silently."""

import copy

import pytest
import timm
import torch
import torchvision
from foreign import renamed, telling_network
from torch import Tensor

from lit_cnn.architectures.catalog import CATALOG, find_entry
from lit_cnn.architectures.free_choices import FREE_CHOICES, free_choices
from lit_cnn.pretrained.equality import evaluate
from lit_cnn.pretrained.fitting import Fit, decide_by_logits, fits, fits_of_libraries


def state_of(name: str, **options: object) -> dict[str, Tensor]:
    return renamed(telling_network(name, **options).state_dict())


def test_both_forms_of_option_a_fit_and_recorded_logits_choose() -> None:
    network, images = telling_network("cifar_resnet8", shortcut="zero_pad_both"), torch.randn(2, 3, 32, 32)
    found = fits(renamed(network.state_dict()), "cifar_resnet8", {})
    assert [fit.options for fit in found] == [{}, {"shortcut": "zero_pad_both"}]
    chosen, proof = decide_by_logits(found, images, evaluate(network, images))
    assert chosen.options == {"shortcut": "zero_pad_both"}
    assert proof.status == "proven"
    with pytest.raises(ValueError, match="none of the 2 ways in which they do gives the recorded logits"):
        decide_by_logits(found, images, torch.randn(2, 10))


def test_recorded_logits_do_not_prove_weights_that_give_no_numbers() -> None:
    network, images = telling_network("cifar_resnet8"), torch.randn(2, 3, 32, 32)
    logits, broken = evaluate(network, images), copy.deepcopy(network)
    torch.nn.init.constant_(broken.classifier.weight, float("nan"))
    found = [Fit({}, broken, "order", 1)]
    with pytest.raises(ValueError, match="none of the 1 ways in which they do gives the recorded logits"):
        decide_by_logits(found, images, logits)
    assert decide_by_logits([*found, Fit({}, network, "order", 1)], images, logits)[0].network is network


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mobilenet_v1_0.25", {"activation": "relu6"}),
        ("shufflenet_v1_g3_1.0x", {"shuffle": "from_groups", "concat": "residual_first"}),
        ("shufflenet_v1_g3_1.0x", {"classifier_bias": True}),
    ],
)
def test_free_choices_are_found(name: str, options: dict[str, object]) -> None:
    network, images = telling_network(name, side=64, **options), torch.randn(2, 3, 64, 64) * 3
    found = fits(renamed(network.state_dict()), name, {})
    chosen, _ = decide_by_logits(found, images, evaluate(network, images))
    assert chosen.options == options


def test_the_users_choice_is_kept() -> None:
    found = fits(state_of("cifar_resnet8"), "cifar_resnet8", {"shortcut": "zero_pad_both"})
    assert [fit.options for fit in found] == [{"shortcut": "zero_pad_both"}]
    for find in (fits, fits_of_libraries):
        with pytest.raises(ValueError, match="has no option 'shortcuts'; did you mean 'shortcut'"):
            find({}, "cifar_resnet8", {"shortcuts": "zero_pad"})
        for option in ("num_classes", "in_channels"):
            with pytest.raises(ValueError, match=f"--option {option} is not a choice, since .*: leave it out"):
                find({}, "resnet18", {option: 3})


@pytest.mark.slow
def test_names_of_a_library_prove_what_the_file_is() -> None:
    torch.manual_seed(0)
    ((fit, proof),) = fits_of_libraries(torchvision.models.resnet18(num_classes=7).state_dict(), "resnet18", {})
    assert fit.network.num_classes == 7
    assert proof.status == "proven"
    assert "torchvision's resnet18" in proof.sentence


@pytest.mark.slow
def test_names_that_two_networks_of_a_library_share_decide_nothing() -> None:
    torch.manual_seed(0)
    found = fits_of_libraries(timm.create_model("tf_efficientnet_lite0").state_dict(), "efficientnet_lite0", {})
    assert [dict(fit.options) for fit, _ in found] == [{}, {"padding": "symmetric", "norm_eps": 1e-5}]


def test_a_refusal_names_the_first_layer_without_a_partner() -> None:
    with pytest.raises(ValueError, match=r"do not fit cifar_resnet20 .*the source has .* where the target has"):
        fits(state_of("cifar_resnet8"), "cifar_resnet20", {})


def test_every_free_choice_is_an_option_of_some_network() -> None:
    known = {choice.option for entry in CATALOG for choice in free_choices(entry)}
    assert known == {choice.option for choice in FREE_CHOICES}
    (choice,) = free_choices(find_entry("cifar_resnet20"))
    assert choice.values == ("zero_pad", "zero_pad_both", "projection")
