"""A compiled network computes what the original does."""

import pytest
import torch
from torch import Tensor, nn
from torch._inductor.exc import InvalidCxxCompiler

from lit_cnn.exporting.compiling import compile_for_inference
from lit_cnn.exporting.folding import fold_for_inference


@pytest.fixture(autouse=True)
def fresh_compiler() -> None:
    torch.compiler.reset()


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 5)).eval()


@pytest.mark.slow
@torch.no_grad()
def test_logits_are_equal_with_and_without_folding() -> None:
    network, images = small_network(), torch.randn(2, 3, 8, 8)
    for variant in (network, fold_for_inference(network, images).network):
        compiled = compile_for_inference(variant, images)
        torch.testing.assert_close(compiled(images), network(images), rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.slow
def test_a_smaller_last_batch_needs_no_second_compilation() -> None:
    network, images = small_network(), torch.randn(4, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    compiled = compile_for_inference(network, images)
    with torch.compiler.set_stance("fail_on_recompile"):
        found = compiled(images[:3])
        with pytest.raises(RuntimeError, match="recompile"):
            compiled(torch.cat([images, images]))
    torch.testing.assert_close(found, network(images[:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_difference_above_the_tolerance_is_refused() -> None:
    with pytest.raises(ValueError, match="the compiled Sequential differs"):
        compile_for_inference(small_network(), torch.randn(2, 3, 8, 8), tolerance=-1.0)


def test_missing_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Tensor) -> Tensor:
        raise InvalidCxxCompiler

    monkeypatch.setattr(torch, "compile", lambda *_, **__: fail)
    with pytest.raises(ValueError, match=r"cannot be compiled here \(.*install a C\+\+ compiler"):
        compile_for_inference(small_network(), torch.randn(2, 3, 8, 8))
