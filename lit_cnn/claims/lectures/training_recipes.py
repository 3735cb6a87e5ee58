"""How much of a newer net's gain is its training."""

from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.part import Undecidable

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
                    "the CIFAR nets that train here have neither squeeze-and-excitation nor ResNet-D's stem and "
                    "shortcuts, and a ResNet-RS-50 takes hours per run",
                    "lit-cnn fit --config resnet_rs against --config resnet50",
                ),
            )
        )
    },
    full_scale="lit-cnn fit --config resnet_rs",
)  # fmt: skip
