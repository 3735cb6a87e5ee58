"""Good on ImageNet, good elsewhere."""

from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.part import Undecidable

CLAIM = Claim(
    name="transfer",
    title="Good on ImageNet, good elsewhere",
    question="Architectures that are good on ImageNet are good on other images",
    slide="Trends: ImageNet accuracy and other tasks",
    published=(
        Published("CIFAR-10 and CIFAR-100 accuracy of transferred EfficientNets", "B0 98.1, 88.1; B7 98.9, 91.7 %",
                  "Tan and Le, 2019, arXiv:1905.11946, and its released code"),
    ),
    designs={
        "cpu": Design(
            (
                Undecidable(
                    "the order by published ImageNet accuracy is the order on flowers",
                    "a rank correlation of 6 nets is beyond chance from 0.83 on, and one validation of 100 images has "
                    "a standard error of 4 points, more than what lies between the nets",
                    "weights of 15 nets and a data set of 10,000 images",
                ),
            )
        )
    },
    full_scale="lit-cnn fit --config finetune",
)  # fmt: skip
