"""Before anything is trained: candidates listed, counted, measured and rejected, and the budget planned."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lit_cnn.choosing.budget import BudgetPlan, Price, plan_budget
from lit_cnn.choosing.candidates import (
    NETWORKS,
    Candidate,
    Start,
    by_priority,
    list_candidates,
    networks_for,
    sizes_for,
)
from lit_cnn.choosing.folds import fold_numbers
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.judged import require_judged
from lit_cnn.choosing.pricing import prices_of
from lit_cnn.choosing.sifting import Sifting
from lit_cnn.choosing.starts import fetch, flattered_starts, given_starts, published_starts
from lit_cnn.choosing.wishes import MEASURED, PLAN, Wishes, remember
from lit_cnn.profiling.timing import device_name
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.locks import held


@dataclass(frozen=True)
class Prepared:
    """What is tried and what is not.

    Args:
        candidates: Within the limits and measured, in the order in which the budget takes them.
        costs: Of each candidate that was counted: params, madds, features, and if measured latency_ms, memory_mb,
            step_ms and image_ms.
        rejected: Candidate -> the limit that it exceeds, and a sentence.
        untried: What -> why it was not tried.
        prices: Of the candidates.
        budget: What is trained how far.
        device: Name of the machine's device.
        threads: Of the CPU, with which latency was measured.
        busy: Highest load average before one of the candidates was measured; None where the machine does not say.
        spent: Seconds of measuring, in all processes.
    """

    candidates: list[Candidate]
    costs: dict[str, dict[str, float]]
    rejected: dict[str, tuple[str, str]]
    untried: dict[str, str]
    prices: list[Price]
    budget: BudgetPlan
    device: str
    threads: int
    busy: float | None
    spent: float

    def candidate(self, name: str) -> Candidate:
        """By its name."""
        return next(each for each in self.candidates if each.name == name)

    def price(self, name: str) -> tuple[float, float]:
        """By what candidates that are equally accurate are ordered: milliseconds, then multiply-adds."""
        return self.costs[name]["latency_ms"], self.costs[name]["madds"]

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        write_text(file, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, file: Path) -> "Prepared":
        """Read what ``save`` has written."""
        held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        candidates = [
            Candidate(**{**each, "options": tuple((name, _tupled(value)) for name, value in each["options"])})
            for each in held.pop("candidates")
        ]
        budget = BudgetPlan(**{key: _tupled(value) for key, value in held.pop("budget").items()})
        rejected = {name: (limit, sentence) for name, (limit, sentence) in held.pop("rejected").items()}
        prices = [Price(**each) for each in held.pop("prices")]
        return cls(candidates=candidates, budget=budget, rejected=rejected, prices=prices, **held)


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def prepare(folder: Path, wishes: Wishes, images: ImageSet, say: Callable[[str], None]) -> Prepared:
    """The plan in the folder, made now if there is none; one process makes it and the others wait.

    Raises:
        ValueError: If the folder holds another choice, too few images would be judged, no candidate is within the
            limits, or the budget is too small.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / ".prepare.lock"):
        remember(folder, wishes)
        if (folder / PLAN).is_file():
            return Prepared.load(folder / PLAN)
        prepared = _prepare(folder, wishes, images, say)
        prepared.save(folder / PLAN)
        return prepared


def _prepare(folder: Path, wishes: Wishes, images: ImageSet, say: Callable[[str], None]) -> Prepared:
    require_judged(images, wishes.folds)
    began = time.monotonic()
    sifting = Sifting(folder / MEASURED, images, wishes, say)
    measured = sifting.measure(by_priority(_counted(images, wishes, sifting, say)))
    spent = sifting.earlier + time.monotonic() - began
    prices = prices_of(measured, images, sifting.costs, wishes)
    budget = plan_budget(prices, wishes.budget, fold_numbers(images, wishes.folds), spent, sifting.waiting)
    return Prepared(
        candidates=measured,
        costs=sifting.costs,
        rejected=sifting.rejected,
        untried={**sifting.untried, **budget.left_out},
        prices=prices,
        budget=budget,
        device=device_name(torch.device(wishes.condition.device)),
        threads=wishes.condition.threads or torch.get_num_threads(),
        busy=sifting.load,
        spent=spent,
    )


def _counted(images: ImageSet, wishes: Wishes, sifting: Sifting, say: Callable[[str], None]) -> list[Candidate]:
    """The candidates within the limits on what is counted; only their published weights are downloaded."""
    sizes, start_sizes = sizes_for(images.side, wishes.sizes)
    own = _own_starts(images, wishes, sifting)
    known = {start.architecture for start in own}
    usual = [name for name in wishes.networks or NETWORKS if name not in known]
    published, missing = published_starts(usual) if wishes.pretrained == "any" else ([], {})
    while True:
        listed = list_candidates(networks_for(images.side, wishes.networks), sizes, [*own, *published], start_sizes)
        counted = sifting.count(listed)
        wanted = {each.weights for each in counted}
        failed = fetch([start for start in published if start.spec in wanted], say)
        if not failed:
            break
        missing |= failed
        published = [start for start in published if start.architecture not in failed]
    say(f"{len(listed)} candidates, {len(listed) - len(counted)} of them not within the limits on size")
    sifting.untried |= {f"published weights for {name}": why for name, why in missing.items()}
    return counted


def _own_starts(images: ImageSet, wishes: Wishes, sifting: Sifting) -> list[Start]:
    """The user's weights, without those that know the images on which candidates are judged."""
    flattered = flattered_starts(wishes.weights, images, wishes.folds)
    sifting.untried |= {f"the weights {spec}": why for spec, why in flattered.items()}
    return given_starts([spec for spec in wishes.weights if spec not in flattered])
