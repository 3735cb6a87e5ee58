"""Depth, width and resolution scaled together against one of them alone."""

from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.difference import superiority
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.claims.stored import SCALING, scaling_runs

BUDGETS, OTHERS = (2, 4), ("depth", "width", "resolution")
COMPARISONS = tuple(
    superiority(f"compound beats {other} at {budget} times the multiply-adds, in {shown}", metric,
                f"compoundx{budget}", f"{other}x{budget}", primary=metric == "accuracy", family=f"scaling, {metric}")
    for metric, shown in (("accuracy", "accuracy"), ("nll", "likelihood"))
    for budget in BUDGETS
    for other in OTHERS
)  # fmt: skip
PHOTOGRAPHS = Undecidable(
    "photographs scaled up from 64 to 128 px show it, too",
    "the 100 validation images of flowers give a paired difference a standard error of 4 points, and the rules of "
    "scaling differ by less",
    "lit-cnn scale efficientnet_b0 --phi 1 --out scaled.yaml",
)

CLAIM = Claim(
    name="compound_scaling",
    title="Compound scaling",
    question="At the same multiply-adds, scaling depth, width and resolution together beats scaling one of them",
    slide="EfficientNet: compound scaling",
    published=(
        Published(
            "ImageNet top-1, MobileNetV1 scaled from 0.6 to about 2.2 billion multiply-adds",
            "width 74.2, resolution 72.7, compound 75.6 %",
            "Tan and Le, 2019, arXiv:1905.11946, Table 3",
        ),
        Published(
            "ImageNet top-1, ResNet-50 from 4.1 to about 16.4 billion",
            "depth 78.1, width 77.7, resolution 77.5, compound 78.8 %",
            "Tan and Le, 2019, Table 3",
        ),
    ),
    designs={
        "cpu": Design(
            (*COMPARISONS, PHOTOGRAPHS),
            "ResNet-20 of widths 8, 16, 32 at 16 px, 5,000 images of CIFAR-10, 10 epochs of 78 steps, as in "
            "docs/measurements/compound_scaling.md",
            seeds=3,
            minimum_steps=780,
            stored=SCALING,
            stored_runs=scaling_runs,
        )
    },
    full_scale="lit-cnn scale efficientnet_b0 --phi 1 --out scaled.yaml",
    notes=(
        "The runs were made before this rule was written down, with the three seeds that they have.",
        "The images were scaled down to 16 px, so a higher resolution brings back what was thrown away: on photographs "
        "at 224 px it brings less.",
    ),
)  # fmt: skip
