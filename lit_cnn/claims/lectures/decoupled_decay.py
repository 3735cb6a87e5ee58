"""Decoupled weight decay against an L2 penalty under Adam."""

import torch

from lit_cnn.claims.claim import Arm, Claim, Design, Published, Settings
from lit_cnn.claims.rules.difference import superiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.shared_settings import NARROW, PAPER_RATE, cifar_bench, gpu_bench, gpu_minutes

DECAY = "model.optimizer.weight_decay"
DECOUPLED: tuple[Settings, ...] = tuple({DECAY: decay} for decay in (0.01, 0.05, 0.1, 0.5))
COUPLED: tuple[Settings, ...] = tuple({DECAY: decay} for decay in (1e-5, 1e-4, 1e-3, 1e-2))
"""An L2 penalty passes through Adam's division, so one factor is not the other's: each arm has its own grid."""


def count() -> dict[str, float]:
    """A weight after two steps with the same gradients and factor, by both rules."""
    ends = {}
    for name, kind, decay in (("decoupled", torch.optim.AdamW, 0.1), ("coupled", torch.optim.Adam, 0.1)):
        weight = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
        optimizer = kind([weight], lr=0.1, weight_decay=decay)
        for gradient in (0.5, 2.0):
            weight.grad = torch.tensor([gradient], dtype=torch.float64)
            optimizer.step()
        ends[name] = float(weight.detach())
    return {"difference after two steps": abs(ends["decoupled"] - ends["coupled"]), **ends}


ADAM: Settings = {
    "model.architecture": "cifar_resnet20", "model.optimizer.name": "adamw",
    "model.optimizer.decay_excluded": "norm_and_bias", "model.optimizer.learning_rate": 3e-3,
}  # fmt: skip
PARTS = (
    Exact("two steps from the same weight end at different ones", "difference after two steps", 1e-3, 1.0),
    superiority("AdamW is more accurate", "accuracy", "decoupled", "coupled"),
    superiority("AdamW has the higher likelihood", "nll", "decoupled", "coupled", primary=False),
    superiority("leaving norms and biases without decay is more accurate", "accuracy", "decoupled", "decoupled_all",
                primary=False),
)  # fmt: skip
ARMS = (
    Arm("decoupled", {"model.optimizer.decay": "decoupled"}, DECOUPLED),
    Arm("coupled", {"model.optimizer.decay": "coupled"}, COUPLED),
    Arm("decoupled_all", {"model.optimizer.decay": "decoupled", "model.optimizer.decay_excluded": "none"}, DECOUPLED),
)
CLAIM = Claim(
    name="decoupled_decay",
    title="AdamW is not Adam with an L2 penalty",
    question="Under Adam, decoupled weight decay is another rule than an L2 penalty, and trains to a higher accuracy",
    slide="Training: AdamW",
    published=(
        Published("CIFAR-10 and ImageNet 32 × 32 test error", "AdamW ends below Adam with L2; curves without numbers",
                  "Loshchilov and Hutter, 2017, arXiv:1711.05101, Figure 3 and supplementary Figure 4"),
    ),
    designs={
        "cpu": Design(
            PARTS,
            "ResNet-20 of widths 8, 16, 32 at 16 px, 10,000 images, 20 epochs, rate 0.003; four factors for each arm",
            cifar_bench(10_000, 20, {**ADAM, **NARROW}),
            ARMS,
            seeds=5,
            minimum_steps=3000,
            core_minutes=50,
            count=count,
        ),
        "gpu": Design(
            PARTS,
            "ResNet-20 of the paper's widths at 32 px, 40,000 images, 100 epochs, batches of 128, bf16, rate 0.003 at "
            "128; four factors for each arm",
            gpu_bench(100, {**ADAM, **PAPER_RATE}),
            ARMS,
            seeds=5,
            minimum_steps=31_000,
            core_minutes=gpu_minutes(3 * (4 + 5), 100, 20),
            count=count,
        ),
    },
    full_scale="lit-cnn fit --config cifar10_resnet20 --model.optimizer.name adamw --model.optimizer.decay coupled",
)  # fmt: skip
