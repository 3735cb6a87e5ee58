"""How much of a newer net's gain is its training."""

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.difference import Difference, superiority
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.claims.shared_settings import RATES, gpu_bench, gpu_minutes

OLD_NET: Settings = {"model.architecture": "resnet50", "model.options.stem": "small"}
NEW_NET: Settings = {"model.architecture": "resnet_rs_50", "model.options.stem": "small"}
"""With squeeze-and-excitation, ResNet-D's stem and shortcuts, and last norms that start at 0."""
OLD_TRAINING: Settings = {
    "model.schedule.name": "step", "model.schedule.step_epochs": (20.0, 30.0), "model.schedule.step_factor": 0.1,
    "model.options.dropout": 0.0,
}  # fmt: skip
NEW_TRAINING: Settings = {
    "trainer.max_epochs": 120, "ema.decay": 0.999, "model.loss.label_smoothing": 0.1, "model.options.drop_path": 0.1,
    "model.options.dropout": 0.25, "data.rand_augment.layers": 1, "data.rand_augment.magnitude": 5,
    "model.optimizer.weight_decay": 2.0e-4,
}  # fmt: skip
"""The paper's rungs: a cosine over three times the epochs, averaged weights, label smoothing, stochastic depth,
RandAugment, dropout, and 0.4 times the decay."""

CLAIM = Claim(
    name="training_recipes",
    title="Training against architecture",
    question="Most of what ResNet-RS gains over ResNet comes from its training, not from its architecture",
    slide="ResNet-RS: the ladder of changes",
    published=(
        Published("ImageNet top-1, ResNet-200", "79.0 to 82.2 % by training, 83.4 % with squeeze-and-excitation and "
                  "ResNet-D", "Bello et al., 2021, arXiv:2103.07579, Table 1"),
    ),
    designs={
        "cpu": Design(
            (
                Undecidable(
                    "the rungs of training gain more than those of architecture",
                    "the catalog's nets with squeeze-and-excitation and ResNet-D's shortcuts begin at 50 layers, which "
                    "take 351 million multiply-adds at 16 px, a hundred times those of the CIFAR nets that train here: "
                    "four arms of five seeds on 5,000 images, 20 and 60 epochs, would take 28 hours of one core at 40 "
                    "billion multiply-adds per second",
                    "--scale gpu",
                ),
            )
        ),
        "gpu": Design(
            (
                superiority("the old net with the new training is more accurate than the new net with the old training",
                            "accuracy", "training", "architecture"),
                Difference("in the paper's order, training first, the training gains more than the architecture",
                           "accuracy", {"training": 2.0, "base": -1.0, "both": -1.0}),
                superiority("the new training is more accurate in the old net", "accuracy", "training", "base",
                            primary=False),
                superiority("the new net is more accurate with the new training", "accuracy", "both", "training",
                            primary=False),
            ),
            "a ResNet-50 and a ResNet-RS-50 with small stems at 32 px, 40,000 images, batches of 128, bf16; 40 epochs "
            "with steps of the rate, or 120 with the paper's training; the gain of a half averaged over both orders is "
            "compared by the first part",
            gpu_bench(40),
            (
                Arm("base", {**OLD_NET, **OLD_TRAINING}),
                Arm("training", {**OLD_NET, **NEW_TRAINING}),
                Arm("architecture", {**NEW_NET, **OLD_TRAINING}),
                Arm("both", {**NEW_NET, **NEW_TRAINING}),
            ),
            RATES,
            seeds=5,
            minimum_steps=12_000,
            core_minutes=gpu_minutes(2 * (3 + 5), 40 + 120, 50),
        ),
    },
    full_scale="lit-cnn fit --config resnet_rs",
    notes=("Stochastic depth, label smoothing and the rest cost accuracy in short trainings: the epochs do most.",),
)  # fmt: skip
