"""A recipe's typed form, and the parser that names what is wrong with it."""

import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import yaml
from jsonargparse import ActionConfigFile, ArgumentError
from lightning.pytorch.cli import LightningArgumentParser

from lit_cnn.data.module import ImageData
from lit_cnn.experiment.files import (
    SEARCHES,
    About,
    argument,
    find_recipe,
    lines_of,
    read_yaml,
    recipe_id,
    stated_recipes,
)
from lit_cnn.experiment.identity import leaves
from lit_cnn.experiment.inherited import leave_out_inherited
from lit_cnn.experiment.initial_weights import CHECKPOINT, KnownWeights, describe_keys_of_weights, keys_of_weights
from lit_cnn.experiment.jsonargparse_internals import keys_of, unknown_key
from lit_cnn.experiment.suggestions import explain
from lit_cnn.experiment.task import MONITORS, TASKS, Task, task_of
from lit_cnn.run_folder.folder import ENVIRONMENT
from lit_cnn.run_folder.stored_recipe import legacy_values
from lit_cnn.tracking import TrackingSettings
from lit_cnn.training.callbacks.early_stopping import EarlyStopping
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.callbacks.loss_guard import LossGuard
from lit_cnn.training.callbacks.progressive_learning import ProgressiveLearning
from lit_cnn.training.callbacks.stochastic_depth import StochasticDepthSchedule
from lit_cnn.training.callbacks.top_checkpoints import CheckpointSettings
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.machine import MachineSettings
from lit_cnn.training.precision import Precision, PrecisionChoice, choose_precision

TRAINER_DEFAULTS = {
    "use_distributed_sampler": False,
    "num_sanity_val_steps": 0,
    "enable_model_summary": False,
    "log_every_n_steps": 10,
}
"""Arguments of Lightning's Trainer whose defaults are ours."""


class RecipeParser(LightningArgumentParser):
    """Parser of recipes whose errors are one sentence with the nearest key."""

    recipe_task: Task = "classification"

    def error(self, message: str, ex: Exception | None = None) -> Any:
        raise ValueError(self.explained(message))

    def explained(self, message: str) -> str:
        """A message of jsonargparse as one sentence: on an unknown key, the task that has it, or the nearest key."""
        name = unknown_key(message)
        others = [task for task in TASKS if name and task != self.recipe_task]
        if having := next((task for task in others if name in keys_of(recipe_parser(task))), None):
            return (
                f"the recipe has no key {name!r}, since its task is {self.recipe_task}: remove the key, or state task: "
                f"{having}"
            )
        return explain(message, keys_of(self))


def require_filled_sections(recipes: Mapping[Path, dict[str, Any]], keys: Sequence[str]) -> None:
    """Refuse a section that holds no mapping, such as one whose keys are all commented out.

    Args:
        recipes: What each file holds.
        keys: All that a recipe may hold.

    Raises:
        ValueError: Naming file, line and section.
    """
    sections = {key.rpartition(".")[0] for key in keys} - {""}
    for file, recipe in recipes.items():
        for key, value in leaves("", recipe):
            if key in sections:
                line = lines_of(file.read_text(encoding="utf-8")).get(key, 0)
                known = next(name for name in keys if name.startswith(f"{key}."))
                held = "is empty" if value is None else f"holds {value!r}"
                raise ValueError(
                    f"{file}, line {line}: the section {key} {held}; remove it, or give it keys such as {known}"
                )


def refuse_searches(recipes: Mapping[Path, dict[str, Any]]) -> None:
    """Refuse a recipe that trains many networks as one that trains one.

    Raises:
        ValueError: Naming the command that takes it.
    """
    for file, recipe in recipes.items():
        if SEARCHES in recipe:
            raise ValueError(f"{file} has a section search, so it trains many networks: run lit-cnn search {file}")


def stated_title(recipes: Iterable[dict[str, Any]], arguments: Sequence[str]) -> str:
    """The title that the recipe states of what is trained; empty where another network or data took its place."""
    title = ""
    for recipe in recipes:
        if "architecture" in (recipe.get("model") or {}) or "source" in (recipe.get("data") or {}):
            title = ""
        title = (recipe.get("about") or {}).get("title", title)
    for word in arguments:
        if word.startswith(("--model.architecture", "--data.source")):
            title = ""
    given = [word.partition("=")[2] for word in arguments if word.startswith("--about.title=")]
    return given[-1] if given else title


def plain_title(config: Any) -> str:
    """Network and data of a recipe that has no title of its own."""
    architecture, data = config.model.architecture, config.data
    network = architecture if isinstance(architecture, str) else str(architecture.class_path).rpartition(".")[2]
    if config.task == "detection":
        return f"{config.model.detector} with {network} on {Path(data.path).name}"
    return f"{network} on {Path(data.path).name if data.path else data.source}"


def place_of(message: str, files: Sequence[Path], words: Iterable[str] = ()) -> str:
    """Where the key that a message names stands: the last of the files that hold it, and the line; nothing where the
    command line states it."""
    named = re.search(r"key '?\"?([\w.]+)", message)
    if named and any(word.partition("=")[0] == f"--{named[1]}" for word in words):
        return ""
    for file in reversed(files if named else []):
        lines = lines_of(file.read_text(encoding="utf-8"))
        if named and named[1] in lines:
            return f"{file}, line {lines[named[1]]}: "
    return ""


class RecipeCLI:
    """Parses a recipe into ``config``; what is built from it, ``fit`` decides.

    Args:
        arguments: Those of ``lit-cnn fit``, with files for names.
        pretrained: Weights to start from, whose network takes the place of the recipe's unless an argument states it.

    Attributes:
        notices: Sentences on what the weights to start from gave, and on what was left out, since the network cannot do
            it.

    Raises:
        ValueError: Naming the key that is wrong.
    """

    def __init__(self, arguments: list[str], pretrained: str | None = None) -> None:
        self.arguments = arguments
        self.notices: list[str] = []
        recipes = stated_recipes(arguments)
        self._first = dict(itertools.islice(recipes.items(), 1))
        files = {file: recipe for file, recipe in recipes.items() if isinstance(file, Path)}
        self.task = task_of(recipes, arguments)
        self.parser = recipe_parser(self.task)
        refuse_searches(files)
        require_filled_sections(files, keys_of(self.parser))
        if not any((file.parent / ENVIRONMENT).is_file() for file in files):  # a run's own recipe states every key
            arguments, notice = with_weights(arguments, recipes, pretrained, self.task)
            self.notices += [notice] if notice else []
        try:
            self.config: Any = self.parser.parse_args(arguments)
        except (ArgumentError, ValueError) as error:
            said = self.parser.explained(str(error)) if isinstance(error, ArgumentError) else str(error)
            raise ValueError(place_of(said, list(files), arguments) + said) from None
        self.notices += leave_out_inherited(self.config, list(recipes.values()), arguments)
        stated = [*self.arguments, *(["--model.architecture"] if pretrained else [])]
        self.config.about.title = stated_title(recipes.values(), stated) or plain_title(self.config)

    def settle_precision(self, stated_by: str = "the recipe") -> PrecisionChoice:
        """Put this machine's precision in the place of auto, so that the configuration says what a run computes in.

        Args:
            stated_by: Who wants a precision other than auto.
        """
        return _settle(self.config, stated_by)

    def first_file(self) -> dict[str, Any] | None:
        """The first recipe alone, resolved; None if nothing else was stated or it needs the others."""
        first, others = self.arguments[:2], self.arguments[2:]
        if first[:1] not in (["--config"], ["-c"]) or not others:
            return None
        try:
            words, _ = with_weights(first, self._first, None, self.task)
            alone = self.parser.parse_args(words)
        except (ArgumentError, ValueError):
            return None
        _settle(alone, "the recipe")
        return self._values_of(alone)

    def dump(self) -> str:
        """The resolved recipe as YAML, without what is derived from other keys."""
        return self.parser.dump(self.config, skip_unset=False)

    def values(self) -> dict[str, Any]:
        """What ``dump`` writes, as built-in types."""
        return self._values_of(self.config)

    def _values_of(self, config: Any) -> dict[str, Any]:
        """By JSON, which is read in a tenth of YAML's time, and not validated again, as parsing has just done it."""
        return json.loads(self.parser.dump(config, format="json", skip_unset=False, skip_validation=True))


def with_weights(
    arguments: list[str],
    recipes: Mapping[Path | str, dict[str, Any]],
    pretrained: str | None,
    task: Task = TASKS[0],
) -> tuple[list[str], str]:
    """The arguments with the keys that follow from the weights to start from, and a sentence on them.

    Those of ``pretrained`` stand behind the files, those of a recipe's ``initial.checkpoint`` hold where no file states
    them. Without such weights the arguments are as they were and the sentence is empty.
    """
    typed = dict(typed_keys(arguments))
    values = {key: value for recipe in recipes.values() for key, value in leaves("", recipe)} | typed
    spec = pretrained or values.get(CHECKPOINT)
    parts = {f"model.initial.{kind}" for kind in ("convolutions", "linears")}  # of another network, as VGG grows
    if not isinstance(spec, str) or any(values.get(key) is not None for key in parts):
        return arguments, ""
    behind = 1 + max((place for place, word in enumerate(arguments) if word in ("--config", "-c")), default=-2) + 1
    stated = {key for key in values if pretrained is None or key in typed or not key.startswith("model.")}
    start = KnownWeights.of(spec).for_task(task)
    taken = keys_of_weights(start, values, stated)
    given = {CHECKPOINT: spec, **taken} if pretrained else taken
    keys = [argument(key, value) for key, value in given.items()]
    return [*arguments[:behind], *keys, *arguments[behind:]], describe_keys_of_weights(spec, start, taken, values)


def typed_keys(arguments: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of ``--key=value`` and ``--key value``."""
    for place, word in enumerate(arguments):
        key, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or "." not in key:
            continue
        if not equals and place + 1 < len(arguments):
            value = arguments[place + 1]
        try:
            yield key, yaml.safe_load(value)
        except yaml.YAMLError:
            yield key, value


def _settle(config: Any, stated_by: str) -> PrecisionChoice:
    trainer = config.trainer
    plugins = trainer.plugins if isinstance(trainer.plugins, list) else [trainer.plugins]
    if trainer.precision == "auto" and any("Precision" in str(plugin) for plugin in plugins):
        trainer.precision = None  # Lightning takes a precision from one place
        return PrecisionChoice(None, "as the plugin in trainer.plugins computes")
    choice = choose_precision(trainer.precision, trainer.accelerator, stated_by)
    trainer.precision = choice.precision
    return choice


@functools.cache
def recipe_parser(task: Task = "classification") -> RecipeParser:
    """The parser of every key of a recipe of a task, which parsing does not change."""
    header = [f"lightning.pytorch=={pl.__version__}"]
    parser = RecipeParser(exit_on_error=True, allow_abbrev=False, prog="lit-cnn fit", dump_header=header)
    parser.recipe_task = task
    help_text = "Path to a configuration file in json or yaml format."
    parser.add_argument("-c", "--config", action=ActionConfigFile, help=help_text)
    parser.add_argument("--task", type=Task, default=task, help="What is learned: the meaning of model and data.")
    parser.add_argument("--seed_everything", type=int, default=0, help="Seed of every random decision.")
    _add_trainer(parser)
    _add_model_and_data(parser, task)
    parser.add_class_arguments(About, "about")
    parser.add_class_arguments(TrackingSettings, "tracking")
    parser.add_class_arguments(MachineSettings, "machine")
    parser.add_class_arguments(CheckpointSettings, "checkpoints")
    parser.add_lightning_class_args(EMA, "ema")
    parser.add_lightning_class_args(StochasticDepthSchedule, "stochastic_depth")
    if task == "classification":
        parser.add_lightning_class_args(ProgressiveLearning, "progressive_learning")
    parser.add_lightning_class_args(EarlyStopping, "early_stopping")
    parser.add_lightning_class_args(LossGuard, "loss_guard")
    _add_single_keys(parser, MONITORS[task])
    parser.link_arguments("seed_everything", "data.seed")
    parser.link_arguments("seed_everything", "model.seed")
    parser.link_arguments("monitor", "early_stopping.monitor")
    return parser


def _add_model_and_data(parser: RecipeParser, task: Task) -> None:
    if task == "detection":
        from lit_cnn.detection.data import DetectionData  # torchvision's detectors, which nothing else needs
        from lit_cnn.detection.detector import Detector

        parser.add_lightning_class_args(Detector, "model")
        parser.add_lightning_class_args(DetectionData, "data")
        return
    parser.add_lightning_class_args(Classifier, "model")
    parser.add_lightning_class_args(ImageData, "data")


def _add_trainer(parser: RecipeParser) -> None:
    """Lightning's Trainer, except that the precision may also be auto."""
    parser.add_class_arguments(
        pl.Trainer, "trainer", fail_untyped=False, instantiate=False, sub_configs=True, skip={"precision"}
    )
    parser.add_argument(
        "--trainer.precision",
        type=Precision,
        default="auto",
        help="Number format: auto is bf16-mixed (on older GPUs 16-mixed) where this machine has instructions for it, "
        "else 32-true.",
    )
    parser.set_defaults({f"trainer.{key}": value for key, value in TRAINER_DEFAULTS.items()})


def _add_single_keys(parser: RecipeParser, monitor: str) -> None:
    """The keys of a recipe that are in no section."""
    parser.add_argument(
        "--monitor",
        type=str,
        default=monitor,
        help="Metric of the best epoch: its maximum or, of a loss, its minimum.",
    )
    parser.add_argument(
        "--checkpoint_minutes", type=float, default=10.0, help="Longest time between checkpoints inside an epoch."
    )
    parser.add_argument(
        "--process_timeout_minutes",
        type=float,
        default=30.0,
        help="How long a process of a distributed run waits for the others before it takes one for hanging.",
    )


def resolve_configs(arguments: list[str]) -> list[str]:
    """Replace recipe names after ``--config`` by their files, checked to be YAML. The recipe that an older version
    stored in a run folder is followed by the keys that it lacks, with what that version did."""
    resolved: list[str] = []
    take_next = False
    for word in arguments:
        flag, equals, value = word.partition("=")
        if take_next:
            resolved += _checked(word)
        elif flag in ("--config", "-c") and equals:
            resolved += [flag, *_checked(value)]
        else:
            resolved.append(word)
        take_next = word in ("--config", "-c") and not take_next
    return resolved


def _checked(name: str) -> list[str]:
    """The recipe's file, and after it the keys that a stored recipe lacks."""
    path = find_recipe(name)
    if not path.is_file():  # a pipe, which can be read once only
        return [path.read_text(encoding="utf-8") + "\n"]
    recipe = read_yaml(path)
    stored = (path.parent / ENVIRONMENT).is_file()
    return [str(path), *(argument(key, value) for key, value in legacy_values(recipe).items() if stored)]


def stored_values(folder: Path) -> dict[str, Any]:
    """The recipe of a run folder with all keys of today: those that are younger than the run have what it did then,
    which is their default where ``legacy_values`` says nothing else."""
    return RecipeCLI(resolve_configs(["--config", str(folder / "config.yaml")])).values()


def recipe_name(arguments: list[str]) -> str:
    """Name of the first ``--config``, which names the run's folder; one in ``small/`` differs from its recipe's."""
    for index, word in enumerate(arguments):
        if word in ("--config", "-c") and index + 1 < len(arguments):
            return recipe_id(Path(arguments[index + 1])).replace("/", "_")
        if word.startswith("--config="):
            return recipe_id(Path(word.removeprefix("--config="))).replace("/", "_")
    return "unnamed"
