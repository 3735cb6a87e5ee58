"""What lit_cnn/torch_internals.py uses of torch is there, and does what is said of it."""

import torch
from torch._inductor import config

from lit_cnn.torch_internals import freezing_compiler, onednn_has_bf16


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
