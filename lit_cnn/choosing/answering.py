"""Which validation images a trained candidate classifies correctly."""

from pathlib import Path

import torch
from torch import Tensor

from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.trained import NotFinite, Trained, load_trained
from lit_cnn.evaluation.validation import in_run_precision
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.checkpoint import LAST


def answers_of(run: Path, device: torch.device) -> dict[str, bool]:
    """Image -> whether the averaged weights with which a run stands classify it correctly.

    Args:
        run: The run folder, with the images it was validated on.
        device: Where.
    """
    trained, _ = in_run_precision(load_trained(run / "checkpoints" / LAST))
    trained.network.to(device)
    data = Recipe.load(run / "config.yaml").data
    data.setup("fit")
    found: dict[str, bool] = {}
    for batch in data.val_dataloader():
        kept = batch.index >= 0
        right = _right(trained, batch.images[kept], batch.targets[kept])
        found |= dict(zip(image_names(data, batch.index[kept]), right.tolist(), strict=True))
    return found


def _right(trained: Trained, images: Tensor, targets: Tensor) -> Tensor:
    """bool (n,): whether each image is classified correctly; none where the output is not finite."""
    try:
        return trained.logits(images).cpu().argmax(1) == targets
    except NotFinite:
        return torch.zeros(len(targets), dtype=torch.bool)


def image_names(data: ImageData, rows: Tensor) -> list[str]:
    """What validation images are called: their files, or their rows."""
    split = data.loaded.val
    return [split.paths[row] if isinstance(split, FolderSplit) else str(row) for row in rows.tolist()]
