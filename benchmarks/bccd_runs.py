"""One training of a detector on BCCD: its recipe on top of recipes/detection/bccd.yaml, and its figures."""

import shutil
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from finished_runs import timed_fit
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn import Recipe
from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.data import DetectionData
from lit_cnn.detection.detector import Detector
from lit_cnn.evaluation.detector_validation import SplitName, detection_data, validate_detector
from lit_cnn.evaluation.trained_detector import load_detector
from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint
from lit_cnn.training.precision import autocast

COUNTED_IMAGES = 16
"""Test images of which the multiply-adds are averaged: a detector of two stages does as many as it has proposals."""
ALWAYS: dict[str, Any] = {
    "trainer.accelerator": "cpu",
    "trainer.devices": 1,
    "trainer.enable_progress_bar": False,
    "tracking.mode": "disabled",
    "data.workers": 0,
}


def detector_recipe(epochs: int, seed: int, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with one validation, after the last epoch."""
    overrides = {
        **ALWAYS,
        "data.path": "bccd",
        "seed_everything": seed,
        "trainer.max_epochs": epochs,
        "trainer.check_val_every_n_epoch": epochs,
        **settings,
    }
    return Recipe.load("detection/bccd", overrides=overrides)


def train_detector(recipe: Recipe, runs: Path, split: SplitName) -> dict[str, float]:
    """Train in a run folder that is removed, and measure the averaged weights of the last epoch on a split."""
    run, seconds = timed_fit(recipe, runs)
    assert run.folder is not None
    path = str(run.folder / "checkpoints" / LAST)
    checkpoint = load_checkpoint(path)
    detector = load_detector(checkpoint, path, "ema")
    data = detection_data(checkpoint, detector, path, None, False)
    figures = detector_figures(detector, data, split, bf16="bf16" in str(recipe.trainer["precision"]))
    shutil.rmtree(run.folder)
    return {**figures, "train_loss": run.metrics["train/loss"], "seconds": seconds}


def detector_figures(detector: Detector, data: DetectionData, split: SplitName, *, bf16: bool) -> dict[str, float]:
    """Average precisions in [0, 1], counts of the whole detector, milliseconds of processor time an image."""
    metrics = validate_detector(detector, data, split, bf16=bf16).metrics
    found = metrics.compute()
    classes = {f"ap50 {each.name}": each.ap50 for each in metrics.per_class()}
    chosen = {name: found[name] for name in ("map50", "map", "map75", "voc07_ap50", "voc_ap50")}
    counted = {
        "params": float(sum(parameter.numel() for parameter in detector.parameters())),
        "madds": detector_madds(detector, data),
        "milliseconds": detection_milliseconds(detector, data, bf16=bf16),
    }
    return {**chosen, **classes, **counted}


def test_batches(data: DetectionData, device: torch.device) -> list[BoxBatch]:
    """Batches of the recipe's size with at least ``COUNTED_IMAGES`` images in all."""
    batches: list[BoxBatch] = []
    for loaded in data.test_dataloader():
        moved = BoxBatch(*(part.to(device) for part in loaded))
        batches.append(data.prepare(moved, training=False, step=0, epoch=0))
        if sum(len(batch.images) for batch in batches) >= COUNTED_IMAGES:
            break
    return batches


@torch.inference_mode()
def detector_madds(detector: Detector, data: DetectionData) -> float:
    """Multiply-adds of the convolutions and linear layers for an image, mean over the first test images."""
    batches = test_batches(data, detector.device)
    with FlopCounterMode(display=False) as counter:
        for batch in batches:
            detector(batch.images)
    return counter.get_total_flops() / 2 / sum(len(batch.images) for batch in batches)


@torch.inference_mode()
def detection_milliseconds(detector: Detector, data: DetectionData, *, bf16: bool, rounds: int = 5) -> float:
    """Of processor time for an image in network, decoding and suppression: the median over rounds of batches."""
    times = []
    batches = test_batches(data, detector.device)
    for _ in range(rounds):
        for batch in batches:
            began = time.process_time()
            with autocast(detector.device, bf16):
                detector(batch.images)
            times.append(1000 * (time.process_time() - began) / len(batch.images))
    return statistics.median(times)
