"""What a search file states under ``search:``, typed; the rest of the file is the recipe of each training.

search:
  space: {name: cells, blocks: 5, repeats: 1, filters: 8}
  strategy: {name: evolution, population: 20, sample: 5}
  evaluations: 60            # networks that are trained
  seed: 0                    # key of the strategy's draws
  lag: 1                     # so many further workers may train at once
  objective: {name: accuracy}
  limits: {params: 0.1M}     # networks above them are not trained
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeVar

from jsonargparse import ArgumentError, ArgumentParser

from lit_cnn.experiment.identity import nested
from lit_cnn.experiment.jsonargparse_internals import keys_of
from lit_cnn.experiment.suggestions import explain
from lit_cnn.search.objectives import OBJECTIVES, Limits, Objective
from lit_cnn.search.prefilter import Prefilter
from lit_cnn.search.spaces.catalog import SPACES
from lit_cnn.search.spaces.space import SearchSpace
from lit_cnn.search.strategies.catalog import STRATEGIES
from lit_cnn.search.strategies.strategy import Strategy
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.training.monitor import direction

Typed = TypeVar("Typed")
Named = Mapping[str, Any]
"""A name and the arguments of what it names."""

TABLES: Mapping[str, Mapping[str, Any]] = {"space": SPACES, "strategy": STRATEGIES, "objective": OBJECTIVES}
"""Part of a search -> what its name may be."""


@dataclass(frozen=True)
class Settings:
    """A search.

    Args:
        space: What is chosen from.
        strategy: How.
        evaluations: How many networks are trained.
        seed: Key of the strategy's draws.
        lag: A network is chosen before the results of so many others are known; lag + 1 workers can train at once.
        seeds: Each network is trained with the seeds 0 to ``seeds`` - 1 and judged by the mean; None trains it once,
            with the recipe's seed.
        metric: Name in ``metrics.csv`` of the accuracy; empty takes the recipe's monitor.
        value: Which epoch's metric counts.
        objective: What is maximized.
        limits: What no network may exceed.
        latency_table: File of ``lit-cnn profile --latency-table``, for objectives and limits of latency.
        prefilter: A cheap score of several proposals, of which the highest is trained.
        pruner: Successive halving; of random search only.
    """

    space: Named = field(default_factory=lambda: {"name": "cells"})
    strategy: Named = field(default_factory=lambda: {"name": "evolution"})
    evaluations: int = 100
    seed: int = 0
    lag: int = 3
    seeds: int | None = None
    metric: str = ""
    value: Literal["best", "last"] = "last"
    objective: Named = field(default_factory=lambda: {"name": "accuracy"})
    limits: Named = field(default_factory=dict)
    latency_table: str | None = None
    prefilter: Prefilter | None = None
    pruner: Pruner | None = None
    first_seed: ClassVar[int] = 0

    def __post_init__(self) -> None:
        for name, least in (("evaluations", 1), ("lag", 0), ("seeds", 1)):
            number = getattr(self, name)
            if number is not None and number < least:
                raise ValueError(f"search.{name} is {number} but must be at least {least}")
        if self.pruner is not None and self.strategy.get("name") != "random":
            raise ValueError(
                f"search.pruner needs strategy: {{name: random}}, got {self.strategy.get('name')}: a strategy that "
                "learns compares networks that were trained equally long"
            )

    # What the engine of sweeps asks of a plan -------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of networks."""
        return self.evaluations

    @property
    def metric_goal(self) -> Literal["maximize", "minimize"]:
        """Whether large or small values of the metric are good."""
        return "minimize" if direction(self.metric) == "min" else "maximize"

    @property
    def goal(self) -> Literal["maximize"]:
        """Rewards are maximized."""
        return "maximize"

    @property
    def sign(self) -> int:
        """What the metric is multiplied by to be maximized: -1 for a loss."""
        return -1 if self.metric_goal == "minimize" else 1

    def identity(self) -> dict[str, Any]:
        """All that must stay while a search goes on. The number of evaluations must, too: strategies scale with it.
        The latency table counts by its content, which :func:`lit_cnn.search.study.open_search` adds."""
        left_out = ("seeds", "latency_table")
        stated = {f"search.{key}": value for key, value in self.as_dict().items() if key not in left_out}
        return stated if self.seeds is None else {**stated, "search.seeds": "0, 1, …"}

    def as_dict(self) -> dict[str, Any]:
        """What a search file states, in built-in types."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("prefilter", "pruner"):
            if plain[name] is not None:
                plain[name] = asdict(plain[name])
        return {key: dict(value) if isinstance(value, Mapping) else value for key, value in plain.items()}

    # What it names ----------------------------------------------------------------------------------------------------

    def build_space(self) -> SearchSpace:
        """The space.

        Raises:
            ValueError: Naming the key that is wrong, or if there is nothing to choose.
        """
        space = build_named(SPACES, self.space, "search.space")
        if not space.decisions:
            raise ValueError("search.space is one network alone: state two options or more of what is to be chosen")
        return space

    def build_strategy(self, space: SearchSpace) -> Strategy:
        """The strategy on that space, scaled to the number of evaluations.

        Raises:
            ValueError: Naming the key that is wrong.
        """
        return build_named(STRATEGIES, self.strategy, "search.strategy").build(space, self.evaluations)

    def build_objective(self) -> Objective:
        """What is maximized.

        Raises:
            ValueError: Naming the key that is wrong.
        """
        return build_named(OBJECTIVES, self.objective, "search.objective")

    def build_limits(self) -> Limits:
        """The hard limits.

        Raises:
            ValueError: Naming the key that is wrong.
        """
        return typed(Limits, self.limits, "search.limits")


def parse_settings(stated: Any, where: str) -> Settings:
    """Settings from the content of ``search:``, with all that they name built once, so that mistakes come at once.

    Args:
        stated: What YAML holds.
        where: Name of the file, for messages.

    Raises:
        ValueError: Naming the file, the key and what was expected.
    """
    if not isinstance(stated, dict):
        raise ValueError(f"{where}: search must be a mapping such as {{space: {{name: cells}}}}, not {stated!r}")
    try:
        named = {key: _named(stated[key], key) for key in (*TABLES, "limits") if key in stated}
        settings = typed(Settings, {**stated, **named}, "search")
        settings.build_strategy(settings.build_space())
        settings.build_objective()
        settings.build_limits()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return settings


def with_name(stated: Any, key: str) -> Any:
    """A part with its name, which alone is short for it and which may be left out for the default; what is neither, and
    parts without names, as they are."""
    if key not in TABLES or not isinstance(stated, str | dict):
        return stated
    return {"name": stated} if isinstance(stated, str) else {"name": getattr(Settings(), key)["name"], **stated}


def _named(stated: Any, key: str) -> dict[str, Any]:
    """A part as a mapping.

    Raises:
        ValueError: If it is none.
    """
    stated = with_name(stated, key)
    if not isinstance(stated, dict):
        example = f"{{name: {next(iter(TABLES[key]))}}}" if key in TABLES else "{params: 6M}"
        raise ValueError(f"search.{key} must be a mapping such as {example}, not {stated!r}")
    return dict(stated)


def build_named(table: Mapping[str, Callable[..., Typed]], stated: Named, where: str) -> Typed:
    """What ``name`` names in a table, made with the other keys.

    Raises:
        ValueError: If the name or a key is unknown, or a value has the wrong type.
    """
    name = str(stated.get("name"))
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(table)}"
        raise ValueError(f"{where} has no name {name!r}; {hint}")
    return typed(table[name], {key: value for key, value in stated.items() if key != "name"}, where)


def typed(make: Callable[..., Typed], stated: Mapping[str, Any], where: str) -> Typed:
    """What a dataclass, or a function, makes of plain values.

    Raises:
        ValueError: If a key is unknown or a value has the wrong type, naming it.
    """
    parser = ArgumentParser(exit_on_error=False)
    if isinstance(make, type):
        parser.add_class_arguments(make, where)
    else:
        parser.add_function_arguments(make, where)
    try:
        config = parser.parse_object(nested({where: dict(stated)}))
    except ArgumentError as error:
        raise ValueError(explain(str(error), keys_of(parser))) from None
    arguments = parser.instantiate(config).get(where)
    if isinstance(make, type):
        return make() if arguments is None else arguments
    return make(**vars(arguments)) if arguments is not None else make()
