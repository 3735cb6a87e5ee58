"""Does our network compute what another library's network of the same architecture computes?"""

import fnmatch
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_cnn.pretrained.equality import difference, evaluate, make_telling, settle_statistics
from lit_cnn.pretrained.references import REFERENCES, Reference
from lit_cnn.pretrained.transfer import TransferReport, transfer_weights

TOLERANCE_DOUBLE = 1e-9
TOLERANCE_SINGLE = 1e-4
SMALL_GRADIENT = 1e-5
"""A parameter's gradient is compared on its own scale, or on this share of the network's largest where it is smaller:
a bias in front of a batch norm has the gradient zero, of which only rounding is left."""


@dataclass(frozen=True)
class ParityResult:
    """One measured row.

    Args:
        name: Our network.
        library: "torchvision" or "timm".
        other: The other network's name there.
        image_size: Height and width in px.
        pairs: Tensors transferred.
        method: How they were paired.
        logits: Largest difference of the evaluated logits in float64, over the largest logit.
        logits_single: The same in float32.
        gradient: Largest difference of a parameter's gradient in training in float64, over the parameter's largest
            entry; None where it was not compared.
        seconds: Time of the row.
    """

    name: str
    library: str
    other: str
    image_size: int
    pairs: int
    method: str
    logits: float
    logits_single: float
    gradient: float | None
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether every difference is within its tolerance."""
        doubles = (self.logits, 0.0 if self.gradient is None else self.gradient)
        return all(value <= TOLERANCE_DOUBLE for value in doubles) and self.logits_single <= TOLERANCE_SINGLE


def select_references(patterns: Sequence[str] = (), *, quick: bool = False) -> list[Reference]:
    """The rows whose own or other name matches one of the shell patterns; all without patterns.

    Raises:
        ValueError: If a pattern matches nothing.
    """
    for pattern in patterns:
        if not any(_matches(row, pattern) for row in REFERENCES):
            raise ValueError(f"no reference of {pattern!r}; `lit-cnn parity --list` shows the networks that have one")
    rows = [row for row in REFERENCES if not patterns or any(_matches(row, pattern) for pattern in patterns)]
    return [row for row in rows if row.quick or not quick]


def _matches(row: Reference, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in (row.name, row.other))


def measure_parity(row: Reference, *, batch: int = 2, seed: int = 0) -> ParityResult:
    """Give ours the other's weights, with random statistics and gains, and compare the two.

    Raises:
        ValueError: If the weights cannot be paired or the outputs differ.
    """
    start = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ours, theirs = row.build()
    generator = torch.Generator().manual_seed(seed)
    ours, theirs = ours.double(), theirs.double()
    make_telling(theirs, generator)
    images = torch.randn(batch, 3, row.image_size, row.image_size, dtype=torch.float64, generator=generator)
    settle_statistics(theirs, images, generator)
    report = transfer_weights(theirs, ours, images)
    assert report.relative is not None
    gradient = gradient_difference(theirs, ours, images, report) if row.gradient else None
    ours, theirs, images = ours.float(), theirs.float(), images.float()
    single = difference(evaluate(theirs, images), evaluate(ours, images))[1]
    return ParityResult(
        row.name,
        row.library,
        row.other,
        row.image_size,
        report.pairs,
        report.method,
        report.relative,
        single,
        gradient,
        time.perf_counter() - start,
    )


def measure_all(
    rows: Sequence[Reference], on_row: Callable[[str], object] = lambda _: None
) -> tuple[list[ParityResult], list[str]]:
    """Every row that could be measured, and a sentence for every other; ``on_row`` gets the name of each before."""
    results, failures = [], []
    for row in rows:
        on_row(row.name)
        try:
            results.append(measure_parity(row))
        except ValueError as error:
            failures.append(f"{row.label}: {error}")
    return results, failures


def gradient_difference(source: nn.Module, target: nn.Module, images: Tensor, report: TransferReport) -> float:
    """Largest relative difference of the gradients of a loss in training, over all pairs of parameters; infinite where
    one is not a number.

    Raises:
        ValueError: If a parameter gets a gradient on one side only.
    """
    gradients = [gradients_in_training(network, images) for network in (source, target)]
    largest = max(float(value.abs().max()) for value in gradients[0].values())
    found = [0.0]
    parameters = dict(target.named_parameters())
    for left, right in report.names:
        if right not in parameters:
            continue
        if (left in gradients[0]) != (right in gradients[1]):
            raise ValueError(f"in training a gradient reaches only one of {left} (source) and {right} (target)")
        if left in gradients[0]:
            expected, actual = gradients[0][left], gradients[1][right]
            scale = max(float(expected.abs().max()), SMALL_GRADIENT * largest)
            found.append(float((expected - actual.reshape(expected.shape)).abs().max()) / scale)
    return math.inf if any(map(math.isnan, found)) else max(found)


def gradients_in_training(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Gradients of a fixed random linear function of the logits (and of the sum of auxiliary logits), by name.

    Statistics and modes are as before afterwards.
    """
    kept = {name: value.clone() for name, value in network.named_buffers()}
    network.train().zero_grad(set_to_none=True)
    outputs = network(images)
    heads = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    generator = torch.Generator().manual_seed(1)
    loss = torch.zeros((), dtype=images.dtype)
    for logits in (heads[0], sum(heads[1:])):
        direction = torch.randn(heads[0].shape, dtype=images.dtype, generator=generator)
        loss = loss + (logits * direction).sum()
    loss.backward()
    with torch.no_grad():
        for name, value in network.named_buffers():
            value.copy_(kept[name])
    found = {name: value.grad for name, value in network.named_parameters() if value.grad is not None}
    network.eval().zero_grad(set_to_none=True)
    return found
