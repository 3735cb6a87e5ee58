"""Where a classic net's parameters sit, and what it loses without its hidden linear layers."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.difference import non_inferiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.part import Part
from lit_cnn.claims.shared_settings import RATES, cifar_bench, gpu_bench, gpu_minutes
from lit_cnn.profiling.counting import count_model

WEIGHTS: Settings = {"model.options.weight_init": "glorot"}
"""As in the recipes of VGG: with the printed variance the hidden layers alone would keep the net from training."""


def count() -> dict[str, float]:
    """Shares of parameters in linear layers and of multiply-adds in convolutions, in percent."""
    figures = {}
    for name in ("alexnet", "vgg16"):
        counted = count_model(name)
        linear = sum(layer.params for layer in counted.layers if layer.kind == "linear")
        convolved = sum(layer.madds for layer in counted.layers if layer.kind == "convolution")
        figures[f"{name} parameters in linear layers"] = 100 * linear / counted.params
        figures[f"{name} multiply-adds in convolutions"] = 100 * convolved / counted.madds
    return figures


EXACT = (
    Exact("AlexNet: 96 % of the parameters", "alexnet parameters in linear layers", 95.5, 96.5, "%"),
    Exact("VGG-16: 89 % of the parameters", "vgg16 parameters in linear layers", 88.5, 89.5, "%"),
    Exact("AlexNet: over 90 % of the multiply-adds are in convolutions", "alexnet multiply-adds in convolutions", 90,
          100, "%"),
)  # fmt: skip


def parts(network: str) -> tuple[Part, ...]:
    return (
        *EXACT,
        non_inferiority(f"{network} with global average pooling loses less than 1 point", "accuracy", "average",
                        "linear", 0.01),
        non_inferiority("in likelihood, less than 0.05 nats", "nll", "average", "linear", 0.05, primary=False),
    )  # fmt: skip


def arms(hidden: int) -> tuple[Arm, ...]:
    return (
        Arm("linear", {"model.options.hidden": hidden, "model.options.map_size": 1}),
        Arm("average", {"model.options.head": "global_average"}),
    )


CLAIM = Claim(
    name="linear_parameters",
    title="Parameters sit in linear layers",
    question="Classic nets have most parameters in their linear layers, and can do without them at little loss",
    slide="AlexNet and VGG; Network in Network: global average pooling",
    published=(
        Published("parameters", "AlexNet about 60 million, VGG-16 138 million", "Krizhevsky et al., 2012; Simonyan and "
                  "Zisserman, 2014, arXiv:1409.1556, Table 2"),
        Published(
            "global average pooling instead of linear layers",
            "10.41 against 11.59 % CIFAR-10 error of the same convolutions (10.88 with dropout)",
            "Lin et al., 2013, arXiv:1312.4400, Table 5",
            verified=False,
        ),
    ),
    designs={
        "cpu": Design(
            parts("VGG-11"),
            "VGG-11 with batch norm and Glorot's weights at 32 px on 10,000 images, 5 epochs; hidden layers of 512, or "
            "none",
            cifar_bench(10_000, 5, {"model.architecture": "vgg11_bn", **WEIGHTS}, image_size=32),
            arms(512),
            RATES,
            seeds=5,
            minimum_steps=780,
            core_minutes=130,
            count=count,
        ),
        "gpu": Design(
            parts("VGG-16"),
            "VGG-16 with batch norm and Glorot's weights at 32 px on 40,000 images, 60 epochs, batches of 128, bf16; "
            "the paper's hidden layers of 4,096, or none",
            gpu_bench(60, {"model.architecture": "vgg16_bn", **WEIGHTS}),
            arms(4096),
            RATES,
            seeds=5,
            minimum_steps=18_000,
            core_minutes=gpu_minutes(2 * (3 + 5), 60, 16),
            count=count,
        ),
    },
    full_scale="lit-cnn fit --config vgg11",
)  # fmt: skip
