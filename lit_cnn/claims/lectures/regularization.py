"""Dropout and stochastic depth narrow the gap; stochastic depth skips work."""

import dataclasses
import math

from lit_cnn.architectures.layers.stochastic_depth import linear_rates
from lit_cnn.claims.claim import Arm, Claim, Design, Published
from lit_cnn.claims.rules.difference import Difference, superiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.claims.shared_settings import NARROW, PAPER_RATE, RATES, cifar_bench, digits_bench, gpu_bench, gpu_minutes

LAST_RATE = 0.5
BLOCKS, PAPER_BLOCKS = 27, 54
"""Of ResNet-56 and ResNet-110."""


def count() -> dict[str, float]:
    """Blocks that are expected to be computed, of ResNet-110 and as a share of ResNet-56."""
    active = {blocks: math.fsum(1 - rate for rate in paper_rates(blocks)) for blocks in (BLOCKS, PAPER_BLOCKS)}
    ours = math.fsum(1 - rate for rate in linear_rates(LAST_RATE, BLOCKS))
    return {
        "expected blocks of ResNet-110, of 54": active[PAPER_BLOCKS],
        "expected share of blocks of ResNet-56": ours / BLOCKS,
    }


def paper_rates(blocks: int) -> list[float]:
    """Block l of L survives with 1 - l / L · (1 - p_L) (Huang et al., 2016, equation 4)."""
    return [LAST_RATE * place / blocks for place in range(1, blocks + 1)]


COUNTED = Exact(
    "with 0.5 at the last block, 40.25 of ResNet-110's 54 blocks are expected to be computed",
    "expected blocks of ResNet-110, of 54", 40.25, 40.25,
)  # fmt: skip
NARROWER = (
    superiority("dropout narrows the gap", "gap", "dropout", "none", family="gap"),
    superiority("stochastic depth narrows the gap", "gap", "drop_path", "none", family="gap"),
)
LIKELIER = superiority("stochastic depth has the higher likelihood", "nll", "drop_path", "none", primary=False)
FASTER = superiority(
    "stochastic depth takes less than 0.9 of the time", "log_seconds", "drop_path", "none", -math.log(0.9),
    primary=False,
)  # fmt: skip
MORE_ACCURATE = Difference(
    "stochastic depth is more accurate", "accuracy", {"drop_path": 1.0, "none": -1.0}, primary=False
)
ARMS = (
    Arm("none"),
    Arm("dropout", {"model.options.dropout": 0.2}),
    Arm("drop_path", {"model.options.drop_path": LAST_RATE, "stochastic_depth.gate": "batch"}),
)

CLAIM = Claim(
    name="regularization",
    title="Dropout and stochastic depth",
    question="Dropout and stochastic depth narrow the gap of training and held-out images",
    slide="Regularization: dropout, stochastic depth, early stopping",
    published=(
        Published("CIFAR-10 test error of ResNet-110", "5.25 against 6.41 %", "Huang et al., 2016, arXiv:1603.09382"),
        Published("training time on CIFAR-10", "15 h 07 min against 20 h 42 min, 27 % less", "Huang et al., 2016"),
    ),
    designs={
        "digits": Design(
            (
                COUNTED,
                *NARROWER,
                superiority("dropout has the higher likelihood", "nll", "dropout", "none", primary=False),
                LIKELIER,
            ),
            "ResNet-20 of widths 8, 16, 32 on 100 digits of 8 × 8 px without augmentation, 80 epochs of 6 steps; "
            "dropout 0.2 before the classifier, stochastic depth 0.5 at the last block with one gate per batch",
            digits_bench(100, 80, {"model.architecture": "cifar_resnet20", **NARROW, "data.batch_size": 16,
                                   "data.crop.padding": 0}),
            ARMS,
            seeds=5,
            minimum_steps=480,
            core_minutes=2,
            count=count,
        ),
        "cpu": Design(
            (
                COUNTED,
                *NARROWER,
                FASTER,
                LIKELIER,
                MORE_ACCURATE,
                Undecidable("early stopping ends at a better epoch than the last",
                            "the images that would stop the training are those that judge it", primary=False),
            ),
            "ResNet-56 of widths 8, 16, 32 at 16 px, 2,000 images, 40 epochs; dropout 0.2 before the classifier, "
            "stochastic depth 0.5 at the last block with one gate per batch",
            cifar_bench(2000, 40, {"model.architecture": "cifar_resnet56", **NARROW}),
            ARMS,
            RATES,
            seeds=5,
            minimum_steps=1240,
            core_minutes=45,
            count=count,
        ),
        "gpu": Design(
            (
                COUNTED,
                *NARROWER,
                dataclasses.replace(FASTER, primary=True),
                LIKELIER,
                dataclasses.replace(MORE_ACCURATE, primary=True),
            ),
            "ResNet-56 of the paper's widths at 32 px, 40,000 images, 200 epochs, the paper's rate and batches of 128, "
            "bf16; dropout 0.2 before the classifier, stochastic depth 0.5 at the last block, one gate per batch",
            gpu_bench(200, {"model.architecture": "cifar_resnet56", **PAPER_RATE}),
            ARMS,
            seeds=5,
            minimum_steps=60_000,
            core_minutes=gpu_minutes(3 * 5, 200, 56),
            count=count,
        ),
    },
    full_scale="lit-cnn fit --config stochastic_depth_resnet110",
    notes=(
        "The training accuracy is measured with units and blocks dropped, which alone lowers it: a narrower gap is "
        "not yet a better net, and the likelihood of held-out images says whether it is.",
        "Seconds are not compared where other programs run on the machine: the verdict does not rest on them.",
    ),
)  # fmt: skip
