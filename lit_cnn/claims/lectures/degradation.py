"""Deeper plain nets train worse; residual nets lose less."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.difference import Difference, Expected
from lit_cnn.claims.rules.part import Part, Undecidable
from lit_cnn.claims.shared_settings import NARROW, PAPER_RATE, RATES, cifar_bench, digits_bench, gpu_bench, gpu_minutes

PLAIN, RESIDUAL = {"plain56": 1.0, "plain20": -1.0}, {"resnet56": 1.0, "resnet20": -1.0}
INTERACTION = {**PLAIN, "resnet56": -1.0, "resnet20": 1.0}
PILOT = "a pilot of one seed at 600 steps and of two at 120"
NOT_THIS_FAR = Undecidable(
    "residual nets do not get worse with depth at all",
    "their gap was still 0.14 nats after 1,200 steps of the pilot, and the paper trains 64,000",
    "the full-scale command",
)


def arms(options: Settings) -> tuple[Arm, ...]:
    return tuple(
        Arm(f"{kind}{depth}", {"model.architecture": f"cifar_{kind}{depth}", **options})
        for kind in ("plain", "resnet")
        for depth in (20, 56)
    )


def parts(plain_margin: float, interaction_margin: float, piloted: bool) -> tuple[Part, ...]:
    return (
        Difference(
            "56 plain layers have a higher training loss than 20",
            "nll",
            PLAIN,
            plain_margin,
            expected=Expected(0.57, 0.15, PILOT) if piloted else None,
        ),
        Difference(
            "the plain nets lose more by depth than the residual ones",
            "nll",
            INTERACTION,
            interaction_margin,
            expected=Expected(0.45, 0.2, PILOT) if piloted else None,
        ),
        Difference(
            "56 residual layers have a higher training loss than 20",
            "nll",
            RESIDUAL,
            primary=False,
        ),
        NOT_THIS_FAR,
    )


CLAIM = Claim(
    name="degradation",
    title="Deeper plain nets train worse",
    question="Adding layers to a plain net raises its training loss, and shortcuts take most of that away",
    slide="ResNet: the degradation problem",
    published=(
        Published(
            "ImageNet validation, 10-crop top-1 error",
            "plain-18 27.94, plain-34 28.54; ResNet-18 27.88, ResNet-34 25.03 %",
            "He et al., 2015, arXiv:1512.03385, Table 2",
        ),
        Published(
            "CIFAR-10 test error",
            "ResNet-20 8.75, ResNet-56 6.97, ResNet-110 6.43 %; plain-110 above 60 %",
            "He et al., 2015, section 4.2 and Table 6",
        ),
    ),
    designs={
        "cpu": Design(
            parts(0.05, 0.1, piloted=True),
            "CIFAR nets of widths 8, 16, 32 at 16 px, 20,000 images, 2 epochs of 312 steps; judged by the loss on "
            "5,000 of the training images without augmentation",
            cifar_bench(20_000, 2, on_training=True),
            arms(NARROW),
            RATES,
            seeds=5,
            minimum_steps=600,
            core_minutes=25,
        ),
        "digits": Design(
            parts(0.05, 0.1, piloted=False)[:3],
            "CIFAR nets of widths 8, 16, 32 on 1,000 digits of 8 × 8 px, 10 epochs of 15 steps; judged by the loss on "
            "these images",
            digits_bench(1000, 10, on_training=True),
            arms(NARROW),
            seeds=3,
            minimum_steps=150,
            core_minutes=2,
        ),
        "gpu": Design(
            parts(0.05, 0.1, piloted=False)[:3],
            "the paper's widths at 32 px, 40,000 images, 20 epochs, the paper's rate and batches of 128, bf16; "
            "judged by the loss on 5,000 of the training images",
            gpu_bench(20, PAPER_RATE, on_training=True),
            arms({}),
            seeds=3,
            minimum_steps=6000,
            core_minutes=gpu_minutes(2 * 3, 20, 20 + 56),
        ),
    },
    full_scale="lit-cnn fit --config cifar10_resnet20 --model.architecture cifar_plain56",
    notes=("The pilots at 120 steps showed the residual nets degrading as well: a shorter run refutes the paper.",),
)
