# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Closing the generalization gap
#
# A network with more weights than training images can learn all of them by heart. What counts is how it does on images
# that it has not seen. The difference between the two is the **generalization gap**. This notebook makes a large gap
# (few images) and then tries the remedies of the lecture on it, one at a time: early stopping, weight decay in two
# forms, dropout, stochastic depth, augmentation, mixup, CutMix, and an ensemble.
#
# Install: `pip install '/path/to/lit-cnn'` (or `make quickstart` in its folder). No download, no GPU, under 5 minutes
# on two cores. Every number is computed below; none of them is a result on ImageNet.

# %%
import contextlib
import io
import logging
import os
import statistics
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate

import lit_cnn
from lit_cnn.evaluation.ensemble import ensemble_scores
from lit_cnn.run_folder.metrics_csv import read_metrics

WORK = Path(tempfile.mkdtemp(prefix="generalization_gap_"))
for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
    logging.getLogger(name).setLevel(logging.ERROR)  # which devices there are is of no interest here
warnings.filterwarnings("ignore", module="lightning")
torch.set_num_threads(
    1
)  # a network as small as this one gains little from more, and loses much while other programs run

# %% [markdown]
# ## 1. Three sets of images
#
# - **Training** images: the weights are fitted to them. We take very few, so that the gap is large.
# - **Validation** images: we may look at them to decide when to stop or which remedy to use.
# - **Test** images: looked at once, at the end. Whatever was chosen on the validation images looks a little too good
#   there, and only the test images say how good it is.
#
# The images are scikit-learn's handwritten digits, or CIFAR-10 at half its resolution where the folder of the variable
# `LIT_CNN_DATA` has `cifar10.npz`. Both are 16 pixels a side here.

# %%
CIFAR = Path(os.environ.get("LIT_CNN_DATA", "no folder")) / "cifar10.npz"
SIDE = 16


def read_images() -> tuple[str, np.ndarray, np.ndarray]:
    """Name, images uint8 (N, SIDE, SIDE, C) and labels (N,)."""
    if CIFAR.is_file():
        with np.load(CIFAR) as arrays:
            images, labels = arrays["train_images"][:4000], arrays["train_labels"][:4000].reshape(-1)
        halves = images.reshape(len(images), SIDE, 2, SIDE, 2, 3).mean(axis=(2, 4))
        return "CIFAR-10 at 16 px", halves.round().astype(np.uint8), labels
    bunch = load_digits()
    enlarged = interpolate(torch.from_numpy(bunch.images)[:, None], size=SIDE, mode="bilinear")
    return "handwritten digits", (enlarged * 255 / 16).round().byte().permute(0, 2, 3, 1).numpy(), bunch.target


title, images, labels = read_images()
TRAIN, VAL = (500, 500) if CIFAR.is_file() else (100, 300)
order = np.random.default_rng(0).permutation(len(images))
parts = {"train": order[:TRAIN], "val": order[TRAIN : TRAIN + VAL], "test": order[TRAIN + VAL :]}
arrays = {f"{part}_images": images[rows] for part, rows in parts.items()}
arrays |= {f"{part}_labels": labels[rows].astype(np.int64) for part, rows in parts.items()}
np.savez(WORK / "images.npz", **arrays)
print(title, {part: len(rows) for part, rows in parts.items()})

figure, panels = plt.subplots(1, 12, figsize=(12, 1.4))
for axes, image, label in zip(panels, arrays["train_images"], arrays["train_labels"], strict=False):
    axes.imshow(image.squeeze(), cmap="gray")
    axes.set_title(str(label), fontsize=9)
    axes.axis("off")
plt.show()

# %% [markdown]
# ## 2. One network, one recipe, one change at a time
#
# A ResNet-20 of He et al. (2015) with Adam, without any regularization. `lit_cnn.fit` trains a recipe; `overrides` are
# the keys that a command line would set (`--model.options.dropout 0.3`).

# %%
EPOCHS = 20 if CIFAR.is_file() else 40
PLAIN = {
    "trainer.max_epochs": EPOCHS,
    "trainer.precision": "32-true",
    "trainer.enable_progress_bar": False,
    "trainer.log_every_n_steps": 1,
    "tracking.mode": "disabled",
    "data.source": "npz",
    "data.path": str(WORK / "images.npz"),
    "data.batch_size": 25,
    "data.eval_batch_size": 250,
    "data.crop.padding": 0,
    "model.optimizer.name": "adamw",
    "model.optimizer.learning_rate": 3e-3,
    "model.optimizer.base_batch_size": None,
    "model.optimizer.weight_decay": 0.0,
    "ema.decay": 0.0,
}
FLIP = 0.5 if CIFAR.is_file() else 0.0  # a mirrored 2 is not a 2
REMEDIES = {
    "plain": {},
    "early stopping": {"early_stopping.patience": 8, "monitor": "val/loss"},
    "L2 (coupled)": {"model.optimizer.weight_decay": 0.01, "model.optimizer.decay": "coupled"},
    "weight decay (decoupled)": {"model.optimizer.weight_decay": 0.3, "model.optimizer.decay": "decoupled"},
    "dropout": {"model.options.dropout": 0.3},
    "stochastic depth": {"model.options.drop_path": 0.3},
    "augmentation": {"data.crop.padding": 2, "data.flip.horizontal": FLIP},
    "mixup": {"data.mixup.alpha": 0.4},
    "CutMix": {"data.cutmix.alpha": 1.0},
}


def train(name: str, changes: dict, seed: int = 0) -> Path:
    """The run folder."""
    with contextlib.redirect_stdout(io.StringIO()):  # the line on the data, which is the same each time
        recipe = lit_cnn.Recipe.load("quickstart", overrides={**PLAIN, **changes, "seed_everything": seed})
        run = lit_cnn.fit(recipe, runs=WORK / "runs")
    print(f"{name:26} {run.epochs} epochs, validation accuracy {100 * run.metrics['val/acc1']:.1f} % after the last")
    return run.folder


folders = {name: train(name, changes) for name, changes in REMEDIES.items()}

# %% [markdown]
# What each remedy does:
#
# | remedy | idea |
# |---|---|
# | early stopping | end the training when the validation loss no longer falls, and keep the best epoch |
# | L2 | add λ‖θ‖²/2 to the loss. In Adam its gradient is divided by the size of past gradients, like all others |
# | decoupled decay | shrink the weights directly by η·λ in every step, past Adam's division (AdamW) |
# | dropout | in training, set random features before the classifier to 0 |
# | stochastic depth | in training, skip random residual blocks: the network trains at many depths |
# | augmentation | show shifted (and for photographs mirrored) images: the label stays true |
# | mixup | train on weighted means of two images, with the same mean of their labels |
# | CutMix | paste a rectangle of one image into another, and mix the labels by area |
#
# ## 3. The curves

# %%
curves = {name: read_metrics(folder / "metrics.csv") for name, folder in folders.items()}


def column(name: str, metric: str) -> tuple[list[float], list[float]]:
    """Epochs and values."""
    rows = [row for row in curves[name] if metric in row]
    return [row["epoch"] + 1 for row in rows], [row[metric] for row in rows]


figure, (first, second) = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained")
for metric, label in (("train/loss", "training"), ("val/loss", "validation")):
    epochs, values = column("plain", metric)
    first.plot(epochs, values, label=label)
first.set(title="plain: the gap opens", xlabel="epoch", ylabel="cross-entropy", ylim=(0, None))
first.legend(frameon=False)
for number, name in enumerate(curves):
    epochs, values = column(name, "val/loss")
    color = "black" if name == "plain" else f"C{number}"
    second.plot(epochs, values, label=name, color=color, linewidth=2 if name == "plain" else 1.2)
low = min(min(column(name, "val/loss")[1]) for name in curves)
second.set(title="validation loss, every remedy", xlabel="epoch", ylim=(0, 4 * low))
second.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# The training loss of dropout, augmentation and mixing is *not* comparable with the plain one, since these make
# training harder on purpose. So we ask each finished network the same two questions: how accurate is it on the clean
# training images, and how accurate on the test images? The first minus the second is its gap.


# %%
def pixels(part: str) -> torch.Tensor:
    """uint8 (N, C, H, W), as a network takes them."""
    stored = torch.from_numpy(arrays[f"{part}_images"])
    return stored.permute(0, 3, 1, 2).contiguous()


def probabilities(folder: Path, part: str, checkpoint: str = "last.ckpt") -> torch.Tensor:
    """(N, 10) of a trained network."""
    model = lit_cnn.load_model(folder / "checkpoints" / checkpoint)
    return model.logits(pixels(part)).softmax(dim=1)


def accuracy(predicted: torch.Tensor, part: str) -> float:
    """In percent."""
    return 100 * float((predicted.argmax(dim=1) == torch.from_numpy(arrays[f"{part}_labels"])).float().mean())


table = {}
for name, folder in folders.items():
    checkpoint = "best.ckpt" if name == "early stopping" else "last.ckpt"
    seen, unseen = (accuracy(probabilities(folder, part, checkpoint), part) for part in ("train", "test"))
    table[name] = (seen, unseen, len(column(name, "val/loss")[0]))

# %% [markdown]
# ## 4. An ensemble, and how much is chance
#
# Three networks that differ in their seed alone (initial weights, order of the images) make different mistakes. The
# mean of their probabilities is the ensemble's answer. The same three show how much a single result moves by chance.

# %%
members = [folders["augmentation"]]
members += [train(f"augmentation, seed {seed}", REMEDIES["augmentation"], seed) for seed in (1, 2)]
votes = {part: [probabilities(folder, part) for folder in members] for part in ("train", "test")}
means = {part: torch.stack(each).mean(dim=0) for part, each in votes.items()}
table["ensemble of 3, augmented"] = (accuracy(means["train"], "train"), accuracy(means["test"], "test"), 3 * EPOCHS)

single = [accuracy(each, "test") for each in votes["test"]]
spread = statistics.stdev(single)
scores = ensemble_scores(votes["test"], torch.from_numpy(arrays["test_labels"]))
low, high = (100 * bound for bound in scores.gain_over_mean_interval)
print(f"three seeds: {', '.join(f'{each:.1f}' for each in single)} %, standard deviation {spread:.1f}")
print(f"ensemble: {100 * scores.gain_over_mean:+.1f} points over their mean (95 % interval {low:+.1f} to {high:+.1f})")

# %%
print(f"{'':26}{'training':>10}{'test':>8}{'gap':>7}{'epochs':>8}")
for name, (seen, unseen, epochs) in table.items():
    print(f"{name:26}{seen:8.1f} %{unseen:6.1f} %{seen - unseen:7.1f}{epochs:8}")

figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
for row, (seen, unseen, _) in enumerate(table.values()):
    axes.plot([unseen, seen], [row, row], color="#bbbbbb", linewidth=5, zorder=1)
axes.scatter([seen for seen, _, _ in table.values()], range(len(table)), color="#1f77b4", label="training images")
axes.scatter([unseen for _, unseen, _ in table.values()], range(len(table)), color="#d62728", label="test images")
axes.axvline(table["plain"][1], color="#d62728", linewidth=0.8, linestyle=":")
axes.set_yticks(range(len(table)), table)
axes.invert_yaxis()
axes.set(xlabel="accuracy, %", title=f"{title}: the gap is the gray bar")
figure.legend(frameon=False, loc="outside lower center", ncols=2)
plt.show()

# %% [markdown]
# ## 5. What this shows, and what it cannot

# %%
tested = len(arrays["test_labels"])
plain = table["plain"][1] / 100
error = 100 * (plain * (1 - plain) / tested) ** 0.5
bar = 2 * 2**0.5 * max(error, spread)  # twice the standard error of a difference of two
better = [name for name, (_, unseen, _) in table.items() if unseen - table["plain"][1] > bar]
narrower = [name for name, row in table.items() if table["plain"][0] - table["plain"][1] - (row[0] - row[1]) > bar]
print(f"standard error of an accuracy on {tested} test images: {error:.1f} points")
print(f"standard deviation of three seeds: {spread:.1f} points")
print(f"by the larger of the two, single runs differ from {bar:.1f} points on")
print(f"more accurate than plain by more than that: {', '.join(better) or 'none'}")
print(f"narrower gap by more than that: {', '.join(narrower) or 'none'}")

# %% [markdown]
# - Each remedy ran **once**, only the augmented network three times, and with one strength that was not tuned. What
#   does not help here may help with another strength, more epochs or more images, and a difference below the printed
#   bar may be chance. Three seeds give only a rough idea of their spread.
# - A narrow gap is not the aim. A network that has learned nothing has no gap at all. Look at the test accuracy first.
# - If early stopping ran through all epochs, its validation loss was still falling: with a learning rate that falls to
#   zero, as here, it often is, and there is nothing to stop.
# - Early stopping chose its epoch on the validation images; all accuracies of the table are those of other images.
# - mixup, CutMix and stochastic depth come from long trainings of large networks. In a short training they cost
#   progress before they pay. `lit-cnn reproduce augmentation` and `lit-cnn reproduce regularization` compare them with
#   several seeds and by rules that are fixed before the first run.
# - The surest remedy is more images. Raise `TRAIN` and run again.
#
# **Try**: the remedies together; `weight_decay` ten times larger or smaller for both forms; `label_smoothing`
# (`"model.loss.label_smoothing": 0.1`); twice as many epochs.
