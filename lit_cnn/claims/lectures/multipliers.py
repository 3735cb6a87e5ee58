"""Width and resolution multipliers trade accuracy for work."""

from collections.abc import Mapping

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.trend import Trend
from lit_cnn.claims.shared_settings import RATES, cifar_bench, digits_bench, gpu_bench, gpu_minutes
from lit_cnn.profiling.counting import count_model

WIDTHS = {"width125": 0.125, "width25": 0.25, "width375": 0.375, "width5": 0.5}
PAPER_WIDTHS = {"width25": 0.25, "width5": 0.5, "width75": 0.75, "width1": 1.0}
SMALLER = {"px16": 16, "px20": 20, "px24": 24, "px28": 28}
NET: Settings = {"model.architecture": "mobilenet_v1", "model.options.stem": "small"}
PRINTED = {"1.0": 569, "0.75": 325, "0.5": 149, "0.25": 41}
"""Width -> multiply-adds in millions as the paper prints them."""


def arms(widths: Mapping[str, float]) -> tuple[Arm, ...]:
    """Rising widths at the bench's size."""
    return tuple(Arm(name, {"model.options.width_multiplier": width}) for name, width in widths.items())


def smaller(width: float) -> tuple[Arm, ...]:
    """One width on smaller images."""
    return tuple(
        Arm(name, {"model.options.width_multiplier": width, "data.image_size": side, "data.crop.padding": side // 8})
        for name, side in SMALLER.items()
    )


def trends(widths: Mapping[str, float]) -> tuple[Trend, ...]:
    """Along widths, and along sizes, which end at the largest width's 32 px."""
    along = {"width": tuple(widths), "resolution": (*SMALLER, list(widths)[-1])}
    return (
        *(Trend(f"accuracy rises with {what}", "accuracy", names) for what, names in along.items()),
        *(Trend(f"the likelihood rises with {what}", "nll", names, primary=False) for what, names in along.items()),
    )


def count() -> dict[str, float]:
    """Multiply-adds of the four widths at 224 px, and of width 1 at the paper's four sizes, in millions."""
    names = {width: "mobilenet_v1" + ("" if width == "1.0" else f"_{width}") for width in PRINTED}
    widths = {f"width {width} (million)": count_model(name).madds / 1e6 for width, name in names.items()}
    sides = {f"{side} px (million)": count_model("mobilenet_v1", side).madds / 1e6 for side in (192, 160, 128)}
    return widths | sides


EXACT = tuple(
    Exact(
        f"width {width}: {millions} million multiply-adds", f"width {width} (million)", millions - 1.0, millions + 1.0
    )
    for width, millions in PRINTED.items()
)
CLAIM = Claim(
    name="multipliers",
    title="Width and resolution multipliers",
    question="Thinner nets and smaller images lose accuracy steadily, as their multiply-adds fall",
    slide="MobileNet: width and resolution multipliers",
    published=(
        Published(
            "ImageNet top-1 by width 1, 0.75, 0.5, 0.25",
            "70.6, 68.4, 63.7, 50.6 % with 569, 325, 149, 41 million multiply-adds",
            "Howard et al., 2017, arXiv:1704.04861, Table 6",
        ),
        Published(
            "ImageNet top-1 by 224, 192, 160, 128 px",
            "70.6, 69.1, 67.2, 64.4 % with 569, 418, 290, 186 million multiply-adds",
            "Howard et al., 2017, Table 7",
        ),
    ),
    designs={
        "digits": Design(
            trends(WIDTHS)[::2],
            "MobileNets of width 0.5 and thinner with a small stem on 400 digits of 8 × 8 px, 20 epochs of 12 steps",
            digits_bench(400, 20, {**NET, "data.batch_size": 32}),
            arms(WIDTHS),
            seeds=3,
            minimum_steps=240,
            core_minutes=2,
        ),
        "cpu": Design(
            (*EXACT, *trends(WIDTHS)),
            "MobileNets of width 0.5 and thinner with a small stem at 32 px and below, 10,000 images, 6 epochs",
            cifar_bench(10_000, 6, NET, image_size=32),
            (*arms(WIDTHS), *smaller(0.5)),
            RATES,
            seeds=3,
            minimum_steps=900,
            core_minutes=65,
            count=count,
        ),
        "gpu": Design(
            (*EXACT, *trends(PAPER_WIDTHS)),
            "MobileNets of the paper's widths with a small stem at 32 px and below, 40,000 images, 40 epochs, batches "
            "of 128, bf16",
            gpu_bench(40, NET),
            (*arms(PAPER_WIDTHS), *smaller(1.0)),
            RATES,
            seeds=3,
            minimum_steps=12_000,
            core_minutes=gpu_minutes(8 * (3 + 3), 40, 28),
            count=count,
        ),
    },
    full_scale="lit-cnn fit --config mobilenet_v1 --model.architecture mobilenet_v1_0.5",
    notes=("The paper's own last step, 63.7 to 50.6 %, is not a small one.",),
)  # fmt: skip
