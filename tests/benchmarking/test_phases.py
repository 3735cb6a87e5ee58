import itertools

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.benchmarking.phases import TimedStep
from lit_cnn.data.batch import Batch, as_batch
from lit_cnn.training.step import TrainingStep


class Recorder(nn.Module):
    """Writes its passes into ``log``."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.linear, self.log = nn.Linear(3, 2), log

    def forward(self, x: Tensor) -> Tensor:
        self.log.append(f"forward {'training' if self.training else 'evaluation'} {torch.is_grad_enabled()}")
        return self.linear(x)


def make_parts(log: list[str], bf16: bool = False) -> TimedStep:
    network = Recorder(log)

    def loss_of(batch: Batch) -> Tensor:
        outputs = network(batch.images)
        log.append(str(outputs.dtype))
        return outputs.square().sum()

    def next_batch() -> Batch:
        log.append("data")
        return as_batch((torch.ones(4, 3), torch.zeros(4, dtype=torch.int64)), place=0)

    def clip() -> None:
        log.append("clip")

    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    return TimedStep(TrainingStep(network, loss_of, optimizer, clip, bf16), next_batch)


@pytest.mark.parametrize("bf16", [False, True])
def test_a_step_is_timed_in_its_four_parts(bf16: bool) -> None:
    log: list[str] = []
    parts = make_parts(log, bf16)
    before = parts.step.network.linear.weight.detach().clone()
    parts.step.network.eval()
    readings = iter([0.0, 1.0, 3.0, 7.0, 15.0])
    assert parts.run(clock=lambda: next(readings)) == (1.0, 2.0, 4.0, 8.0)
    assert log == ["data", "forward training True", "torch.bfloat16" if bf16 else "torch.float32", "clip"]
    assert not torch.equal(parts.step.network.linear.weight, before)


def test_inference_keeps_no_gradient_and_is_timed() -> None:
    log: list[str] = []
    ticks = itertools.count()
    assert make_parts(log).infer(torch.ones(4, 3), clock=lambda: float(next(ticks))) == 1.0
    assert log == ["forward evaluation False"]
