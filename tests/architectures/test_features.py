"""Maps at chosen strides, and what a network tells of its stages without an image."""

import pytest
import torch
from one_in import one_in

import lit_cnn
from lit_cnn.architectures.features import FeatureExtractor
from lit_cnn.architectures.meta import on_meta


@pytest.mark.slow
def test_strides_and_channels_are_known_and_are_those_of_the_maps() -> None:
    network = lit_cnn.create_model("mobilenet_v2", num_classes=5)
    assert [tuple(stage) for stage in network.feature_info][1:4] == [(24, 4), (32, 8), (64, 16)]
    extractor = FeatureExtractor(network, (32, 8, 16)).eval()
    maps = extractor(torch.zeros(1, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in maps] == [(32, 8, 12), (96, 4, 6), (1280, 2, 3)]
    assert [(stage.channels, stage.stride) for stage in extractor.feature_info] == [(32, 8), (96, 16), (1280, 32)]


def test_strides_of_three_are_told_as_they_are() -> None:
    rows = "mbconv e1 k3 s3 c16 n1; mbconv e2 k3 s2 c24 n1; mbconv e2 k3 s3 c24 n1"
    network = lit_cnn.create_model("mbconv_chain", stages=rows, stem="small")
    assert [stage.stride for stage in network.feature_info] == [3, 6, 18, 18]
    extractor = FeatureExtractor(network, (6, 18))
    assert [x.shape[-1] for x in extractor(torch.zeros(1, 3, 36, 36))] == [6, 2]


def test_a_stride_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="ResNet has no map of stride 64, only of 4, 8, 16, 32: set out_strides"):
        FeatureExtractor(lit_cnn.create_model("resnet18"), (8, 64))
    with pytest.raises(ValueError, match="ResNet has no map of stride 8, only of 1, 2, 4"):
        lit_cnn.create_model("cifar_resnet8", features_only=True)
    with pytest.raises(ValueError, match="at least one stride"):
        lit_cnn.create_model("resnet18", features_only=True, out_strides=())


@torch.no_grad()
@pytest.mark.parametrize(
    "name", one_in(2, ["resnet18", "googlenet", "mobilenet_v2", "shufflenet_v1_g3_1.0x", "cifar_resnet8"])
)
def test_maps_are_those_that_the_whole_network_computes(name: str) -> None:
    """Copied as they are made: a later stage must not write into an earlier one's map."""
    strides = (2, 4) if name.startswith("cifar") else (8, 16, 32)
    extractor = lit_cnn.create_model(name, features_only=True, out_strides=strides).eval()
    network = lit_cnn.create_model(name).eval()
    network.features.load_state_dict(extractor.network.features.state_dict())
    copies = []
    for stage in network.features:
        stage.register_forward_hook(lambda _, __, output: copies.append(output.clone()))
    x = torch.randn(2, 3, 64, 64)
    network(x)
    maps = extractor(x)
    assert [tuple(stage) for stage in extractor.feature_info] == [(x.shape[1], 64 // x.shape[-1]) for x in maps]
    assert [64 // x.shape[-1] for x in maps] == list(strides)
    for x in maps:
        last = [copy for copy in copies if copy.shape == x.shape][-1]
        assert torch.equal(x, last)


def test_no_stage_behind_the_coarsest_map_is_kept() -> None:
    extractor = lit_cnn.create_model("resnet18", features_only=True, out_strides=(8, 16))
    sum(x.sum() for x in extractor(torch.zeros(2, 3, 32, 32))).backward()
    assert all(parameter.grad is not None for parameter in extractor.parameters())


def test_every_parameter_belongs_to_the_maps() -> None:
    """Neither head nor auxiliary heads are left, which would never get a gradient."""
    extractor = lit_cnn.create_model("googlenet", features_only=True, aux_heads=True).train()
    sum(x.square().mean() for x in extractor(torch.randn(2, 3, 96, 96))).backward()
    assert all(parameter.grad is not None for parameter in extractor.parameters())


def test_options_and_channels_reach_the_maps() -> None:
    extractor = lit_cnn.create_model("resnet18", features_only=True, in_channels=1, stem="small", out_strides=[4, 8])
    assert [x.shape[-1] for x in extractor(torch.zeros(1, 1, 32, 32))] == [8, 4]


def test_arguments_that_do_not_apply_are_refused() -> None:
    with pytest.raises(ValueError, match="num_classes does not apply: leave it out"):
        lit_cnn.create_model("resnet18", num_classes=5, features_only=True)
    with pytest.raises(ValueError, match="set features_only to true"):
        lit_cnn.create_model("resnet18", out_strides=(8, 16))


def test_a_fresh_classifier_keeps_everything_else() -> None:
    network = lit_cnn.create_model("resnet18", num_classes=4)
    before = network.features[0].conv.weight.clone()
    network.reset_classifier(9)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 9)
    assert torch.equal(network.features[0].conv.weight, before)
    network.reset_classifier(0)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 512)
    with pytest.raises(ValueError, match="has no classifier"):
        network.reset_classifier(3)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        lit_cnn.create_model("resnet18").reset_classifier(-1)


def test_a_network_may_end_in_its_features() -> None:
    assert lit_cnn.create_model("cifar_resnet8", num_classes=0)(torch.zeros(2, 3, 32, 32)).shape == (2, 64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "heads"), [("googlenet_bn", 2), pytest.param("nasnet_a_6_768_cifar", 1, marks=pytest.mark.slow)]
)
def test_auxiliary_heads_follow_the_classifier(name: str, heads: int) -> None:
    options = {"aux_heads" if heads == 2 else "aux_head": True}
    with on_meta():
        network = lit_cnn.create_model(name, **options).train()
        x = torch.zeros(2, 3, 32 * (1 + 6 * (heads == 2)), 32 * (1 + 6 * (heads == 2)))
        network.reset_classifier(5)
        assert [tuple(logits.shape) for logits in network(x)] == [(2, 5)] * (1 + heads)
        network.reset_classifier(0)
        assert isinstance(network(x), torch.Tensor)


def test_features_are_what_the_classifier_reads() -> None:
    network, x = lit_cnn.create_model("cifar_vgg8").eval(), torch.randn(2, 3, 32, 32)
    logits, weight = network(x), network.classifier.weight
    network.reset_classifier(0)
    torch.testing.assert_close(network(x) @ weight.t() / 9, logits)  # type: ignore[operator]
