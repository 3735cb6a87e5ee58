import itertools

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.benchmarking.phases import StepParts


class Recorder(nn.Module):
    """Writes its passes into ``log``."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.linear, self.log = nn.Linear(3, 2), log

    def forward(self, x: Tensor) -> Tensor:
        self.log.append(f"forward {'training' if self.training else 'evaluation'} {torch.is_grad_enabled()}")
        return self.linear(x)


def make_parts(log: list[str], bf16: bool = False) -> StepParts:
    network = Recorder(log)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)

    def loss(outputs: Tensor, _: Tensor) -> Tensor:
        log.append(str(outputs.dtype))
        return outputs.square().sum()

    def next_batch() -> tuple[Tensor, Tensor]:
        log.append("data")
        return torch.ones(4, 3), torch.zeros(4)

    def update() -> None:
        log.append("update")
        optimizer.step()

    return StepParts(network, next_batch, loss, optimizer, update, bf16)


@pytest.mark.parametrize("bf16", [False, True])
def test_a_step_is_timed_in_its_four_parts(bf16: bool) -> None:
    log: list[str] = []
    parts = make_parts(log, bf16)
    before = parts.network.linear.weight.detach().clone()
    readings = iter([0.0, 1.0, 3.0, 7.0, 15.0])
    assert parts.run(clock=lambda: next(readings)) == (1.0, 2.0, 4.0, 8.0)
    assert log == ["data", "forward training True", "torch.bfloat16" if bf16 else "torch.float32", "update"]
    assert not torch.equal(parts.network.linear.weight, before)


def test_inference_keeps_no_gradient_and_is_timed() -> None:
    log: list[str] = []
    ticks = itertools.count()
    assert make_parts(log).infer(torch.ones(4, 3), clock=lambda: float(next(ticks))) == 1.0
    assert log == ["forward evaluation False"]
