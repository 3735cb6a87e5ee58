"""Adaptive gradient clipping lets nets without norms train at larger rates."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.counts import Counts
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.claims.shared_settings import RATE, cifar_bench, digits_bench, gpu_bench

EDGE = (0.4, 0.8, 1.6, 3.2)
"""Rates of 64 images at which the runs are made."""
TRAINED = 2.0


def arm(clipping: str, rate: float) -> Arm:
    return Arm(f"{clipping}{rate}", {"model.clipping.kind": clipping, "model.clipping.limit": 0.01, RATE: rate})


ARMS = tuple(arm(clipping, rate) for clipping in ("adaptive", "none") for rate in EDGE)
MORE = Counts(
    "more runs train with clipping, over four rates an octave apart", "nll", TRAINED,
    tuple(f"adaptive{rate}" for rate in EDGE), tuple(f"none{rate}" for rate in EDGE),
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
            (MORE,),
            "an NFNet of widths 16, 32, 64, 64, one block each, on 1,000 digits of 8 × 8 px, 10 epochs, batches of 128",
            digits_bench(1000, 10, net((16, 32, 64, 64), 128)),
            ARMS,
            seeds=3,
            minimum_steps=70,
            core_minutes=2,
        ),
        "cpu": Design(
            (
                MORE,
                Undecidable("clipping matters most at a batch of 4,096",
                            "10,000 images hold two such batches", "lit-cnn fit --config nfnet_f0", primary=False),
            ),
            "an NFNet of widths 16, 32, 96, 96, one block each, at 32 px, 10,000 images, 10 epochs, batches of 512",
            cifar_bench(10_000, 10, net((16, 32, 96, 96), 512), image_size=32),
            ARMS,
            seeds=3,
            minimum_steps=190,
            core_minutes=60,
        ),
        "gpu": Design(
            (MORE,),
            "NFNet-F0's blocks (1, 2, 6, 3) in widths 64, 128, 256, 256 at 32 px, 40,000 images, 40 epochs, the "
            "paper's batches of 4,096, bf16; the rates are those of 4,096 images",
            gpu_bench(40, net((64, 128, 256, 256), 4096, (1, 2, 6, 3))),
            ARMS,
            seeds=3,
            minimum_steps=360,
            core_minutes=30,  # 24 runs of 360 steps of 0.2 s; not measured
        ),
    },
    full_scale="lit-cnn fit --config nfnet_f0",
)  # fmt: skip
