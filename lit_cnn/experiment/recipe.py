"""A recipe as objects: what ``fit``, ``bench``, ``tune`` and the commands on checkpoints take."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from lit_cnn.experiment.changes import Change, changes, trained_changes
from lit_cnn.experiment.files import About, argument
from lit_cnn.experiment.parser import RecipeCLI, recipe_name, resolve_configs
from lit_cnn.experiment.task import Task, require_classification
from lit_cnn.randomness import seeded
from lit_cnn.tracking import TrackingSettings
from lit_cnn.training.callbacks.early_stopping import EarlyStopping
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.callbacks.loss_guard import LossGuard
from lit_cnn.training.callbacks.progressive_learning import ProgressiveLearning
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule
from lit_cnn.training.callbacks.top_checkpoints import CheckpointSettings
from lit_cnn.training.checkpoint_record import built_in
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.machine import MachineSettings
from lit_cnn.training.monitor import is_of_training, is_of_validation
from lit_cnn.training.trained_module import TrainedModule


@dataclass(kw_only=True)
class Recipe:
    """What is trained, on what, how and where.

    Args:
        name: Of the folder that its runs share.
        task: What is learned.
        model: A Classifier, or a Detector.
        data: An ImageData, or a DetectionData.
        progressive_learning: None where the task has none.
        trainer: Arguments of Lightning's Trainer; the precision is one that Lightning knows.
        monitor: Metric of the best epoch: its maximum or, of a loss, its minimum.
        checkpoint_minutes: Longest time between checkpoints inside an epoch.
        process_timeout_minutes: How long a process of a distributed run waits for the others.
        resolved: The same as built-in types, every default filled in: what ``config.yaml`` and checkpoints hold.
        notices: Sentences on what was left out of the files, since the network cannot do it.
        cli: What was stated.
        trained_by: Folder of the run that ``fit`` has begun with these objects; None of new ones.
    """

    name: str
    task: Task
    about: About
    model: TrainedModule
    data: Any
    trainer: dict[str, Any]
    ema: EMA
    stochastic_depth: StochasticDepthSchedule
    progressive_learning: ProgressiveLearning | None
    early_stopping: EarlyStopping
    loss_guard: LossGuard
    tracking: TrackingSettings
    machine: MachineSettings
    checkpoints: CheckpointSettings
    monitor: str
    checkpoint_minutes: float
    process_timeout_minutes: float
    resolved: dict[str, Any]
    cli: RecipeCLI = field(repr=False, compare=False)
    notices: list[str] = field(default_factory=list)
    trained_by: Path | None = None

    @classmethod
    def load(cls, *configs: str | Path, overrides: Mapping[str, Any] | None = None) -> "Recipe":
        """Read a recipe by name or path, with further files on top and then single keys.

        Args:
            configs: Such as "resnet_rs", "overlays/resnet_rs_101_160" or a path.
            overrides: Dotted keys and values, such as {"data.batch_size": 64}; also paths, and numbers of NumPy.

        Raises:
            ValueError: Naming what is wrong, with the nearest recipe or key.
        """
        words = [word for config in configs for word in ("--config", str(config))]
        keys = [argument(key, built_in(value)) for key, value in (overrides or {}).items()]
        return cls.of(RecipeCLI([*resolve_configs(words), *keys]), recipe_name(words))

    @classmethod
    def of(cls, cli: RecipeCLI, name: str = "recipe") -> "Recipe":
        """The objects of a parsed recipe, newly built at every call, in this machine's precision where it says auto.

        A network outside the catalog (``class_path``) is built here: its weights come from the recipe's seed, too.
        """
        cli.settle_precision()
        with seeded(cli.config.seed_everything, "initialization"):
            built = cli.parser.instantiate(cli.config)
        return cls(
            name=name,
            task=cli.task,
            about=built.about,
            model=built.model,
            data=built.data,
            trainer=dict(built.trainer),
            ema=built.ema,
            stochastic_depth=built.stochastic_depth,
            progressive_learning=built.get("progressive_learning"),
            early_stopping=built.early_stopping,
            loss_guard=built.loss_guard,
            tracking=built.tracking,
            machine=built.machine,
            checkpoints=built.checkpoints,
            monitor=built.monitor,
            checkpoint_minutes=built.checkpoint_minutes,
            process_timeout_minutes=built.process_timeout_minutes,
            resolved=cli.values(),
            notices=cli.notices,
            cli=cli,
        )

    @functools.cached_property
    def changed(self) -> dict[str, Change]:
        """The keys that differ from the first file alone and may change what the training yields."""
        first = self.cli.first_file()
        return trained_changes(changes(first, self.resolved)) if first else {}

    @property
    def classifier(self) -> Classifier:
        """The model of a recipe of classification.

        Raises:
            ValueError: If the task is another.
        """
        require_classification(self.task)
        assert isinstance(self.model, Classifier)
        return self.model

    def check_monitor(self, watchers: Sequence[pl.Callback] = ()) -> None:
        """Refuse to choose by a metric that no validation has: one that the task has not, or one of the raw weights
        where only the average, or nothing else, is validated.

        Args:
            watchers: Callbacks besides the recipe's own, which may log metrics under other names.

        Raises:
            ValueError: Naming the metrics there are, or the keys by which it is logged.
        """
        known = self.model.validated_metrics
        of_few_classes = re.fullmatch(r"val/acc[1-4]", self.monitor)
        of_callbacks = not is_of_validation(self.monitor) and bool(watchers or self.trainer["callbacks"])
        of_others = of_few_classes or of_callbacks or is_of_training(self.monitor)
        if known and self.monitor not in known and not of_others:
            raise ValueError(f"monitor is {self.monitor}, but a validation of this task has only {', '.join(known)}")
        if self.monitor.endswith("_raw") and not (self.ema.decay > 0 and self.ema.validate_raw):
            raise ValueError(
                f"monitor is {self.monitor}, which is logged only with ema.decay above 0 and ema.validate_raw true: "
                f"set them, or monitor to {self.monitor.removesuffix('_raw')}"
            )

    @property
    def callbacks(self) -> list[pl.Callback]:
        """The callbacks that are fields of a recipe."""
        staged = [self.progressive_learning] if self.progressive_learning is not None else []
        return [self.ema, self.stochastic_depth, *staged, self.early_stopping, self.loss_guard]
