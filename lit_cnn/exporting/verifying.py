"""Whether an exported file computes what the network does: on real images, through the runtime that others use."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lit_cnn.data.normalization import normalize
from lit_cnn.data.preprocessing import evaluate_images
from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.preprocessed import PreprocessedNetwork
from lit_cnn.exporting.real_images import RealImages

Run = Callable[[Tensor], Tensor]
"""An exported file in its runtime: the input of its ``GraphForm`` to float32 logits (N, K)."""
AGREEMENT = 0.999
"""Least share of images to which a file and the network it was made from give the same class, near ties included."""
ROUNDING = 2
"""Gray levels by which prepared pixels may differ, since float32 and the integers of torchvision round otherwise."""


@dataclass(frozen=True)
class Verification:
    """An exported file against the network, evaluated in float32 as ``lit-cnn predict`` does.

    Attributes:
        images: How many were compared.
        agreed: Of these the ones with the same class.
        ties: Of the others the near ties: on the pixels that the graph prepares, which differ by at most ``ROUNDING``
            levels, the network itself gives the file's class.
        difference: Largest difference of a logit.
        logit: Largest logit of the network, to which the difference compares.
        levels: Largest difference of a prepared pixel to ours, in gray levels; None without preprocessing in the graph.
        right: Images that the file classifies correctly, and that the network does; None without labels.
    """

    images: int
    agreed: int
    ties: int
    difference: float
    logit: float
    levels: int | None
    right: tuple[int, int] | None

    @property
    def agreement(self) -> float:
        """Share of the images on which the file does what the network does."""
        return (self.agreed + self.ties) / self.images

    @property
    def accuracy(self) -> float | None:
        """Of the file."""
        return None if self.right is None else self.right[0] / self.images

    @property
    def network_accuracy(self) -> float | None:
        return None if self.right is None else self.right[1] / self.images

    def check(self, name: str) -> None:
        """Refuse a file that agrees less than ``AGREEMENT``.

        Raises:
            ValueError: With what differs.
        """
        if self.agreement < AGREEMENT:
            levels = "" if self.levels is None else f" and prepared pixels by up to {self.levels} gray levels"
            raise ValueError(
                f"{name} was not written, since it gives the network's class to {self.agreed + self.ties} of "
                f"{self.images} images "
                f"only ({100 * self.agreement:.2f} %, {100 * AGREEMENT:g} % are required); logits differ by up to "
                f"{self.difference:.2g}{levels}"
            )


@torch.inference_mode()
def verify(
    trained: Trained, run: Run, form: GraphForm, images: RealImages, advance: Advance = lambda _: None
) -> Verification:
    """Compare an exported file with the network.

    Args:
        trained: The network, not folded.
        run: The file.
        form: What it takes.
        images: On which.
        advance: Called as images are done.
    """
    known, expected, found, labels = trained.preprocessing, [], [], []
    ties, levels = 0, 0
    graph = PreprocessedNetwork(trained.network, known) if form.with_preprocessing else None
    for pixels, truth in images.decoded(known.in_channels):
        crops = evaluate_images(pixels, known)
        expected.append(trained.logits(crops).cpu())
        found.append(in_batches(run, graph_input(trained, form, pixels, crops), form.batch))
        labels.append(truth)
        if graph is not None:
            prepared = graph.prepared(channels_last(pixels))
            apart = (prepared - crops).abs().amax((1, 2, 3))
            levels = max(levels, int(apart.max()))
            changed = (found[-1].argmax(1) != expected[-1].argmax(1)) & (apart <= ROUNDING)
            if changed.any():
                again = trained.logits(prepared[changed].to(torch.uint8)).cpu()
                ties += int((again.argmax(1) == found[-1][changed].argmax(1)).sum())
        advance(len(pixels))
    theirs, ours, truth = torch.cat(found), torch.cat(expected), torch.cat(labels)
    same = (theirs.argmax(1) == ours.argmax(1)) & theirs.isfinite().all(1)
    right = [int((logits.argmax(1) == truth).sum()) for logits in (theirs, ours)]
    return Verification(
        len(ours),
        int(same.sum()),
        ties,
        float((theirs - ours).abs().max()),
        float(ours.abs().max()),
        levels if graph is not None else None,
        (right[0], right[1]) if images.labeled else None,
    )


def graph_input(trained: Trained, form: GraphForm, pixels: Tensor, crops: Tensor) -> Tensor:
    """What a file of the form takes for uint8 images (n, C, H, W), whose crops are known too."""
    if form.with_preprocessing:
        return channels_last(pixels)
    return normalize(crops, trained.preprocessing.mean, trained.preprocessing.std)


def channels_last(pixels: Tensor) -> Tensor:
    """(n, C, H, W) to (n, H, W, C)."""
    return pixels.permute(0, 2, 3, 1).contiguous()


def in_batches(run: Run, inputs: Tensor, batch: int | None) -> Tensor:
    """The logits of a file that takes ``batch`` images, whose last batch is filled up; None: as many as there are."""
    if batch is None:
        return run(inputs)
    parts = []
    for part in inputs.split(batch):
        missing = batch - len(part)
        whole = torch.cat([part, part[:1].expand(missing, *part.shape[1:])]) if missing else part
        parts.append(run(whole)[: len(part)])
    return torch.cat(parts)
