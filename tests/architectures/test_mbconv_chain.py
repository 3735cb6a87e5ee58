"""A chain that is stated as text is the published network of the same table."""

import pytest
import torch

import lit_cnn
from lit_cnn.architectures.chain_text import format_chain
from lit_cnn.architectures.efficientnet import STAGES
from lit_cnn.architectures.mbconv_chain import mbconv_chain
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.mobilenet_v2 import mobilenet_v2
from lit_cnn.architectures.scaling import scale_stages


def test_the_default_is_mobilenet_v2_tensor_for_tensor() -> None:
    torch.manual_seed(0)
    with on_meta():
        ours, paper = mbconv_chain(stem="small"), mobilenet_v2(stem="small")
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in paper.state_dict().items()
    }


def test_a_stated_efficientnet_computes_the_same() -> None:
    torch.manual_seed(0)
    text = format_chain(scale_stages(STAGES, 0.25, 0.5))
    settings = {"padding": "tensorflow", "norm_eps": 1e-3, "norm_momentum": 0.01}
    ours = mbconv_chain(text, 32, 1280, "silu", num_classes=10, **settings).eval()
    with on_meta():
        paper = type(ours)(scale_stages(STAGES, 0.25, 0.5), stem_width=32, final_width=1280, num_classes=10).eval()
    paper = paper.to_empty(device="cpu")
    paper.load_state_dict(ours.state_dict())
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(image), paper(image))


def test_identity_stages_only_change_the_shape() -> None:
    network = mbconv_chain("identity s2 c16 n3; identity c16; mbconv e3 k3 c16", 8, 32, "relu", stem="small").eval()
    stage2, stage3 = network.features.stage2, network.features.stage3
    assert [type(layer).__name__ for layer in stage2] == ["Sequential", "Identity", "Identity"]
    assert [name for name, _ in stage2[0].named_children()] == ["conv", "norm"]
    assert not list(stage3.parameters())
    maps = network.stages(torch.randn(2, 3, 8, 8))
    assert [tuple(x.shape[1:]) for x in maps] == [(16, 4, 4), (16, 4, 4), (16, 4, 4), (32, 4, 4)]


def test_shortcuts_are_left_out_or_averaged() -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 8, 4, 4)
    for name in ("mbconv", "fused"):
        found = {}
        for skip in ("identity", "none", "pool"):
            text = f"{name} e2 k3 c8 skip={skip}"
            block = mbconv_chain(text, 8, 16, "relu", stem="small").eval().features.stage2[0]
            torch.nn.init.zeros_(block.project.norm.weight)  # the branch is zero
            found[skip] = block(image)
        average = torch.nn.functional.avg_pool2d(image, 3, 1, 1, count_include_pad=False)
        assert torch.equal(found["identity"], image)
        assert torch.equal(found["pool"], average)
        assert not found["none"].any()


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="activation must be silu or relu6 or relu, got 'gelu'"):
        lit_cnn.create_model("mbconv_chain", activation="gelu")
