"""Weights arrive, or the target is left alone and the sentence says where the two part."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from toys import Fused, Plain, ShortcutFirst, WithHead, state_of

from lit_cnn.pretrained import transfer_weights
from lit_cnn.pretrained.equality import evaluate, make_telling

X = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))


def trained(network: nn.Module) -> nn.Module:
    make_telling(network, torch.Generator().manual_seed(1))
    return network


@pytest.mark.parametrize("other", [Plain, Fused])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_by_order(other: type[nn.Module], dtype: torch.dtype) -> None:
    source, target, x = trained(Plain()).to(dtype), other().to(dtype), X.to(dtype)
    report = transfer_weights(source, target, x)
    assert report.verified
    assert report.method == "order"
    assert report.pairs == len(report.names) == 22
    assert report.relative is not None
    assert report.relative <= (1e-9 if dtype == torch.float64 else 1e-4)
    assert report.first_mismatch is None
    assert report.left_out == ()
    torch.testing.assert_close(evaluate(target, x), evaluate(source, x))


@pytest.mark.parametrize("fresh", [False, True])
def test_another_order_of_execution(fresh: bool) -> None:
    """Fresh: the zero gain hides the residual from the output, so only the rehearsal can tell the branches apart."""
    source = Plain() if fresh else trained(Plain())
    target = ShortcutFirst()
    report = transfer_weights(source, target, X)
    assert report.method == "data flow"
    assert "residual.1" not in (report.first_mismatch or "")
    assert report.first_mismatch is not None
    assert all(torch.equal(value, target.state_dict()[name]) for name, value in source.state_dict().items())


def test_a_wrong_pairing_is_refused_though_every_shape_fits() -> None:
    class OtherActivation(Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x).tanh()

    target = OtherActivation()
    before = state_of(target)
    with pytest.raises(ValueError, match=r"the outputs differ by .* no single module differs"):
        transfer_weights(trained(Plain()), target, X)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


def test_the_first_module_that_computes_something_else_is_named() -> None:
    source = trained(Plain())
    source.shortcut[1].eps = 0.5
    with pytest.raises(ValueError, match=r"are shortcut.1 \(BatchNorm2d\) in the source and around \(FusedConvNorm\)"):
        transfer_weights(source, Fused(), X)


def test_impossible_pairing_names_the_first_module() -> None:
    other = Plain()
    other.head = nn.Linear(8, 6)
    before = state_of(other)
    with pytest.raises(
        ValueError, match=r"head \(Linear: weight 5x8, bias 5\) where the target has head \(Linear: weight 6"
    ):
        transfer_weights(Plain(), other, X)
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())


def test_heads_of_one_side_are_left_out() -> None:
    report = transfer_weights(trained(WithHead()), Plain(), X)
    assert report.verified
    assert report.left_out == ("auxiliary.weight", "auxiliary.bias", "unused.weight", "unused.bias")
    both = transfer_weights(trained(WithHead()), WithHead(), X)
    assert both.left_out == ("unused.weight", "unused.bias") * 2


def test_counter_of_batches_travels() -> None:
    source, target = trained(Plain()), Plain()
    source.stem[1].num_batches_tracked.fill_(7)
    transfer_weights(source, target, X)
    assert int(target.stem[1].num_batches_tracked) == 7


def test_modes_are_kept() -> None:
    source, target = Plain().train(), Fused().eval()
    transfer_weights(source, target, X)
    assert source.training
    assert not target.training


@pytest.mark.parametrize("ending", [".pth", ".safetensors", ".npz"])
def test_from_a_file(tmp_path: Path, ending: str) -> None:
    """safetensors forgets the order, so there the names must be the target's; the other two need none."""
    source = trained(Plain())
    path = tmp_path / f"weights{ending}"
    if ending == ".pth":
        torch.save({"epoch": 3, "state_dict": source.state_dict()}, path)
    elif ending == ".safetensors":
        save_file(source.state_dict(), path)
    else:
        np.savez(path, **{name: value.numpy() for name, value in source.state_dict().items()})
    target = Plain()
    report = transfer_weights(path, target, X)
    assert report.method == "names"
    assert not report.verified
    assert report.max_difference is None
    torch.testing.assert_close(evaluate(target, X), evaluate(source, X))
    verified = transfer_weights(path, Fused(), X, reference=Plain())
    assert verified.verified


def test_bare_state_of_other_names_needs_logits_to_be_verified() -> None:
    source = trained(Plain())
    bare = {f"layer{number}.{name}": value for number, (name, value) in enumerate(source.state_dict().items())}
    with pytest.raises(ValueError, match="cannot be paired"):
        transfer_weights({name: value for name, value in bare.items() if "head" not in name}, Plain(), X)
    renamed = {name.replace("stem", "entry"): value for name, value in source.state_dict().items()}
    target = Plain()
    with pytest.warns(UserWarning, match="the pairing of these weights is unproven: 22 tensors"):
        assert not transfer_weights(renamed, target, X).verified
    report = transfer_weights(renamed, Plain(), X, logits=evaluate(source, X))
    assert report.verified
    assert report.max_difference == 0.0
    before = state_of(target)
    with pytest.raises(ValueError, match="the logits differ"):
        transfer_weights(renamed, target, X, logits=evaluate(source, X) + 1)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


def test_logits_decide_between_orders() -> None:
    """Stored in the order of the names, in which the gate and the 1x1 convolutions stand elsewhere."""
    source = trained(Plain())
    names = sorted(
        source.state_dict(), key=lambda name: (name.startswith("head"), not name.startswith(("gain", "stem")))
    )
    stored = {f"net.{name}": source.state_dict()[name] for name in names}
    report = transfer_weights(stored, Plain(), X, logits=evaluate(source, X))
    assert report.verified
    assert report.pairs == 22


def test_reference_must_have_the_names() -> None:
    state = {f"module.{name}": value for name, value in trained(Plain()).state_dict().items()}
    assert transfer_weights(state, Fused(), X, reference=Plain()).verified
    with pytest.raises(ValueError, match="the weights have no 'skip', which the reference Fused has"):
        transfer_weights(state, Plain(), X, reference=Fused())


def test_tied_weights() -> None:
    def tied() -> nn.Sequential:
        network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        network[2].weight = network[0].weight
        return network

    source, target = tied(), tied()
    assert transfer_weights(source, target, torch.randn(2, 4)).pairs == 4
    assert target[2].weight is target[0].weight
