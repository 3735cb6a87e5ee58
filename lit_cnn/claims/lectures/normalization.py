"""Batch norm lets deep nets train from the initialization that they would not train from without it."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.counts import Counts
from lit_cnn.claims.rules.part import Part, Undecidable
from lit_cnn.claims.shared_settings import RATE, RATES, cifar_bench, gpu_bench, gpu_minutes

TRAINED = 2.0
"""A loss below counts as trained; a guess among 10 classes has 2.303."""
LOW_RATES: tuple[Settings, ...] = tuple({RATE: rate} for rate in (0.003, 0.01, 0.03, 0.1))
"""At scale cpu, where the rates were 0.03 to 0.3, no arm trained."""
HEAD: Settings = {"model.options.hidden": 512, "model.options.map_size": 1}


def parts(network: str) -> tuple[Part, ...]:
    return (
        Counts(f"{network} from the paper's random weights trains with batch norm, and not without", "nll", TRAINED,
               ("norm_paper",), ("plain_paper",)),
        Counts("without batch norm it trains from He's initialization", "nll", TRAINED, ("plain_he",),
               ("plain_paper",)),
    )  # fmt: skip


def arms(network: str) -> tuple[Arm, ...]:
    return (
        Arm("norm_paper", {"model.architecture": f"{network}_bn", "model.options.weight_init": "paper"}),
        Arm("plain_paper", {"model.architecture": network, "model.options.weight_init": "paper"}),
        Arm("plain_he", {"model.architecture": network, "model.options.weight_init": "he"}),
    )


CLAIM = Claim(
    name="normalization",
    title="Batch norm and initialization",
    question="With batch norm a deep net trains from a plain random initialization; without, it needs a better one",
    slide="Batch normalization; He initialization; GoogLeNet's auxiliary heads",
    published=(
        Published("ImageNet, Inception", "the same accuracy in 14 times fewer steps", "Ioffe and Szegedy, 2015, "
                  "arXiv:1502.03167, abstract"),
        Published("a 30-layer net", "does not train from Xavier's initialization, trains from He's", "He et al., 2015, "
                  "arXiv:1502.01852, Figure 3"),
    ),
    designs={
        "cpu": Design(
            (
                *parts("VGG-13"),
                Undecidable("with batch norm GoogLeNet needs no auxiliary heads",
                            "a loss of 1 point between nets of 6 million parameters is below the spread of what trains "
                            "here", "lit-cnn fit --config googlenet", primary=False),
            ),
            "VGG-13 with hidden layers of 512 at 32 px, 5,000 images, 4 epochs",
            cifar_bench(5000, 4, HEAD, image_size=32),
            arms("vgg13"),
            RATES,
            seeds=5,
            minimum_steps=300,
            core_minutes=100,
        ),
        "gpu": Design(
            parts("VGG-16"),
            "VGG-16 with hidden layers of 512 at 32 px, 40,000 images, 10 epochs, batches of 128, bf16",
            gpu_bench(10, HEAD),
            arms("vgg16"),
            LOW_RATES,
            seeds=5,
            minimum_steps=3000,
            core_minutes=gpu_minutes(3 * (4 + 5), 10, 16),
        ),
    },
    full_scale="lit-cnn fit --config vgg16 --config overlays/vgg_paper_init",
)  # fmt: skip
