"""What lit_cnn/torch_internals.py uses of torch is there, and does what is said of it."""

import warnings

import pytest
import torch
from torch._inductor import config

from lit_cnn.torch_internals import (
    freezing_compiler,
    is_channels_last,
    needs_plain_formula,
    onednn_has_bf16,
    takes_own_gradients,
)


def test_the_compiler_freezes_weights_within_alone() -> None:
    assert hasattr(config, "freezing"), (
        "torch._inductor.config has no freezing: adapt freezing_compiler in lit_cnn/torch_internals.py to how "
        "TorchInductor makes constants of weights now"
    )
    before = config.freezing
    with freezing_compiler():
        assert config.freezing is True, "config.patch does not set freezing any more: adapt freezing_compiler"
    assert config.freezing is before is False


def test_onednn_says_whether_it_multiplies_bfloat16() -> None:
    assert hasattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported"), (
        "torch.ops.mkldnn has no _is_mkldnn_bf16_supported: adapt onednn_has_bf16 in lit_cnn/torch_internals.py; if "
        "torch.backends.mkldnn can say it by now, ask there"
    )
    assert isinstance(onednn_has_bf16(), bool)
    if torch.cpu.get_capabilities().get("avx512_bf16"):
        assert onednn_has_bf16()


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")  # torch's own use of it
def test_own_gradients_serve_reverse_differentiation_alone() -> None:
    assert hasattr(torch.autograd.forward_ad, "_current_level"), (
        "torch.autograd.forward_ad has no _current_level: adapt takes_own_gradients in lit_cnn/torch_internals.py to "
        "how torch says that it differentiates forward"
    )
    assert takes_own_gradients()
    with torch.no_grad():
        assert not takes_own_gradients()
    with torch.autograd.forward_ad.dual_level():
        assert not takes_own_gradients()
    seen: list[bool] = []

    def program(x: torch.Tensor) -> torch.Tensor:
        seen.append(takes_own_gradients())
        return x * 2

    torch.func.jvp(program, (torch.ones(1),), (torch.ones(1),))
    torch.func.grad(lambda x: program(x).sum())(torch.ones(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that torch.export comes instead
        torch.jit.trace(program, torch.ones(1), check_trace=False)
    assert seen == [False, True, False]


def test_batches_of_gradients_are_recognized() -> None:
    for name in ("is_batchedtensor", "is_legacy_batchedtensor"):
        assert hasattr(torch._C._functorch, name), (
            f"torch._C._functorch has no {name}: adapt _is_several in lit_cnn/torch_internals.py to how "
            "torch.vmap and torch.autograd.grad(is_grads_batched=True) mark tensors now"
        )
    seen: list[tuple[bool, bool]] = []

    def program(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            seen.append((needs_plain_formula(x), is_channels_last(x)))
        return x

    images = torch.ones(2, 4, 5, 6, 3).movedim(-1, 2)  # two batches
    torch.vmap(program)(images)
    program(images[0])
    assert seen == [(True, False), (False, True)]
    assert needs_plain_formula(torch.ones(2))  # where gradients are recorded
