"""What was measured on a claim at one scale, as a JSON file; its verdict is made again from it by the claim's rules."""

import dataclasses
import datetime
import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lit_cnn.claims.claim import Claim, Design, Scale, Settings, described
from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.figures import curve, guess, rounded, run_figures
from lit_cnn.claims.judging import Judgement, judge
from lit_cnn.claims.running import Trained
from lit_cnn.profiling.latency_table import condition_of
from lit_cnn.profiling.timing import TimingSettings
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.run_folder.folder import describe_environment, git_state

CLASSES = 10
"""Of both data sets of the claims, CIFAR-10 and the digits."""
OWN = Path("claims")
"""Where results are written outside a checkout."""
_PACKAGE = Path(__file__).resolve().parent.parent
SHIPPED = (_PACKAGE.parent / "docs" / "claims" / "results", _PACKAGE / "claims" / "results")
"""Where results that came with the package lie: in a checkout, and in an installed copy."""


@dataclass(frozen=True)
class Result:
    """What was measured.

    Args:
        claim: Name of the claim.
        scale: At which scale.
        digest: Of the design by which it was measured.
        seeds: Planned number of seeds.
        command: What was run.
        date: On which day it was written.
        environment: Versions and machine.
        runs: One object for each run: arm, seed, its figures, and its curve.
        chosen: Arm -> its point of the grid.
        tried: Arm -> the loss of each point.
        measured: Figures that were counted, or measured on stored runs.
        images: Digest of the images.
        design: The design in built-in types.
        failed: Sentences of runs that failed.
        rule_changed: Whether a rule, margin or number of seeds is another than at the first run.
    """

    claim: str
    scale: Scale
    digest: str
    seeds: int
    command: str
    date: str
    environment: dict[str, Any]
    runs: list[dict[str, Any]] = field(default_factory=list)
    chosen: dict[str, Settings] = field(default_factory=dict)
    tried: dict[str, list[float | None]] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    images: str = ""
    design: dict[str, Any] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    rule_changed: bool = False

    def evidence(self) -> Evidence:
        """What the rules read."""
        runs: dict[str, dict[int, Mapping[str, float]]] = {}
        for run in self.runs:
            runs.setdefault(run["arm"], {})[run["seed"]] = run["figures"]
        return Evidence(runs, self.measured)

    def is_stale(self, design: Design) -> bool:
        """Whether the design has changed since, such as a margin."""
        return self.digest != design.digest()

    def seconds(self) -> float:
        """Of training, over all runs that judge."""
        return math.fsum(run["figures"].get("seconds", 0.0) for run in self.runs)


def judged(claim: Claim, result: Result) -> Judgement:
    """The verdict that the claim's rules give on a result.

    Raises:
        ValueError: If the claim has no design of the scale.
    """
    design = claim.design(result.scale)
    if design is None:
        raise ValueError(f"{claim.name} has no design at --scale {result.scale}: delete its result")
    return judge(design, result.evidence(), result.seeds)


def make_result(claim: Claim, scale: Scale, trained: Trained | None, measured: Mapping[str, float]) -> Result:
    """The result of what was trained and counted.

    Args:
        claim: Which.
        scale: At which scale; the claim has a design of it.
        trained: Its trainings; None where there are none.
        measured: Counted figures.
    """
    design = claim.design(scale)
    assert design is not None
    runs = [
        {"arm": arm, "seed": seed, "diverged": folder is None, **_figures(folder)}
        for arm, folders in sorted((trained.runs if trained else {}).items())
        for seed, folder in sorted(folders.items())
    ]
    if design.stored_runs is not None:
        runs = [
            {"arm": arm, "seed": seed, "diverged": False, "figures": dict(figures), "curve": []}
            for arm, stored in design.stored_runs().items()
            for seed, figures in sorted(stored.items())
        ]
    planned = trained.seeds if trained else design.seeds
    more = ["--seeds", str(planned)] if planned > design.seeds else []
    environment = describe_environment(["lit-cnn", "reproduce", claim.name, "--scale", scale, *more])
    environment |= {"git": package_git_state()}
    environment["machine"]["measured_on"] = _machine(design)
    return Result(
        claim=claim.name,
        scale=scale,
        digest=design.digest(),
        seeds=planned,
        command=environment.pop("command"),
        date=datetime.date.today().isoformat(),
        environment=environment,
        runs=runs,
        chosen=trained.chosen if trained else {},
        tried=trained.tried if trained else {},
        measured=rounded(measured),
        images=trained.images if trained else "",
        design=described(design),
        failed=trained.failed if trained else (),
        rule_changed=bool(trained and trained.rule_changed),
    )


def package_git_state() -> dict[str, Any] | None:
    """Commit of the checkout that this package is run from, whatever the working directory; None of an installed copy,
    which its version names."""
    checkout = _PACKAGE.parent
    return git_state(checkout) if (checkout / ".git").exists() else None


def _figures(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {"figures": rounded(guess(CLASSES)), "curve": []}
    return {"figures": rounded(run_figures(folder)), "curve": [rounded(row) for row in curve(folder)]}


def _machine(design: Design) -> dict[str, Any]:
    """Device, instruction set, threads and number format."""
    stated = design.bench.settings.get("trainer.accelerator", "auto") if design.bench else design.device
    device = str(stated)
    settings = TimingSettings(device="cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    facts = dataclasses.asdict(condition_of(settings))
    return {name: facts[name] for name in ("device", "device_name", "instructions", "threads")}


def result_path(folder: Path, claim: str, scale: Scale) -> Path:
    """``FOLDER/<claim>.<scale>.json``."""
    return folder / f"{claim}.{scale}.json"


def write_result(claim: Claim, result: Result, folder: Path) -> Path:
    """Write a result, with the verdict that its rules give now, for people who read the file alone.

    A file that says the same already stays as it is, with the day and the machine that found it first.
    """
    judgement = judged(claim, result)
    content = dataclasses.asdict(result) | {
        "verdict": judgement.verdict,
        "findings": [_without_none(dataclasses.asdict(finding)) for finding in judgement.findings],
        "arms": _arm_means(result),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = result_path(folder, result.claim, result.scale)
    text = json.dumps(content, indent=1) + "\n"
    if not path.is_file() or _lasting(path.read_text(encoding="utf-8")) != _lasting(text):
        write_text(path, text)
    return path


def _lasting(text: str) -> dict[str, Any] | None:
    """What of a result file does not change when the same version finds the same again; None of one that is broken."""
    try:
        content = json.loads(text)
        version = content.pop("environment")["packages"]["lit-cnn"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return {name: value for name, value in content.items() if name != "date"} | {"version": version}


def _without_none(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value
            for name, value in finding.items() if value is not None}  # fmt: skip


def _arm_means(result: Result) -> dict[str, dict[str, Any]]:
    """Arm -> figure -> mean and standard deviation over the seeds."""
    means: dict[str, dict[str, Any]] = {}
    for arm, runs in result.evidence().runs.items():
        names = dict.fromkeys(name for figures in runs.values() for name in figures)
        for name in names:
            values = [figures[name] for figures in runs.values() if name in figures]
            sd = statistics.stdev(values) if len(values) > 1 else 0.0
            means.setdefault(arm, {})[name] = rounded({"mean": statistics.fmean(values), "sd": sd, "n": len(values)})
    return means


def read_result(path: Path) -> Result:
    """A result from its file.

    Raises:
        ValueError: If it is not one.
    """
    try:
        content = {"rule_changed": False} | json.loads(path.read_text(encoding="utf-8"))
        names = [each.name for each in dataclasses.fields(Result)]
        return Result(**{name: content[name] for name in names} | {"failed": tuple(content["failed"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a result of lit-cnn reproduce ({error}): delete it") from None


def find_result(claim: str, scale: Scale, folder: Path) -> Result | None:
    """The result of a claim at a scale: that of the folder, or else the one that came with the package."""
    for place in (folder, *SHIPPED):
        path = result_path(place, claim, scale)
        if path.is_file():
            return read_result(path)
    return None


def default_results() -> Path:
    """Where results are written: in the documentation of a checkout, or else below the working directory."""
    return SHIPPED[0] if (_PACKAGE.parent / "pyproject.toml").is_file() else OWN
