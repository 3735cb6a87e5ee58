"""Small images first, larger ones later."""

import math
import statistics

from lit_cnn.claims.claim import Arm, Claim, Design, Published
from lit_cnn.claims.rules.difference import non_inferiority, superiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.shared_settings import NARROW, RATES, cifar_bench, gpu_bench, gpu_minutes

SIDES = (16, 24, 32)


def count() -> dict[str, float]:
    """Multiply-adds of all stages over those at the largest size; convolutions grow with the pixels."""
    return {"ratio of multiply-adds": statistics.fmean(side**2 for side in SIDES) / SIDES[-1] ** 2}


PARTS = (
    Exact("0.8 of the multiply-adds or less", "ratio of multiply-adds", 0.0, 0.8),
    non_inferiority("the loss is below 1 point", "accuracy", "progressive", "full", 0.01),
    non_inferiority("in likelihood, below 0.05 nats", "nll", "progressive", "full", 0.05, primary=False),
    superiority("it takes less than 0.9 of the time", "log_seconds", "progressive", "full", -math.log(0.9),
                primary=False),
)  # fmt: skip
ARMS = (
    Arm("full"),
    Arm("progressive", {"progressive_learning.stages": 3, "progressive_learning.image_size": SIDES[0]}),
)

CLAIM = Claim(
    name="progressive",
    title="Progressive image size",
    question="Training on small images first and larger ones later saves work at equal accuracy",
    slide="EfficientNetV2: progressive learning",
    published=(
        Published("training time on ImageNet with progressive learning, at no loss of accuracy", "ResNet-50 at 224 px "
                  "1.4 times, ResNet-152 at 380 px 2.1 times, EfficientNet-B4 2.2 times faster",
                  "Tan and Le, 2021, arXiv:2104.00298, text on Table 12"),
        Published("ImageNet top-1 and training time, ResNet-50", "78.1 % in 4.9 h; 78.4 % in 3.5 h with progressive "
                  "learning", "Tan and Le, 2021, Table 12", verified=False),
    ),
    designs={
        "cpu": Design(
            PARTS,
            "ResNet-20 of widths 8, 16, 32 on 10,000 images, 15 epochs: 32 px throughout, or 16, 24 and 32 px for five "
            "each; evaluated at 32 px",
            cifar_bench(10_000, 15, {"model.architecture": "cifar_resnet20", **NARROW}, image_size=32),
            ARMS,
            RATES,
            seeds=5,
            minimum_steps=2340,
            core_minutes=60,
            count=count,
        ),
        "gpu": Design(
            PARTS,
            "ResNet-18 with a small stem on 40,000 images, 60 epochs, batches of 128, bf16: 32 px throughout, or 16, "
            "24 and 32 px for twenty each; evaluated at 32 px",
            gpu_bench(60, {"model.architecture": "resnet18", "model.options.stem": "small"}),
            ARMS,
            RATES,
            seeds=5,
            minimum_steps=18_000,
            core_minutes=gpu_minutes(2 * (3 + 5), 60, 18),
            count=count,
        ),
    },
    full_scale="lit-cnn fit --config efficientnet_v2_s",
)  # fmt: skip
