"""A claim whose trainings are a function of arm, point and seed, written down instead of run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lit_cnn.claims.claim import Arm, Bench, Claim, Design, Images, Published
from lit_cnn.claims.rules.difference import superiority
from lit_cnn.claims.rules.measured import Exact
from lit_cnn.claims.rules.part import Undecidable
from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.sweeps.trials import Fit

RATE = "model.optimizer.learning_rate"
LOSSES = {("cifar_resnet8", 0.1): 1.0, ("cifar_resnet8", 0.3): 0.9, ("cifar_resnet20", 0.1): 0.7}
"""(architecture, rate) -> loss with seed 0, which grows with the seed; other pairs diverge."""
DIVERGED = "lit-cnn: the training loss is not finite in step 3 at learning rate 0.3; lower it"


def count() -> dict[str, float]:
    return {"ratio": 8.5}


DESIGN = Design(
    (
        superiority("20 layers are more accurate", "accuracy", "deep", "shallow"),
        superiority("20 layers have the lower loss", "nll", "deep", "shallow", primary=False),
        Exact("a ratio", "ratio", 8, 9),
        Undecidable("the paper's size", "it takes weeks", primary=False),
    ),
    "all else",
    Bench(
        "cifar10_resnet20",
        {"trainer.max_epochs": 2, "trainer.accelerator": "cpu", "trainer.precision": "32-true", "data.batch_size": 64},
        Images("digits", 1000),
    ),
    (
        Arm("shallow", {"model.architecture": "cifar_resnet8"}),
        Arm("deep", {"model.architecture": "cifar_resnet20"}),
        Arm("unused", {"model.architecture": "cifar_resnet32"}),
    ),
    ({RATE: 0.1}, {RATE: 0.3}),
    seeds=3,
    minimum_steps=30,
    count=count,
)
CLAIM = Claim("depth", "Depth", "Deeper is better", "a slide", (Published("x", "1 %", "a paper"),), {"cpu": DESIGN})


def value_of(overrides: Sequence[str], key: str, default: str) -> str:
    return next((word.partition("=")[2] for word in overrides if word.startswith(f"--{key}=")), default)


@dataclass(frozen=True)
class Trainings(Fit):
    """What ``lit-cnn fit`` is to the engine; the runs are listed in the order in which they were made."""

    made: list[str] = field(default_factory=list)

    def run(self, run_dir: Path, overrides: Sequence[str], *_: object, **__: object) -> int:
        name, rate = value_of(overrides, "model.architecture", ""), float(value_of(overrides, RATE, "0.1"))
        seed = int(value_of(overrides, "seed_everything", "1000"))
        self.made.append(f"{name} {rate:g} {seed}")
        if (name, rate) not in LOSSES:
            (run_dir / "fit.log").write_text(f"{DIVERGED}\n")
            return 1
        loss = LOSSES[name, rate] + 0.01 * (seed % 100) ** 1.5 * (2 if name.endswith("20") else 1)
        config = {"trainer": {"max_epochs": 2}, "data": {"batch_size": 64}, "seed_everything": seed}
        (run_dir / "config.yaml").write_text(yaml.safe_dump(config))
        (run_dir / "metrics.csv").write_text(
            f"epoch,step,train/loss,train/acc1,val/loss,val/acc1\n0,14,2.0,0.3,,\n1,29,0.5,0.9,{loss},{1 - loss / 2}\n"
        )
        (run_dir / "timing.csv").write_text("epoch,step,timing/images_per_second\n0,14,640\n1,29,640\n")
        return 0


def patch_trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let claims train by ``Trainings``; returns the list of what they have made."""
    made: list[str] = []

    def trainings(recipe: Path, _: RecipeCLI) -> Trainings:
        return Trainings(recipe, made=made)

    monkeypatch.setattr("lit_cnn.claims.running.trainings", trainings)
    return made
