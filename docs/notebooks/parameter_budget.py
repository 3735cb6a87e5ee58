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
# # From AlexNet to EfficientNet by parameter budget
#
# AlexNet (2012) has about 60 million parameters, EfficientNet-B0 (2019) about 5 million, and the second is far more
# accurate. Where have the parameters gone, and what took their place? This notebook counts every layer of the networks
# in between, takes their blocks apart, and ends with five small networks of equal budget that you train yourself.
#
# Install: `pip install '/path/to/lit-cnn'` (or `make quickstart` in its folder). No download, no GPU, under 5 minutes
# on two cores. Accuracies on ImageNet are the papers'; every other number is computed below.

# %%
import logging
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import lightning.pytorch as pl
import matplotlib.pyplot as plt
import torch
from IPython.display import Image, display
from torch import nn

import lit_cnn
from lit_cnn.architectures.catalog import select_entries
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.settings import Evaluation
from lit_cnn.profiling.counting import count_model, count_network
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings

WORK = Path(tempfile.mkdtemp(prefix="parameter_budget_"))
for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
    logging.getLogger(name).setLevel(logging.ERROR)  # which devices there are is of no interest here
warnings.filterwarnings("ignore", module="lightning")
torch.set_num_threads(1)  # networks as small as these gain nothing from more, and lose much while other programs run

# %% [markdown]
# ## 1. Two kinds of layers, two kinds of cost
#
# A **parameter** is a number that is learned and stored. A **multiply-add** is one step of arithmetic: a product, added
# to a sum. The two are not the same budget:
#
# | layer | parameters | multiply-adds of one image |
# |---|---|---|
# | linear, $n$ inputs to $m$ outputs | $nm + m$ | $nm$ |
# | convolution $k \times k$, $c$ to $d$ channels, output $h \times w$ | $k^2cd + d$ | $k^2cd \cdot hw$ |
#
# A linear layer uses each weight once. A convolution uses each weight at all $h \cdot w$ places of the map, so it is
# cheap to store and expensive to compute. Here is the formula against a count of real layers. They are on PyTorch's
# *meta* device, where a tensor has a shape but no content: nothing is computed and no memory is used.


# %%
def counted(layer: nn.Module, channels: int, size: int) -> tuple[int, int]:
    """Parameters and multiply-adds of a layer on a map of so many channels and pixels a side."""
    count = count_network(layer, size, in_channels=channels)
    return count.params, count.madds


with torch.device("meta"):
    conv = nn.Conv2d(128, 256, kernel_size=3, padding=1)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(256 * 6 * 6, 4096))  # the first linear layer of AlexNet

conv_formula = (3 * 3 * 128 * 256 + 256, 3 * 3 * 128 * 256 * 28 * 28)
linear_formula = (9216 * 4096 + 4096, 9216 * 4096)
assert counted(conv, 128, 28) == conv_formula
assert counted(linear, 256, 6) == linear_formula
print(f"{'':24}{'parameters':>14}{'multiply-adds':>16}{'uses of a weight':>18}")
for label, (params, madds) in (("convolution at 28 px", conv_formula), ("linear", linear_formula)):
    print(f"{label:24}{params:14,}{madds:16,}{madds / params:18.0f}")

# %% [markdown]
# ## 2. From AlexNet to EfficientNet
#
# `count_model` does this for each layer of a network of the catalog.

# %%
NETWORKS = [
    "alexnet",
    "vgg16",
    "googlenet",
    "resnet50",
    "resnext50_32x4d",
    "mobilenet_v1",
    "shufflenet_v1_g3_1.0x",
    "nasnet_a_mobile",
    "mobilenet_v2",
    "efficientnet_b0",
    "efficientnet_b4",
]
counts = {name: count_model(name) for name in NETWORKS}
infos = {name: lit_cnn.model_info(name) for name in NETWORKS}


def share_of_linear(name: str, figure: str) -> float:
    """Share of the linear layers in a network's parameters or multiply-adds, in percent."""
    layers = counts[name].layers
    return 100 * sum(getattr(each, figure) for each in layers if each.kind == "linear") / getattr(counts[name], figure)


print(f"{'':24}{'':6}{'parameters':>11}{'in linear':>11}{'multiply-adds':>15}{'in linear':>11}{'paper top-1':>13}")
for name, info in infos.items():
    top1 = f"{info.paper.top1:.1f} %" if info.paper.top1 else "–"
    row = f"{counts[name].params / 1e6:9.1f} M{share_of_linear(name, 'params'):9.0f} %"
    row += f"{counts[name].madds / 1e6:13,.0f} M{share_of_linear(name, 'madds'):9.1f} %{top1:>13}"
    print(f"{name:24}{info.paper.year:6}{row}")

# %%
KINDS = {
    "linear": "#d62728",
    "convolution": "#1f77b4",
    "pointwise": "#7fb3d9",
    "depthwise": "#2ca02c",
    "other": "#999999",
}
MEANING = {"convolution": "convolution 3x3 and larger", "pointwise": "convolution 1x1", "other": "norms and others"}


def draw_shares(axes: plt.Axes, figure: str, title: str) -> None:
    """Bars of 100 %: which kind of layer has the network's parameters or multiply-adds."""
    left = [0.0] * len(NETWORKS)
    for kind, color in KINDS.items():
        sums = [sum(getattr(each, figure) for each in counts[name].layers if each.kind == kind) for name in NETWORKS]
        shares = [100 * part / getattr(counts[name], figure) for part, name in zip(sums, NETWORKS, strict=True)]
        axes.barh(NETWORKS, shares, left=left, color=color, label=MEANING.get(kind, kind))
        left = [a + b for a, b in zip(left, shares, strict=True)]
    axes.set(xlim=(0, 100), xlabel="%", title=title)


figure, (first, second) = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True, layout="constrained")
first.invert_yaxis()  # the oldest on top
draw_shares(first, "params", "where the parameters are")
draw_shares(second, "madds", "where the multiply-adds are")
handles, labels = first.get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
plt.show()

# %% [markdown]
# Read the red bars. In AlexNet and VGG-16 nearly all parameters are in the linear layers at the end and nearly all
# arithmetic is in the convolutions. GoogLeNet and ResNet average each map to one number before a single linear layer
# (global average pooling): the red part shrinks to a few percent of a network that is *deeper*. In the small networks
# of the last years it is large again, because everything else has become so small: a classifier of 1,000 classes on
# 1,280 features is a quarter of EfficientNet-B0.
#
# The same, stage by stage, is one command:


# %%
PLAIN = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
"""Without what Jupyter sets, by which programs draw colors and progress bars although nobody watches a terminal."""


def command(line: str) -> None:
    """Run what you would type in a terminal, and show what it prints."""
    program, *arguments = shlex.split(line)
    print(f"$ {line}")
    done = subprocess.run(
        [sys.executable, "-m", "lit_cnn", *arguments], cwd=WORK, env=PLAIN, capture_output=True, text=True
    )
    print(done.stdout)
    if done.returncode:
        raise RuntimeError(f"{program} ended with exit code {done.returncode}: {done.stderr}")


command("lit-cnn profile alexnet resnet50 efficientnet_b0 --counts-only --plot stages.png")
display(Image(WORK / "stages.png", width=900))

# %% [markdown]
# ## 3. Block by block
#
# How does a network stay accurate with fewer parameters? By blocks that mix space and channels in separate steps. All
# blocks below take a map of 256 channels at 14 px and return one.


# %%
def conv(channels: int, filters: int, kernel: int = 3, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the map keeps its size."""
    layer = nn.Conv2d(channels, filters, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(filters), nn.ReLU())


BLOCKS = {
    "two 3x3 (VGG, ResNet-18)": lambda: nn.Sequential(conv(256, 256), conv(256, 256)),
    "one 5x5 (same view as two 3x3)": lambda: conv(256, 256, 5),
    "bottleneck 256-64-64-256 (ResNet-50)": lambda: nn.Sequential(conv(256, 64, 1), conv(64, 64), conv(64, 256, 1)),
    "the same in 32 groups, 128 wide (ResNeXt)": lambda: nn.Sequential(
        conv(256, 128, 1), conv(128, 128, groups=32), conv(128, 256, 1)
    ),
    "depthwise 3x3 + 1x1 (MobileNet)": lambda: nn.Sequential(conv(256, 256, groups=256), conv(256, 256, 1)),
    "inverted bottleneck 64-384-64 (MobileNetV2)": lambda: nn.Sequential(
        conv(64, 384, 1), conv(384, 384, groups=384), conv(384, 64, 1)
    ),
}
print(f"{'block':46}{'parameters':>12}{'multiply-adds':>15}")
for label, build in BLOCKS.items():
    with torch.device("meta"):
        block = build()
    params, madds = counted(block, 64 if "64-384" in label else 256, 14)
    print(f"{label:46}{params:12,}{madds / 1e6:13.1f} M")

# %% [markdown]
# - **Two 3x3 instead of one 5x5**: the same view, fewer weights, one nonlinearity more (VGG).
# - **Bottleneck**: reduce the channels by a 1x1, do the 3x3 there, expand again (ResNet-50).
# - **Groups**: a filter sees a part of the channels only, so the block may be wider for its price (ResNeXt).
# - **Depthwise separable**: the extreme of groups. The 3x3 sees one channel, the 1x1 mixes channels (MobileNet).
# - **Inverted bottleneck**: narrow maps between blocks, wide inside where filters are cheap (MobileNetV2, EfficientNet;
#   here 64 channels in and out, since its maps are narrow).
#
# ## 4. Parameters and the papers' accuracy
#
# Each point is a network of the catalog. Horizontal: our count. Vertical: **the paper's** top-1 accuracy on ImageNet.
# The papers measure differently (one crop or ten, 224 or 600 px, other training), so a difference of one point between
# two papers means little; a difference of ten does.

# %%
entries = [entry for entry in select_entries(task="imagenet") if entry.paper.top1]
figure, panels = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True, layout="constrained")
for axes, attribute, label in zip(panels, ("params", "madds"), ("parameters", "multiply-adds"), strict=True):
    costs = [getattr(entry, attribute) / 1e6 for entry in entries]
    years = [entry.paper.year for entry in entries]
    points = axes.scatter(costs, [entry.paper.top1 for entry in entries], c=years, cmap="viridis", s=36)
    for name in ("alexnet", "vgg16", "resnet50", "mobilenet_v2", "efficientnet_b0", "efficientnet_b7"):
        entry = lit_cnn.model_info(name)
        place, new = (getattr(entry, attribute) / 1e6, entry.paper.top1), "efficientnet" in name
        axes.scatter(*place, s=70, facecolors="none", edgecolors="black")
        offset, side = ((-25, 14), "right") if new else ((22, -24), "left")
        arrow = {"arrowstyle": "-", "linewidth": 0.6}
        axes.annotate(name, place, xytext=offset, textcoords="offset points", ha=side, fontsize=8, arrowprops=arrow)
    axes.set(xscale="log", xlabel=f"{label}, millions (counted)", title=f"accuracy against {label}")
    axes.xaxis.set_major_formatter("{x:,.0f}")
panels[0].set_ylabel("top-1 on ImageNet, % (the papers')")
figure.colorbar(points, ax=panels, label="year")
plt.show()

alexnet, b0 = lit_cnn.model_info("alexnet"), lit_cnn.model_info("efficientnet_b0")
print(f"AlexNet has {alexnet.params / b0.params:.1f} times the parameters of EfficientNet-B0;")
print(f"its paper reports {alexnet.paper.top1} % top-1, that of B0 {b0.paper.top1} %.")

# %% [markdown]
# Newer points lie above and to the left: more accuracy from the same budget. But each paper changed the training, too
# (augmentation, schedule, image size). To see the effect of the *block* alone, all else must be equal. So:
#
# ## 5. Five networks of one budget, trained here
#
# Real images (scikit-learn's handwritten digits, 8x8 gray pixels enlarged to 16), the same optimizer, epochs and
# augmentation, and **the same number of parameters**; only the kind of layer differs. The first network has the shape
# of AlexNet in small, most of its parameters in linear layers. The others are `block_network`s of the catalog.

# %%
BUDGET = 30_000
SEEDS, EPOCHS = (0, 1, 2), 8


def small_alexnet(hidden: int) -> nn.Module:
    """Two convolutions, then two linear layers of which the first has most of the parameters."""
    return nn.Sequential(
        conv(1, 8), nn.MaxPool2d(2), conv(8, 16), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 4 * 4, hidden), nn.ReLU(), nn.Linear(hidden, 10),
    )  # fmt: skip


def blocks_of(kind: str, width: int) -> nn.Module:
    """A stem and two stages of two blocks of a kind, global average pooling and one linear layer."""
    text = f"{kind} c{width} s1 n2; {kind} c{2 * width} s2 n2"
    return lit_cnn.create_model("block_network", num_classes=10, in_channels=1, blocks=text)


def params_of(build, width: int) -> int:
    with torch.device("meta"):
        return sum(each.numel() for each in build(width).parameters())


FAMILIES = {
    "linear layers (AlexNet)": (small_alexnet, range(4, 400)),
    "two 3x3 (VGG)": (lambda width: blocks_of("plain", width), range(4, 100)),
    "two 3x3 + shortcut (ResNet)": (lambda width: blocks_of("residual", width), range(4, 100)),
    "inception (GoogLeNet)": (lambda width: blocks_of("inception", width), range(16, 200, 16)),
    "depthwise + 1x1 (MobileNet)": (lambda width: blocks_of("separable", width), range(4, 200)),
}
chosen = {
    name: min(widths, key=lambda width, build=build: abs(params_of(build, width) - BUDGET))
    for name, (build, widths) in FAMILIES.items()
}
print(f"{'network':30}{'width':>7}{'parameters':>12}{'multiply-adds':>15}")
for name, width in chosen.items():
    build, _ = FAMILIES[name]
    with torch.device("meta"):
        params, madds = counted(build(width), 1, 16)
    print(f"{name:30}{width:7}{params:12,}{madds / 1e6:13.2f} M")

# %% [markdown]
# Equal parameters are **not** equal arithmetic: look at the last column. Inception's widths come in steps of 16, so it
# meets the budget only roughly.
#
# `lit_cnn.Classifier` and `lit_cnn.ImageData` are a LightningModule and a LightningDataModule; any `nn.Module` trains.


# %%
def train(name: str, seed: int) -> float:
    """Accuracy on the images held out, in percent, after the last epoch."""
    build, _ = FAMILIES[name]
    torch.manual_seed(seed)
    data = lit_cnn.ImageData(
        source="digits", image_size=16, batch_size=64, seed=seed,
        crop=Crop(kind="pad", padding=1), flip=Flip(horizontal=0.0), evaluation=Evaluation(crop_ratio=1.0),
    )  # fmt: skip
    model = lit_cnn.Classifier(
        build(chosen[name]),
        num_classes=10,
        optimizer=OptimizerSettings(name="adamw", learning_rate=3e-3, base_batch_size=64, weight_decay=0.01),
        schedule=ScheduleSettings(name="cosine", warmup_epochs=1),
        seed=seed,
    )
    trainer = pl.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", precision="32-true", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )  # fmt: skip
    trainer.fit(model, data)
    return 100 * float(trainer.callback_metrics["val/acc1"])


results = {name: [train(name, seed) for seed in SEEDS] for name in FAMILIES}
for name, accuracies in results.items():
    mean, spread = statistics.mean(accuracies), statistics.stdev(accuracies)
    print(f"{name:30}{mean:7.1f} % ± {spread:.1f} over {len(accuracies)} seeds")

# %%
figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
for row, accuracies in enumerate(results.values()):
    axes.scatter(accuracies, [row] * len(accuracies), color="#1f77b4", alpha=0.6)
    axes.plot([statistics.mean(accuracies)] * 2, [row - 0.25, row + 0.25], color="black")
axes.set_yticks(range(len(results)), results)
axes.invert_yaxis()
axes.set(xlabel="accuracy on held-out digits, % (points: seeds, line: mean)", title=f"about {BUDGET:,} parameters each")
plt.show()

# %% [markdown]
# ## 6. What this shows, and what it cannot
#
# - The counts are exact, and they hold for ImageNet's sizes: linear layers store, convolutions compute.
# - The training is a demonstration, not a proof. The digits are easy, three seeds are few, and the standard error of
#   an accuracy on a few hundred images is about half a point (printed below). Networks that differ by less than
#   two such errors *tie*. All networks had one learning rate, which may suit one better than another.
# - On ImageNet the differences are far larger than here, because there a network must tell a thousand classes apart.
#   `lit-cnn reproduce linear_parameters` and `lit-cnn reproduce depthwise` test two of these claims with more images,
#   more seeds and a rule that is fixed before the first run.

# %%
HELD_OUT = len(lit_cnn.ImageData(source="digits").loaded.val)
best = max(statistics.mean(accuracies) for accuracies in results.values()) / 100
error = 100 * (best * (1 - best) / HELD_OUT) ** 0.5
ties = [name for name, accuracies in results.items() if 100 * best - statistics.mean(accuracies) < 2 * error]
print(f"standard error of an accuracy on {HELD_OUT} images: {error:.2f} points")
print(f"ties with the best, within two standard errors: {', '.join(ties)}")

# %% [markdown]
# **Try**: another `BUDGET` (5,000 and 100,000); `("bottleneck", range(8, 200, 4))` as a sixth family; equal
# *multiply-adds* instead of parameters: which family wins then?
