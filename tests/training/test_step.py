"""A training step outside a Trainer does its parts once each, in their order."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lit_cnn.data.batch import Batch, as_batch
from lit_cnn.training.step import TrainingStep, plain_step


def make_batch() -> Batch:
    generator = torch.Generator().manual_seed(3)
    return as_batch((torch.randn(4, 3, generator=generator), torch.tensor([0, 1, 1, 0])), place=0)


@pytest.mark.parametrize("bf16", [False, True])
def test_the_parts_of_a_step_come_in_their_order(bf16: bool) -> None:
    log: list[str] = []
    network = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network.weight.grad = torch.full_like(network.weight, float("nan"))  # of an earlier step: it must not count

    def loss_of(batch: Batch) -> Tensor:
        outputs = network(batch.images)
        log.append(f"loss of {outputs.dtype}")
        return outputs.float().square().sum()

    def clip() -> None:
        assert network.weight.grad is not None
        log.append(f"clip {float(network.weight.grad.norm()):.4f}")
        network.weight.grad.zero_()

    before = network.weight.detach().clone(), network.bias.detach().clone()
    expected = torch.autograd.grad(network(make_batch().images).square().sum(), network.weight)[0].norm()
    TrainingStep(network, loss_of, optimizer, clip, bf16).run(make_batch(), lambda: log.append("part"))
    assert [line.split()[0] for line in log] == ["loss", "part", "part", "clip", "part"]
    assert log[0] == f"loss of {torch.bfloat16 if bf16 else torch.float32}"
    assert float(log[3].split()[1]) == pytest.approx(float(expected), rel=0.02 if bf16 else 1e-4)
    assert torch.equal(network.weight, before[0])  # clipped to nothing
    assert not torch.equal(network.bias, before[1])


class Heads(nn.Module):
    """A classifier with an auxiliary head in training."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.auxiliary = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return (self.main(x), self.auxiliary(x)) if self.training else self.main(x)


@pytest.mark.parametrize("training", [True, False])
def test_a_plain_step_descends_the_cross_entropy_of_every_head(training: bool) -> None:
    network, batch = Heads().train(training), make_batch()
    heads = [network.main, network.auxiliary][: 1 + training]
    weights = [head.weight for head in heads]
    loss = sum(F.cross_entropy(head(batch.images), batch.targets) for head in heads)
    expected = [w.detach() - 1e-4 * g for w, g in zip(weights, torch.autograd.grad(loss, weights), strict=True)]
    plain_step(network, bf16=False).run(batch)
    for weight, value in zip(weights, expected, strict=True):
        torch.testing.assert_close(weight.detach(), value, rtol=0, atol=1e-8)
