"""What is benched of a recipe is what ``fit`` would train: the same loss of the same batches, the same update."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.benchmarking.contestants import TABLE, catalog_races, recipe_contestant, recipe_parts
from lit_cnn.benchmarking.cost import training_step
from lit_cnn.benchmarking.overhead import plain_loop
from lit_cnn.benchmarking.race import Conditions
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.mixing import Mixup
from lit_cnn.data.batch import Batch
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.machine import MachineSettings
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings

STEPS = 3
CPU = Conditions(torch.device("cpu"))
DROPPING = [
    *("--model.architecture=cifar_resnet8", "--model.options.drop_path=0.5", "--stochastic_depth.gate=batch"),
    *("--data.source=digits", "--data.image_size=8", "--data.batch_size=32", "--data.crop.kind=resize"),
    *("--trainer.max_epochs=1", "--trainer.precision=32-true"),
]
LOSS = {"label_smoothing": 0.1, "auxiliary_weight": 0.4}


class Heads(nn.Module):
    """A foreign network with dropout, and in training an auxiliary head."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout, self.main, self.auxiliary = nn.Dropout(0.3), nn.Linear(192, 3), nn.Linear(192, 3)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.dropout(images.flatten(1))
        return (self.main(x), self.auxiliary(x)) if self.training else self.main(x)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Noise in three classes, of which the first has most of the images."""
    random, file = np.random.default_rng(0), tmp_path / "uneven.npz"
    labels = np.array([0] * 18 + [1] * 4 + [2] * 2)
    images = random.integers(0, 256, (len(labels), 8, 8, 3), dtype=np.uint8)
    np.savez(file, train_images=images, train_labels=labels, val_images=images, val_labels=labels)
    return file


def make_recipe(path: Path, kind: str, class_weights: Any = "balanced") -> Any:
    """A recipe's parts, newly made: a foreign network with two heads, or ours with or without stochastic depth."""
    torch.manual_seed(5)
    model = Classifier(
        Heads() if kind == "foreign" else "cifar_resnet8",
        NetworkOptions(drop_path=0.3) if kind == "ours" else NetworkOptions(),
        loss=LossSettings(class_weights=class_weights, **LOSS),
        optimizer=OptimizerSettings(learning_rate=0.05),
        schedule=ScheduleSettings("constant", warmup_epochs=0.0),
        clipping=ClippingSettings("norm", 0.5),
        seed=7,
    )
    options: dict[str, Any] = {"crop": Crop("none"), "workers": 0}
    options["mixup"] = Mixup(0.0 if kind == "foreign" else 0.4)
    data = ImageData("npz", path=str(path), image_size=8, batch_size=8, seed=7, **options)
    data.setup()
    trainer = {"accelerator": "cpu", "precision": "32-true", "max_steps": -1, "max_epochs": 1}
    others = {"machine": MachineSettings(), "stochastic_depth": StochasticDepthSchedule()}
    return SimpleNamespace(model=model, classifier=model, data=data, trainer=trainer, **others)


def fit(recipe: Any, folder: Path) -> list[float]:
    """The training losses of a run's first steps under Lightning."""
    losses: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, *args: Any) -> None:
            losses.append(float(outputs["loss"]))

    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=STEPS,
        limit_val_batches=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[Watch()],
        **quiet,
    )
    trainer.fit(recipe.model, recipe.data)
    return losses


def bench(recipe: Any) -> list[float]:
    """The losses of the benched step's first steps."""
    losses: list[float] = []
    parts = recipe_parts(recipe, CPU)

    def loss_of(batch: Batch) -> Tensor:
        loss = parts.step.loss_of(batch)
        losses.append(float(loss.detach()))
        return loss

    noting = replace(parts, step=replace(parts.step, loss_of=loss_of))
    for _ in range(STEPS):
        noting.run()
    return losses


def weights(recipe: Any) -> dict[str, Tensor]:
    return recipe.model.network.state_dict()


@pytest.mark.parametrize("kind", ["foreign", "ours"])
def test_a_recipes_benched_steps_are_those_of_its_run(path: Path, tmp_path: Path, kind: str) -> None:
    """With balanced classes, smoothing, an auxiliary head, clipping, mixing, dropout and stochastic depth."""
    run, benched, equal = make_recipe(path, kind), make_recipe(path, kind), make_recipe(path, kind, "equal")
    losses = fit(run, tmp_path)
    assert bench(benched) == pytest.approx(losses, rel=1e-6)
    for name, weight in weights(run).items():
        torch.testing.assert_close(weights(benched)[name], weight)
    assert bench(equal)[0] != pytest.approx(losses[0], rel=0.01)  # the weights of the classes matter here


def test_the_plain_loop_weighs_the_classes_as_the_run_does(path: Path, tmp_path: Path) -> None:
    run, plain = make_recipe(path, "plain"), make_recipe(path, "plain")
    fit(run, tmp_path)
    step = plain_loop(plain)
    for _ in range(STEPS):
        step()
    for name, weight in weights(run).items():
        torch.testing.assert_close(weights(plain)[name], weight)


def test_the_step_of_a_cost_needs_no_images_to_weigh_classes_by() -> None:
    model = Classifier("cifar_resnet8", loss=LossSettings(class_weights="balanced", **LOSS))
    assert training_step(model, image_size=8, batch_size=2, bf16=False)() > 0
    assert model.loss_settings == LossSettings(class_weights="equal", **LOSS)


@pytest.mark.parametrize("timed", ["bench", "plain loop"])
def test_blocks_that_fit_would_skip_are_skipped(timed: str) -> None:
    recipe = Recipe.of(RecipeCLI(resolve_configs(DROPPING)))
    recipe.data.setup()
    step = recipe_parts(recipe, CPU).run if timed == "bench" else plain_loop(recipe)
    layers = [layer for layer in recipe.model.network.modules() if isinstance(layer, StochasticDepth)]
    assert [layer.gate for layer in layers] == ["batch"] * 3
    computed = []
    for number, block in enumerate(recipe.model.network.features.modules()):
        if hasattr(block, "residual"):
            block.residual.register_forward_hook(lambda *_, number=number: computed.append(number))
    for layer in layers:
        layer.rate = 1 - 2.0**-20
    step()
    assert not computed


def test_without_names_there_is_a_race_for_each_network_of_the_table() -> None:
    assert [(name, size) for name, size, _ in catalog_races([], [])] == list(TABLE)
    with_rivals = catalog_races([], ["timm"], image_sizes=[64])
    assert {size for _, size, _ in with_rivals} == {64}
    assert any(rivals for *_, rivals in with_rivals)
    assert not all(rivals for *_, rivals in with_rivals)  # some have no counterpart and are benched alone


def test_a_named_network_races_at_its_own_size_and_needs_a_rival_where_one_is_asked_for() -> None:
    assert catalog_races(["cifar_resnet20"], []) == [("cifar_resnet20", 32, [])]
    ((name, size, rivals),) = catalog_races(["resnet18"], ["torchvision"])
    assert (name, size, [rival.other for rival in rivals]) == ("resnet18", 224, ["resnet18"])
    with pytest.raises(ValueError, match="cifar_resnet20 has no counterpart in timm or torchvision"):
        catalog_races(["cifar_resnet20"], ["timm", "torchvision"])


def test_a_batch_that_exceeds_the_images_is_limited_to_them_as_fit_does_it() -> None:
    recipe = Recipe.of(RecipeCLI(resolve_configs([*DROPPING, "--data.batch_size=2000"])))
    assert len(recipe_contestant(recipe, CPU).images) == 1438
