"""Adaptive gradient clipping lets nets without norms train at larger rates."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.counts import Counts
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.claims.shared_settings import RATE, cifar_bench, digits_bench, gpu_bench

EDGE = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Rates at which the runs are made, from one at which nets without clipping may train."""
DIGITS_EDGE = (0.4, 0.8, 1.6, 3.2)
TRAINED = 2.0


def arm(clipping: str, rate: float) -> Arm:
    return Arm(f"{clipping}{rate}", {"model.clipping.kind": clipping, "model.clipping.limit": 0.01, RATE: rate})


def arms(rates: tuple[float, ...]) -> tuple[Arm, ...]:
    return tuple(arm(clipping, rate) for clipping in ("adaptive", "none") for rate in rates)


def more(rates: tuple[float, ...], number: str) -> Counts:
    """More runs train with clipping."""
    return Counts(
        f"more runs train with clipping, over {number} rates an octave apart", "nll", TRAINED,
        tuple(f"adaptive{rate}" for rate in rates), tuple(f"none{rate}" for rate in rates),
    )  # fmt: skip


def net(widths: tuple[int, ...], batch_size: int, depths: tuple[int, ...] = (1, 1, 1, 1)) -> Settings:
    """An NFNet without other regularization; rates are those of its batches."""
    return {
        "model.architecture": "nfnet_f0", "model.options.stem": "small", "model.options.widths": widths,
        "model.options.depths": depths, "model.options.dropout": 0.0, "model.options.drop_path": 0.0,
        "data.batch_size": batch_size, "model.optimizer.base_batch_size": batch_size,
    }  # fmt: skip


CLAIM = Claim(
    name="adaptive_clipping",
    title="Adaptive gradient clipping",
    question="Nets without norms train at rates at which they diverge without adaptive gradient clipping",
    slide="NFNet: adaptive gradient clipping",
    published=(
        Published("ImageNet, NF-ResNet-50 and -200 at batches of 256 to 4,096", "clipping lets them keep their "
                  "accuracy at large batches, and brings less at small ones; curves without numbers",
                  "Brock et al., 2021, arXiv:2102.06171, section 4.1 and Figure 2"),
    ),
    designs={
        "digits": Design(
            (more(DIGITS_EDGE, "four"),),
            "an NFNet of widths 16, 32, 64, 64, one block each, on 1,000 digits of 8 × 8 px, 10 epochs, batches of 128",
            digits_bench(1000, 10, net((16, 32, 64, 64), 128)),
            arms(DIGITS_EDGE),
            seeds=3,
            minimum_steps=70,
            core_minutes=2,
        ),
        "cpu": Design(
            (
                more(EDGE, "five"),
                Undecidable("clipping matters most at a batch of 4,096",
                            "10,000 images hold two such batches", "lit-cnn fit --config nfnet_f0", primary=False),
            ),
            "an NFNet of widths 16, 32, 96, 96, one block each, at 32 px, 10,000 images, 10 epochs, batches of 512",
            cifar_bench(10_000, 10, net((16, 32, 96, 96), 512), image_size=32),
            arms(EDGE),
            seeds=3,
            minimum_steps=190,
            core_minutes=45,
        ),
        "gpu": Design(
            (more(EDGE, "five"),),
            "NFNet-F0's blocks (1, 2, 6, 3) in widths 64, 128, 256, 256 at 32 px, 40,000 images, 40 epochs, the "
            "paper's batches of 4,096, bf16; the rates are those of 4,096 images",
            gpu_bench(40, net((64, 128, 256, 256), 4096, (1, 2, 6, 3))),
            arms(EDGE),
            seeds=3,
            minimum_steps=360,
            core_minutes=36,  # 30 runs of 360 steps of 0.2 s; not measured
        ),
    },
    full_scale="lit-cnn fit --config nfnet_f0",
    notes=(
        "Below the larger rates at which runs with clipping train there should be one at which those without it do; "
        "where there is none, as on the digits, the runs do not show where the edge of either lies.",
    ),
)  # fmt: skip
