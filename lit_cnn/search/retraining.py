"""Winners of a search trained again: the best of N noisy rewards is overestimated, so fresh seeds judge it.

With it go networks drawn at random from the same space: the difference from their mean is what the search has won
(Yang et al., 2020, arXiv:1912.12522).
"""

import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lit_cnn.experiment.files import argument
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.randomness import derive_key
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.search.chooser import MAX_REJECTED, NETWORK, ListChooser, stating
from lit_cnn.search.findings import Found, best_first
from lit_cnn.search.folder import Parts
from lit_cnn.search.gain import Gain, gain_over
from lit_cnn.search.settings import Settings
from lit_cnn.search.spaces.space import Candidate, Published
from lit_cnn.search.strategies.strategy import random_point
from lit_cnn.search.study import recipe_identity, unnoted_options
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.folder import RECIPE
from lit_cnn.sweeps.halving import Pruner

RANDOM = "random"


@dataclass(frozen=True)
class RetrainingPlan:
    """Each network is trained with the same seeds, which the search has not used.

    Args:
        networks: Number of networks.
        seeds: Number of seeds.
        metric: Name in ``metrics.csv``.
        value: Which epoch's metric counts.
        metric_goal: Whether large values are good.
        first_seed: The first of the seeds.
    """

    networks: int
    seeds: int
    metric: str
    value: Literal["best", "last"]
    metric_goal: Literal["maximize", "minimize"]
    first_seed: int
    pruner: Pruner | None = None

    @property
    def size(self) -> int:
        """Number of networks."""
        return self.networks

    @property
    def goal(self) -> Literal["maximize", "minimize"]:
        """The metric itself is compared."""
        return self.metric_goal

    def identity(self) -> dict[str, Any]:
        """Networks and seeds may grow in number; the metric and the first seed stay."""
        return {"metric": self.metric, "value": self.value, "first_seed": self.first_seed}


@dataclass(frozen=True)
class Retrained:
    """A network that was trained again.

    Args:
        name: Its name.
        chosen: Why it is here: best of the search, random, or published.
        mean: Of the metric over the seeds; None while there is none.
        sd: Its standard deviation.
        n: Number of seeds that have ended.
        against_random: Its difference from the mean of the (other) random networks; None while one of them is missing.
        values: The metric of each seed.
        seeds: Those seeds.
    """

    name: str
    chosen: str
    mean: float | None
    sd: float | None
    n: int
    against_random: Gain | None
    values: tuple[float, ...]
    seeds: tuple[int, ...]


def chosen_networks(
    settings: Settings,
    found: Sequence[Found],
    winners: int,
    random: int,
    published: bool,
    within_limits: Callable[[Candidate], bool],
) -> dict[str, tuple[str, Candidate]]:
    """Name -> why it is trained again, and the network.

    Args:
        settings: Of the search.
        found: Its networks.
        winners: So many of the best.
        random: So many random ones within the limits.
        published: Also the published networks of the space.
        within_limits: Whether the search might have trained a network.

    Raises:
        ValueError: If there are no published ones, or no random one is within the limits.
    """
    import random as draws_of

    space = settings.build_space()
    chosen: dict[str, tuple[str, Candidate]] = {}
    for place, one in enumerate(list({one.network: one for one in best_first(found)}.values())[:winners], start=1):
        chosen[one.name] = f"{place} of the search", space.candidate(space.decode(one.network))
    for number in range(random):
        draws = draws_of.Random(derive_key(settings.seed, "retrain", number))
        drawn = (space.candidate(random_point(space, draws)) for _ in range(MAX_REJECTED))
        candidate = next(filter(within_limits, drawn), None)
        if candidate is None:
            raise ValueError(f"none of {MAX_REJECTED} random networks is within search.limits: pass --random 0")
        chosen[f"{RANDOM} {number + 1}"] = RANDOM, candidate
    if published:
        if not isinstance(space, Published):
            raise ValueError(f"no network of the space {settings.space['name']} was published: leave out --published")
        chosen |= {name: ("published", candidate) for name, candidate in space.published().items()}
    return chosen


def open_retraining(
    folder: Path,
    parts: Parts,
    networks: Mapping[str, tuple[str, Candidate]],
    seeds: int,
    recipe: str | None,
    overrides: Sequence[str],
    storage_url: str | None,
    say: Callable[[str], None],
) -> tuple[Sweep, RecipeCLI]:
    """The trainings on the engine, new or continued, and their recipe, which the folder keeps.

    Args:
        folder: Their folder.
        parts: Those of the search.
        networks: What is trained.
        seeds: With how many seeds each.
        recipe: By which; None for that of the search.
        overrides: Further ``--key=value`` of the recipe.
        storage_url: Optuna database URL, or None for a journal file in the folder.
        say: Gets one line on each event.

    Raises:
        ValueError: If the recipe is wrong, or the folder holds other trainings, or those of further networks.
    """
    words = resolve_configs(["--config", recipe]) if recipe else ["--config", str(folder.parent / RECIPE)]
    first = next(iter(networks.values()))[1]
    precision = argument("trainer.precision", parts.cli.config.trainer.precision)
    cli = RecipeCLI([*words, *stating(first), precision, *overrides])
    folder.mkdir(parents=True, exist_ok=True)
    settings = parts.settings
    first_seed = first_fresh_seed(settings, parts.cli.config.seed_everything)
    plan = RetrainingPlan(len(networks), seeds, settings.metric, settings.value, settings.metric_goal, first_seed)
    chooser = ListChooser({name: candidate for name, (_, candidate) in networks.items()})
    keys = recipe_identity(cli, first)
    keys.pop("seed_everything", None)
    sweep = Sweep(
        folder,
        plan,
        keys,
        storage_url,
        say=say,
        chooser=chooser,
        flag="folder: move this one away",
        kind="retraining",
        unnoted=unnoted_options(folder, keys, first),
    )
    refuse_fewer(sweep, networks)
    write_text(folder / RECIPE, cli.dump())
    return sweep, cli


def refuse_fewer(sweep: Sweep, networks: Collection[str]) -> None:
    """Refuse a list of networks without one whose trainings have begun.

    Raises:
        ValueError: Naming those that the list lacks.
    """
    begun = dict.fromkeys(trial.user_attrs[NETWORK] for trial in sweep.queue.standing().values())
    if missing := [name for name in begun if name not in networks]:
        raise ValueError(
            f"{sweep.folder} has begun to train {', '.join(missing)} as well: pass --winners, --random and --published "
            "that are at least those before, or move this folder away"
        )


def first_fresh_seed(settings: Settings, recipe_seed: int) -> int:
    """The seed after those with which a search has trained, whose results have chosen the winner.

    Args:
        settings: Of the search.
        recipe_seed: Its recipe's seed, which alone counts where the settings have none.
    """
    return recipe_seed + 1 if settings.seeds is None else settings.seeds


def results(sweep: Sweep, networks: Mapping[str, tuple[str, Candidate]]) -> list[Retrained]:
    """The networks, the best mean first."""
    values = _values_by_seed(sweep)
    drawn = [name for name, (why, _) in networks.items() if why == RANDOM and name in values]
    random = {name: statistics.fmean(values[name].values()) for name in drawn}
    rows = [_row(name, why, values.get(name, {}), random) for name, (why, _) in networks.items()]
    sign = -1 if sweep.plan.goal == "maximize" else 1
    return sorted(rows, key=lambda row: (row.mean is None, sign * (row.mean or 0.0)))


def _row(name: str, why: str, own: Mapping[int, float], random: Mapping[str, float]) -> Retrained:
    """One network next to the means of the random ones.

    Args:
        name: Its name.
        why: It is trained again.
        own: Seed -> its value.
        random: Name -> mean of each random network that has one.
    """
    seeds = tuple(sorted(own))
    numbers = tuple(own[seed] for seed in seeds)
    others = [mean for other, mean in random.items() if other != name]
    return Retrained(
        name,
        why,
        statistics.fmean(numbers) if numbers else None,
        statistics.stdev(numbers) if len(numbers) > 1 else None,
        len(numbers),
        gain_over(numbers, others) if numbers and others else None,
        numbers,
        seeds,
    )


def _values_by_seed(sweep: Sweep) -> dict[str, dict[int, float]]:
    values: dict[str, dict[int, float]] = {}
    for job, trial in sweep.queue.standing().items():
        if trial.value is not None:
            values.setdefault(trial.user_attrs[NETWORK], {})[sweep.plan.first_seed + job.seed] = trial.value
    return values
