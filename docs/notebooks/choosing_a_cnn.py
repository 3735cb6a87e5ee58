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
# # Choosing and shipping a CNN for my images
#
# From a folder of images to a file that another program runs: look at the data, compare networks on *this* machine,
# train the one that is recommended, measure it honestly, make its confidence believable, export it, and see what it
# looks at. Every step is one `lit-cnn` command, which you can type in a terminal as well.
#
# Install: `pip install '/path/to/lit-cnn[onnx]'`. No GPU and no download needed, about 5 minutes on two cores.

# %%
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import PIL.Image
from IPython.display import Image, display
from sklearn.datasets import load_digits

import lit_cnn

# %% [markdown]
# ## 1. Your images
#
# **Set `IMAGES` to your folder**, as in `IMAGES = Path("my_images")`: one subfolder per class, or `train/`, `val/` and
# `test/` folders of such. As it stands, the notebook takes the photographs of flowers in the folder of the variable
# `LIT_CNN_DATA`, where there are any, and else writes a folder of scikit-learn's handwritten digits.

# %%
WORK = Path(tempfile.mkdtemp(prefix="choosing_a_cnn_")).resolve()
os.environ["WANDB_MODE"] = "disabled"  # leave this out to follow the training in Weights & Biases
FLOWERS = Path(os.environ.get("LIT_CNN_DATA", "no folder")) / "flowers"
DIGITS = WORK / "digits"


def write_digits(folder: Path) -> Path:
    """1,700 digits as PNG files of 16 pixels a side: 120 of each for training, 20 to validate on and 30 to test on."""
    digits = load_digits()
    for label in range(10):
        for number, row in enumerate(np.flatnonzero(digits.target == label)[:170]):
            part = "train" if number < 120 else "val" if number < 140 else "test"
            file = folder / part / f"digit_{label}" / f"{row:04}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            levels = PIL.Image.fromarray((digits.images[row] * 255 / 16).round().astype(np.uint8))
            levels.resize((16, 16), PIL.Image.Resampling.BICUBIC).save(file)
    return folder


IMAGES = FLOWERS if FLOWERS.is_dir() else write_digits(DIGITS)
BUDGET = "3m"  # for your images rather 20m to 2h
if IMAGES == DIGITS:
    NETWORKS, SIZES, EPOCHS, KEYS = "cifar_resnet8 cifar_resnet20 cifar_vgg8", "16", 30, "--data.flip.horizontal 0"
else:
    NETWORKS, SIZES, EPOCHS, KEYS = "resnet18 mobilenet_v2 efficientnet_b0", "64", 12, ""
PRETRAINED = "none"  # "any" takes published weights: with a few hundred photographs, the first thing to change


PLAIN = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
"""Without what Jupyter sets, by which programs draw colors and progress bars although nobody watches a terminal."""


def files_of(*folders: Path) -> list[Path]:
    """The image files in the first of some folders that has any, at whatever depth."""
    endings = PIL.Image.registered_extensions()
    found = (sorted(file for file in folder.rglob("*") if file.suffix.lower() in endings) for folder in folders)
    return next(filter(None, found))


def command(line: str) -> str:
    """Run what you would type in a terminal; shows and returns what it prints."""
    print(f"$ {line}\n")
    arguments = shlex.split(line)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "lit_cnn", *arguments], cwd=WORK, env=PLAIN, capture_output=True, text=True
    )
    print(done.stdout)
    if done.returncode:
        raise RuntimeError(f"{line} ended with exit code {done.returncode}: {done.stderr}")
    return done.stdout


# %% [markdown]
# ## 2. Look at the data first
#
# Files that cannot be read, one image in two classes, the same image in training and validation, classes of very
# different size: each of them spoils what follows, so `check` comes first.

# %%
IMAGES = Path(IMAGES).resolve()
images = shlex.quote(str(IMAGES))
command(f"lit-cnn check {images}")

files = files_of(IMAGES / "train", IMAGES)
figure, panels = plt.subplots(1, 8, figsize=(12, 1.9), layout="constrained")
for axes, file in zip(panels, files[:: max(1, len(files) // 8)], strict=False):
    axes.imshow(PIL.Image.open(file), cmap="gray")
    axes.set_title(file.parent.name, fontsize=9)
    axes.axis("off")
plt.show()

# %% [markdown]
# ## 3. A first recipe
#
# `init` looks at number, size and classes of the images and writes a recipe, with the reason of each value as a
# comment. If you want to compare nothing, train it and go on at step 5.

# %%
command(f"lit-cnn init {images} --pretrained {PRETRAINED} --out first.yaml")
print((WORK / "first.yaml").read_text())

# %% [markdown]
# ## 4. Which network?
#
# `choose` takes networks and image sizes, rejects what is over a limit (here 1 million parameters for digits, 6 for
# photographs, and 50 ms for one image on this machine) before anything is trained, and compares the others within a
# budget of time. On few images it cross-validates: every image is validated on once, by a network that was not trained
# on it. The `test` folder is not touched.

# %%
LIMITS = f"--max-params {'1M' if IMAGES == DIGITS else '6M'} --max-latency-ms 50"
command(
    f"lit-cnn choose --data {images} {LIMITS} --networks {NETWORKS} --sizes {SIZES} --pretrained {PRETRAINED} "
    f"--budget {BUDGET} --out choice"
)

# %% [markdown]
# Read the table like this: all that *tie* with the most accurate one cannot be distinguished from it on so few images,
# and of these the fastest (of about equally fast ones the most accurate) is recommended. The same as a picture, from
# `choice.json`; `choice.html` is the page for colleagues.

# %%
choice = json.loads((WORK / "choice" / "choice.json").read_text())
rows = [row for row in choice["rows"] if row["standing"]]  # those that were trained to the end
figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
for row in rows:
    ms, standing = row["costs"]["latency_ms"], row["standing"]
    color = "#d62728" if row["name"] == choice["recommended"] else "#1f77b4"
    axes.plot([ms, ms], [100 * standing["low"], 100 * standing["high"]], color=color)
    axes.scatter(ms, 100 * row["accuracy"], color=color)
    axes.annotate(row["name"], (ms, 100 * row["accuracy"]), xytext=(6, 0), textcoords="offset points")
axes.set(xlabel="ms for one image on this machine", ylabel="accuracy, % (95 % interval)", title="red: recommended")
axes.set_xlim(0, 1.6 * max(row["costs"]["latency_ms"] for row in rows))
plt.show()
print(choice["why"])

# %% [markdown]
# ## 5. Train it
#
# The recommended recipe trains for longer than this notebook has time for, so `--epochs` shortens it. Leave that out
# for your own images. Any key of a recipe can be set in this way: mirrored images help with photographs, but digits
# and letters must not be mirrored, which no program can know. A training that is killed goes on with
# `lit-cnn fit --resume last`, bit for bit.

# %%
command(f"lit-cnn fit choice/recipe.yaml --epochs {EPOCHS} {KEYS}")
(run,) = (file.parent for file in (WORK / "runs").glob("*/*/config.yaml"))
display(Image(run / "curves.png", width=900))

# %% [markdown]
# ## 6. How good is it?
#
# Neither the weights nor the choice of the network have seen the `test` images. The interval says how far the accuracy
# may be from that on all images of this kind: with few test images it is wide.

# %%
HELD_OUT = "test" if (IMAGES / "test").is_dir() else "validate"  # without test images: those that chose the epoch
run_folder = shlex.quote(str(run))
command(f"lit-cnn {HELD_OUT} {run_folder} --per-class --predictions tested.json")
tested = json.loads((WORK / "tested.json").read_text())
hits = [row["rank"] == 1 for row in tested]


def wilson(right: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927), which stays between 0 and 1."""
    z, share = 1.96, right / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * (share * (1 - share) / total + z**2 / (4 * total**2)) ** 0.5
    return middle - half, middle + half


low, high = wilson(sum(hits), len(hits))
print(f"{sum(hits)} of {len(hits)} right, {sum(hits) / len(hits):.1%}; 95 % interval {low:.1%} to {high:.1%}")

# %% [markdown]
# ## 7. Can its confidence be believed?
#
# A network that says "90 %" should be right nine times in ten. One number, the *temperature*, corrects that without
# changing any answer. It is fitted on one half of the validation images and judged on the other.

# %%
command(f"lit-cnn calibrate {run_folder} --bins 10 --out reliability.png --out calibration.json")
display(Image(WORK / "reliability.png", width=520))

# %% [markdown]
# ## 8. Ship it
#
# The ONNX file holds the network *and* its preprocessing: it takes decoded pixels of any size. `export` runs it on real
# images and refuses to write a file that answers otherwise than the checkpoint. Below it runs without PyTorch.

# %%
command(f"lit-cnn export {run_folder} --format onnx --out model.onnx")
photos = files_of(IMAGES / "test", IMAGES / "val", IMAGES)
photo = photos[7 % len(photos)]
session = onnxruntime.InferenceSession(WORK / "model.onnx")
pixels = np.asarray(PIL.Image.open(photo).convert("RGB"))[None]  # uint8 (1, height, width, 3)
name = session.get_inputs()[0].name
seconds = []
for _ in range(30):
    began = time.perf_counter()
    outputs = session.run(None, {name: pixels})
    seconds.append(time.perf_counter() - began)
print(f"{(WORK / 'model.onnx').stat().st_size / 1e6:.2f} MB, {1000 * sorted(seconds)[15]:.2f} ms for one image")
model = lit_cnn.load_model(run)
print("ONNX file:  ", model.class_names[int(outputs[0].argmax())])
print("checkpoint: ", model.predict([photo])[0].classes[0], "| folder:", photo.parent.name)

# %% [markdown]
# ## 9. One image, and why
#
# The prediction with calibrated probabilities, and the part of the image from which the answer comes (that picture
# has the probabilities as trained).

# %%
one = shlex.quote(str(photo))
command(f"lit-cnn predict {run_folder} {one} --top-k 3 --temperature calibration.json")
command(f"lit-cnn explain {run_folder} {one} --out why")
display(*(Image(file, width=700) for file in sorted((WORK / "why").glob("*.png"))))

# %% [markdown]
# A map shows where the evidence is, not whether it is the right evidence. If it points at the background, or at a mark
# that the camera leaves, the network has learned a shortcut of your folder: look at many, above all at wrong answers.
#
# ## 10. What this shows, and what it cannot
#
# - A budget of minutes ends in ties. The recommendation is then "the fastest of those that we cannot distinguish",
#   which is honest but not a discovery. More images narrow the intervals; more time lets slow learners catch up.
# - The latency holds for this machine, one image at a time, and is too long while other programs run.
# - The calibration holds for images like the validation images. Other cameras, light or seasons need a new one.
# - Images that belong together (one patient, one scene) must not be in both training and test: `data.group_by`.
# - With a few hundred photographs, published weights usually gain more than any choice of network: set `PRETRAINED`.
