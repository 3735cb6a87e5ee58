"""What augmentation brings to a small training set."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Scale, Settings
from lit_cnn.claims.rules.difference import Expected, superiority
from lit_cnn.claims.rules.part import Part, Undecidable
from lit_cnn.claims.shared_settings import NARROW, RATES, cifar_bench, digits_bench, gpu_bench, gpu_minutes

OFF: Settings = {"data.crop.padding": 0, "data.flip.horizontal": 0.0}
COLOR: Settings = {
    "data.color_jitter.brightness": 0.4,
    "data.color_jitter.contrast": 0.4,
    "data.color_jitter.saturation": 0.4,
}
ON_TOP: dict[str, Settings] = {
    "color": COLOR,
    "rand_augment": {"data.rand_augment.layers": 1, "data.rand_augment.magnitude": 5},
    "auto_augment": {"data.auto_augment": "cifar10"},
    "fast_auto_augment": {"data.auto_augment": "fast_cifar10"},
    "mixup": {"data.mixup.alpha": 1.0},
    "cutmix": {"data.cutmix.alpha": 1.0},
}
"""Arm -> what is added to flips and crops."""
PILOT = "a pilot of three seeds at 9 epochs"


def arms(image_size: int) -> tuple[Arm, ...]:
    cutout: Settings = {"data.cutout.size": image_size // 2}
    extra = {**ON_TOP, "cutout": cutout}
    return (Arm("none", OFF), Arm("flip_crop"), *(Arm(name, settings) for name, settings in extra.items()))


def parts(piloted: bool) -> tuple[Part, ...]:
    others = (*ON_TOP, "cutout")
    return (
        superiority("flips and crops are more accurate than nothing", "accuracy", "flip_crop", "none"),
        superiority("flips and crops have the higher likelihood", "nll", "flip_crop", "none", primary=False,
                    expected=Expected(0.23, 0.05, PILOT) if piloted else None),
        superiority("flips and crops narrow the gap", "gap", "flip_crop", "none"),
        *(
            superiority(f"{name} on top is more accurate", "accuracy", name, "flip_crop", family="on top, accuracy")
            for name in others
        ),
        *(
            superiority(f"{name} on top has the higher likelihood", "nll", name, "flip_crop", primary=False,
                        family="on top, nll")
            for name in others
        ),
        Undecidable("the methods rank as in the papers",
                    "their means lie within one to two standard deviations of a seed",
                    "300 epochs of a large net", primary=False),
    )  # fmt: skip


def digits_parts() -> tuple[Part, ...]:
    return (
        superiority("shifts by a pixel are more accurate than nothing", "accuracy", "crop", "none"),
        superiority("shifts have the higher likelihood", "nll", "crop", "none", primary=False),
        superiority("shifts narrow the gap", "gap", "crop", "none"),
        superiority("mixup on top is more accurate", "accuracy", "mixup", "crop", primary=False),
    )


DESIGNS: dict[Scale, Design] = {
    "digits": Design(
        digits_parts(),
        "ResNet-20 of widths 8, 16, 32 on 200 digits of 8 × 8 px, 40 epochs of 6 steps, no flips, since a mirrored "
        "digit is another sign; mixup needs longer trainings than these, so it is shown and does not count",
        digits_bench(200, 40, {"model.architecture": "cifar_resnet20", **NARROW, "data.batch_size": 32}),
        (Arm("none", OFF), Arm("crop"), Arm("mixup", ON_TOP["mixup"])),
        seeds=5,
        minimum_steps=240,
        core_minutes=1.5,
    ),
    "cpu": Design(
        parts(piloted=True),
        "ResNet-20 of widths 8, 16, 32 at 16 px, 2,000 images, 60 epochs",
        cifar_bench(2000, 60, {"model.architecture": "cifar_resnet20", **NARROW}),
        arms(16),
        RATES,
        seeds=5,
        minimum_steps=1860,
        core_minutes=90,
    ),
    "gpu": Design(
        parts(piloted=False),
        "ResNet-20 of the paper's widths at 32 px, 40,000 images, 200 epochs, batches of 128, bf16",
        gpu_bench(200, {"model.architecture": "cifar_resnet20"}),
        arms(32),
        RATES,
        seeds=3,
        minimum_steps=60_000,
        core_minutes=gpu_minutes(8 * (3 + 3), 200, 20),
    ),
}

CLAIM = Claim(
    name="augmentation",
    title="Augmentation",
    question="Flips and crops, and each later method on top of them, raise accuracy on held-out images",
    slide="Augmentation: cutout, mixup, CutMix, AutoAugment, RandAugment",
    published=(
        Published("CIFAR-10 test error, ResNet-18", "cutout 3.99 against 4.72 %", "DeVries and Taylor, 2017, "
                  "arXiv:1708.04552, and its released code"),
        Published("CIFAR-10 test error, PyramidNet-200", "none 3.85, cutout 3.10, mixup 3.09, CutMix 2.88 %",
                  "Yun et al., 2019, arXiv:1905.04899"),
        Published("CIFAR-10 accuracy, WRN-28-10", "96.1; AutoAugment 97.4, RandAugment 97.3 %",
                  "Cubuk et al., 2019, arXiv:1909.13719"),
        Published("ImageNet top-1 error, ResNet-50", "none 23.68, cutout 22.93, mixup 22.58, CutMix 21.40 %",
                  "Yun et al., 2019"),
    ),
    designs=DESIGNS,
    full_scale="lit-cnn fit --config cutmix_resnet50",
    notes=(
        "After 9 epochs all methods on top of flips and crops lost in the pilots: they need long trainings.",
        "Training accuracy is measured on the augmented images, which alone lowers it: a narrower gap is not yet a "
        "better net.",
    ),
)  # fmt: skip
