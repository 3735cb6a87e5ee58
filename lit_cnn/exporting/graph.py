"""What is traced for an export: the folded network, an example, and which of its sizes may vary."""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.folding import fold_for_inference
from lit_cnn.exporting.preprocessed import PreprocessedNetwork

EXAMPLES = 2
"""Images of the example where their number may vary: torch takes an example of one for a fixed size."""


@dataclass(frozen=True)
class GraphForm:
    """What goes into an exported graph, and comes out.

    Args:
        with_preprocessing: Take uint8 (N, H, W, C) of any height and width; else the normalized crops, float32
            (N, C, height, width).
        batch: Images of each pass; None: any number.
        opset: Version of ONNX's operators; None: that of torch's exporter.
    """

    with_preprocessing: bool = True
    batch: int | None = None
    opset: int | None = None

    def __post_init__(self) -> None:
        if self.batch is not None and self.batch < 1:
            raise ValueError(f"the batch is {self.batch} but must be at least 1")


@dataclass(frozen=True)
class Traceable:
    """A module in evaluation mode, an example of its input, and for torch's exporters the axes that may vary."""

    module: nn.Module
    example: Tensor
    axes: dict[int, Any]


def traceable(trained: Trained, form: GraphForm) -> Traceable:
    """The network of a checkpoint, folded, with its preprocessing in front where the form has it.

    Raises:
        ValueError: If it does not record its preprocessing, or folding changes what it computes.
    """
    known = trained.preprocessing
    network = folded(trained)
    batch = EXAMPLES if form.batch is None else form.batch
    axes: dict[int, Any] = {} if form.batch else {0: torch.export.Dim("batch")}
    if not form.with_preprocessing:
        return Traceable(network, torch.zeros(batch, known.in_channels, *known.image_size), axes)
    height, width = known.box
    example = torch.zeros(batch, height + 3, width + 5, known.in_channels, dtype=torch.uint8)  # odd, so not specialized
    axes |= {1: torch.export.Dim("height"), 2: torch.export.Dim("width")}
    return Traceable(PreprocessedNetwork(network, known).eval(), example, axes)


def folded(trained: Trained) -> nn.Module:
    """A float32 copy on the CPU whose batch norms are in its convolutions; folded in float64, so that rounding does not
    hide a fault, nor look like one."""
    known = trained.preprocessing
    noise = torch.randn(1, known.in_channels, *known.image_size, generator=torch.Generator().manual_seed(0))
    network = copy.deepcopy(trained.network).cpu().double()
    return fold_for_inference(network, noise.double()).network.float().requires_grad_(False)


@contextmanager
def quiet() -> Iterator[None]:
    """Within, exporters do not warn: they speak of their own deprecated parts, which nobody here can change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
