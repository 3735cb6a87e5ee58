"""Multiply-adds are not time: nets that train faster at the same number of them."""

import os
import statistics
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.meta import copy_on_meta
from lit_cnn.benchmarking.interleaving import ratios, take_turns
from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.measured import Exact, Measured
from lit_cnn.profiling.counting import count_madds
from lit_cnn.profiling.timing import TimingSettings, training_step_ms

SECONDS = 60.0
SIDE = 160
EQUAL_SIDE = 336
"""Pixels at which EfficientNet-B3 takes the multiply-adds of ResNet-RS-50 at ``SIDE``, to 2 %."""
FUSED = "fused e4 k3 s1 c24 n2"
SEPARATE = "mbconv e4 k3 s1 c24 n8"
"""An early stage of EfficientNetV2 in both forms, in as many blocks as give equal multiply-adds, to 5 %."""
BATCH = {"cpu": 4, "cuda": 64}


@dataclass(frozen=True)
class Stepped:
    """A network whose training step is timed.

    Args:
        network: It.
        image_size: Side in px.
    """

    network: nn.Module
    image_size: int

    def madds(self) -> int:
        return count_madds(copy_on_meta(self.network), self.image_size)

    def step_ms(self, device: str) -> float:
        settings = TimingSettings(
            device=device, batch_size=BATCH[device], image_size=self.image_size, repeats=1, warmup=1
        )
        return training_step_ms(self.network, settings)


def count_on_cpu() -> dict[str, float]:
    """Figures of ``measured`` on the CPU."""
    return measured("cpu")


def count_on_gpu() -> dict[str, float]:
    """Figures of ``measured`` on a GPU.

    Raises:
        ValueError: If there is none.
    """
    if not torch.cuda.is_available():
        raise ValueError("step_time at --scale gpu needs a GPU, and torch finds none: choose --scale cpu")
    return measured("cuda")


def measured(device: str) -> dict[str, float]:
    """Time of a training step per multiply-add, of EfficientNet over ResNet-RS and of MBConv over Fused-MBConv, and
    what it follows from."""
    pairs = {
        "EfficientNet-B3 over ResNet-RS-50": (
            Stepped(create("efficientnet_b3"), EQUAL_SIDE),
            Stepped(create("resnet_rs_50"), SIDE),
        ),
        "MBConv over Fused-MBConv": (Stepped(chain(SEPARATE), SIDE), Stepped(chain(FUSED), SIDE)),
    }
    figures = {"threads": float(torch.get_num_threads()), "cores": float(os.cpu_count() or 0)}
    for name, pair in pairs.items():
        figures |= _compared(name, pair, device)
    return figures


def _compared(name: str, pair: tuple[Stepped, Stepped], device: str) -> dict[str, float]:
    turns = {str(place): partial(each.step_ms, device) for place, each in enumerate(pair)}
    times, madds = take_turns(turns, seconds=SECONDS), [each.madds() for each in pair]
    per_madd = ratios([t / madds[0] for t in times["0"]], [t / madds[1] for t in times["1"]])
    ends = {"": per_madd.median, ".low": per_madd.low, ".high": per_madd.high, ".rounds": float(per_madd.rounds)}
    figures = {f"{name}{end}": value for end, value in ends.items()}
    for place, part in enumerate(name.split(" over ")):
        figures[f"{part}, multiply-adds (million)"] = madds[place] / 1e6
        figures[f"{part}, a step (ms)"] = statistics.median(times[str(place)])
    return figures | {f"{name}, multiply-adds": madds[0] / madds[1]}


def create(name: str) -> nn.Module:
    return create_model(name, drop_path=0.0)


def chain(stages: str) -> nn.Module:
    return create_model("mbconv_chain", stages=stages, stem_width=24, final_width=64, activation="silu")


PARTS = (
    Exact("equal multiply-adds of EfficientNet-B3 and ResNet-RS-50 (within 5 %)",
          "EfficientNet-B3 over ResNet-RS-50, multiply-adds", 0.95, 1.05),
    Exact("equal multiply-adds of MBConv and Fused-MBConv (within 5 %)",
          "MBConv over Fused-MBConv, multiply-adds", 0.95, 1.05),
    Measured("EfficientNet-B3 takes longer per multiply-add than ResNet-RS-50", "EfficientNet-B3 over ResNet-RS-50",
             "rounds", 1.0, "times"),
    Measured("MBConv takes longer per multiply-add than Fused-MBConv in an early stage", "MBConv over Fused-MBConv",
             "rounds", 1.0, "times"),
)  # fmt: skip
WHAT = (
    f"EfficientNet-B3 at {EQUAL_SIDE} px and ResNet-RS-50 at {SIDE} px; 8 MBConv and 2 Fused-MBConv blocks of 24 "
    f"channels at {SIDE} px"
)
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
            f"training steps in float32, batches of {BATCH['cpu']}, interleaved; {WHAT}",
            count=count_on_cpu,
            core_minutes=4,
        ),
        "gpu": Design(
            PARTS,
            f"training steps in float32, batches of {BATCH['cuda']}, interleaved; {WHAT}",
            count=count_on_gpu,
            core_minutes=3,  # two pairs of SECONDS each, and their counts
            device="gpu",
        ),
    },
    full_scale="lit-cnn bench resnet_rs_50 efficientnet_b3",
)  # fmt: skip
