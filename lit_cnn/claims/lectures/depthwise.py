"""Depthwise separable convolutions against full ones."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.difference import non_inferiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.shared_settings import RATES, cifar_bench, gpu_bench, gpu_minutes
from lit_cnn.profiling.counting import count_model

PARTS = (
    Exact("the paper's nets: 8 to 9 times fewer multiply-adds", "ratio of multiply-adds", 8, 9),
    Exact("569 million multiply-adds", "mobilenet_v1 multiply-adds (million)", 568.5, 569.5),
    non_inferiority("the loss is below 3 points", "accuracy", "separable", "full", 0.03),
    non_inferiority("in likelihood, below 0.15 nats", "nll", "separable", "full", 0.15, primary=False),
)


def arms(width: float) -> tuple[Arm, ...]:
    options: Settings = {"model.options.stem": "small", "model.options.width_multiplier": width}
    return (
        Arm("full", {"model.architecture": "conv_mobilenet", **options}),
        Arm("separable", {"model.architecture": "mobilenet_v1", **options}),
    )


def count() -> dict[str, float]:
    """Ratios of the paper's two networks, and multiply-adds in millions."""
    separable, full = count_model("mobilenet_v1"), count_model("conv_mobilenet")
    point = sum(
        layer.madds for layer in separable.layers if layer.kind == "convolution" and ".point" in f".{layer.name}"
    )
    return {
        "ratio of multiply-adds": full.madds / separable.madds,
        "ratio of parameters": full.params / separable.params,
        "mobilenet_v1 multiply-adds (million)": separable.madds / 1e6,
        "conv_mobilenet multiply-adds (million)": full.madds / 1e6,
        "share of 1 x 1 convolutions (%)": 100 * point / separable.madds,
    }


CLAIM = Claim(
    name="depthwise",
    title="Depthwise separable convolutions",
    question="Depthwise separable convolutions cost 8 to 9 times fewer multiply-adds at a small loss of accuracy",
    slide="MobileNet: depthwise separable convolutions",
    published=(
        Published(
            "ImageNet top-1",
            "70.6 % with 569 million multiply-adds and 4.2 million parameters; full convolutions 71.7 % with 4,866 and "
            "29.3",
            "Howard et al., 2017, arXiv:1704.04861, Table 4",
        ),
    ),
    designs={
        "cpu": Design(
            PARTS,
            "MobileNets of width 0.5 with a small stem at 32 px on 10,000 images, 10 epochs; at this width the ratio "
            "of multiply-adds is 8.2",
            cifar_bench(10_000, 10, image_size=32),
            arms(0.5),
            RATES,
            seeds=5,
            minimum_steps=1500,
            core_minutes=100,
            count=count,
        ),
        "gpu": Design(
            PARTS,
            "MobileNets of the paper's widths with a small stem at 32 px on 40,000 images, 60 epochs, batches of 128, "
            "bf16",
            gpu_bench(60),
            arms(1.0),
            RATES,
            seeds=5,
            minimum_steps=18_000,
            core_minutes=gpu_minutes(2 * (3 + 5), 60, 28),
            count=count,
        ),
    },
    full_scale="lit-cnn fit --config mobilenet_v1 --model.architecture conv_mobilenet",
)
