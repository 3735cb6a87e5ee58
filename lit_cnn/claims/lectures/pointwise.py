"""1 x 1 convolutions make inception blocks affordable."""

from lit_cnn.architectures.googlenet import BLOCKS, Inception, NaiveInception
from lit_cnn.architectures.meta import on_meta
from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.profiling.counting import count_madds, count_model

SIDE, CHANNELS = 28, 192
"""Of the map that GoogLeNet's block 3a reads."""


def count() -> dict[str, float]:
    """Multiply-adds of block 3a per pixel, with and without its 1 x 1 reductions."""
    figures = {}
    for name, block in (("reduced", Inception), ("naive", NaiveInception)):
        with on_meta():
            built = block(CHANNELS, BLOCKS["stage3"][0], branch_kernel=5, batch_norm=False)
        figures[f"{name} multiply-adds per pixel"] = count_madds(built, SIDE, in_channels=CHANNELS) / SIDE**2
    figures["ratio"] = figures["naive multiply-adds per pixel"] / figures["reduced multiply-adds per pixel"]
    figures["googlenet parameters"] = count_model("googlenet").params / 1e6
    return figures


CLAIM = Claim(
    name="pointwise",
    title="1 × 1 convolutions save work",
    question="1 × 1 convolutions that reduce channels more than halve the work of inception, at equal accuracy",
    slide="GoogLeNet: inception blocks; ResNet: bottlenecks",
    published=(
        Published("ImageNet, GoogLeNet", "12 times fewer parameters than AlexNet; 6.67 % top-5 error of "
                  "seven nets on 144 crops", "Szegedy et al., 2014, arXiv:1409.4842, sections 1 and 7"),
    ),
    designs={
        "cpu": Design(
            (
                Exact("block 3a of GoogLeNet: 163,328 multiply-adds per pixel", "reduced multiply-adds per pixel",
                      163_328, 163_328),
                Exact("without the reductions: 387,072", "naive multiply-adds per pixel", 387_072, 387_072),
                Exact("2.4 times as many", "ratio", 2.35, 2.45),
                Undecidable(
                    "bottlenecks are as accurate as basic blocks at 0.7 times the multiply-adds",
                    "CIFAR nets that train here have 8 to 32 channels, too narrow for a reduction by 4",
                    "lit-cnn fit --config resnet50 against a ResNet-34",
                ),
            ),
            count=count,
            core_minutes=0.1,
        )
    },
    full_scale="lit-cnn fit --config googlenet",
)  # fmt: skip
