"""Multiply-adds are not time: nets that train faster at the same number of them."""

import copy
import os

import torch
from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.benchmarking.interleaving import ratios, take_turns
from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.measured import Measured
from lit_cnn.profiling.counting import count_madds
from lit_cnn.profiling.timing import TimingSettings, training_step_ms

SIDE = 160
SECONDS = 60.0
FUSED = "fused e4 k3 s1 c24 n2"
SEPARATE = "mbconv e4 k3 s1 c24 n2"
"""An early stage of EfficientNetV2 in both forms."""


def count() -> dict[str, float]:
    """Time of a training step per multiply-add, of EfficientNet over ResNet-RS and of MBConv over Fused-MBConv."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = TimingSettings(
        device=device, batch_size=4 if device == "cpu" else 64, image_size=SIDE, repeats=1, warmup=1
    )
    pairs = {
        "EfficientNet-B3 over ResNet-RS-50": (create("efficientnet_b3"), create("resnet_rs_50")),
        "MBConv over Fused-MBConv": (chain(SEPARATE), chain(FUSED)),
    }
    figures = {"threads": float(torch.get_num_threads()), "cores": float(os.cpu_count() or 0)}
    for name, networks in pairs.items():
        madds = [count_madds(copy.deepcopy(network).to("meta"), SIDE) for network in networks]
        turns = {
            str(place): (lambda network=network: training_step_ms(network, settings))
            for place, network in enumerate(networks)
        }
        times = take_turns(turns, seconds=SECONDS)
        per_madd = ratios([t / madds[0] for t in times["0"]], [t / madds[1] for t in times["1"]])
        ends = {"": per_madd.median, ".low": per_madd.low, ".high": per_madd.high, ".rounds": float(per_madd.rounds)}
        figures |= {f"{name}{end}": value for end, value in ends.items()}
        figures |= {f"{name}, multiply-adds {place + 1} (million)": each / 1e6 for place, each in enumerate(madds)}
    return figures


def create(name: str) -> nn.Module:
    return create_model(name, drop_path=0.0)


def chain(stages: str) -> nn.Module:
    return create_model("mbconv_chain", stages=stages, stem_width=24, final_width=64, activation="silu")


PARTS = (
    Measured("EfficientNet-B3 takes longer per multiply-add than ResNet-RS-50", "EfficientNet-B3 over ResNet-RS-50",
             "rounds", 1.0, "times"),
    Measured("MBConv takes longer per multiply-add than Fused-MBConv in an early stage", "MBConv over Fused-MBConv",
             "rounds", 1.0, "times"),
)  # fmt: skip
CLAIM = Claim(
    name="step_time",
    title="Multiply-adds are not time",
    question="At equal multiply-adds ResNet-RS trains faster than EfficientNet, and Fused-MBConv faster than MBConv in "
    "early stages",
    slide="Trends: from multiply-adds to training time",
    published=(
        Published("training time on TPU and GPU", "ResNet-RS 1.7 to 2.7 times (TPUv3) and 2.1 to 3.3 times (V100) "
                  "faster than EfficientNets of the same accuracy", "Bello et al., 2021, arXiv:2103.07579, section 1, "
                  "and its released code"),
        Published("ImageNet, EfficientNet-B4 with Fused-MBConv in stages 1 to 3", "362 against 262 images/s per core "
                  "in training on TPUv3, 216 against 155 on V100", "Tan and Le, 2021, arXiv:2104.00298, Table 3"),
    ),
    designs={
        "cpu": Design(
            PARTS,
            "training steps at 160 px in float32, batches of 4 on the CPU and 64 on a GPU, interleaved",
            count=count,
            core_minutes=4,
        ),
        "gpu": Design(
            PARTS,
            "training steps at 160 px in float32, batches of 64, interleaved",
            count=count,
            core_minutes=3,  # two pairs of SECONDS each, and their counts
        ),
    },
    full_scale="lit-cnn bench resnet_rs_50 efficientnet_b3",
)  # fmt: skip
