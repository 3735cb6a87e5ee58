"""A claim from its design to its result file: trained, counted, written and judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.claims.claim import Claim, Design, Scale
from lit_cnn.claims.judging import Judgement
from lit_cnn.claims.result_file import Result, judged, make_result, read_result, result_path, write_result
from lit_cnn.claims.running import Trained, Trainer
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.training.announce import announce


@dataclass(frozen=True)
class Examined:
    """What has become of a claim.

    Args:
        result: None where nothing is there yet.
        judgement: On it.
        path: Of its file; None where it was not written.
        failed: Sentences of runs that failed.
    """

    result: Result | None = None
    judgement: Judgement | None = None
    path: Path | None = None
    failed: tuple[str, ...] = ()


@dataclass
class Examiner:
    """Examines claims at one scale.

    Args:
        scale: Which.
        folder: Holds the trainings.
        results: Gets the result files.
        main: Runs a command of lit-cnn in this process; None starts a process for each training.
        stop: Noted signals.
        seeds: Runs of so many seeds are made now; None: of all that are planned.
        storage_url: Optuna database URL, or None for a journal file.
        retry_failed: Try runs again that have failed.
        say: Gets one line on each event.
    """

    scale: Scale
    folder: Path
    results: Path
    main: Callable[[list[str]], int] | None
    stop: StopSignals
    seeds: int | None = None
    storage_url: str | None = None
    retry_failed: bool = False
    say: Callable[[str], None] = announce

    def examine(self, claim: Claim) -> Examined:
        """Train what is left of a claim, count, and write its result, even of a part of the runs.

        A result of the same design with more runs is not replaced, and times that were measured are not measured again.

        Raises:
            ValueError: If it has no design of the scale, or needs another claim's runs that are not there.
        """
        design = claim.design(self.scale)
        if design is None:
            raise ValueError(f"{claim.name} has no design at --scale {self.scale}: choose {' or '.join(claim.designs)}")
        known = self._known(claim, design)
        if known is not None and design.is_timed():
            path = result_path(self.results, claim.name, self.scale)
            self.say(f"{claim.name} was measured on {known.date}: delete {path}, or choose other --results, to measure "
                     "it again")  # fmt: skip
            return Examined(known, judged(claim, known))
        trained = self._trained(claim, design)
        if trained is not None and not trained.runs:
            return Examined(failed=trained.failed)
        result = make_result(claim, self.scale, trained, self._counted(claim, design))
        if known is not None and len(known.runs) > len(result.runs):
            self.say(f"{claim.name}: the result with {len(known.runs)} runs is kept until there are as many")
            return Examined(result, judged(claim, result), failed=result.failed)
        path = write_result(claim, result, self.results)
        result = read_result(path)
        return Examined(result, judged(claim, result), path, result.failed)

    def _known(self, claim: Claim, design: Design) -> Result | None:
        """What the file in ``results`` says of the same design; one that cannot be read is replaced."""
        path = result_path(self.results, claim.name, self.scale)
        try:
            result = read_result(path) if path.is_file() else None
        except ValueError:
            return None
        return None if result is None or result.is_stale(design) else result

    def _trained(self, claim: Claim, design: Design) -> Trained | None:
        if design.bench is None:
            return None
        return self._trainer(claim).train(self.seeds)

    def _counted(self, claim: Claim, design: Design) -> Mapping[str, float]:
        counted = dict(design.count()) if design.count is not None else {}
        if design.count_on_runs is not None:
            owner = CLAIMS[design.uses] if design.uses else claim
            runs = self._trainer(owner).finished_runs() if owner.design(self.scale) else {}
            if not runs:
                raise ValueError(
                    f"{claim.name} is measured on the runs of {owner.name}, which are not in {self.folder}: "
                    f"lit-cnn reproduce {owner.name} --scale {self.scale}"
                )
            try:
                counted |= design.count_on_runs(runs)
            except KeyError as arm:
                raise ValueError(
                    f"{claim.name} is measured on the runs of {owner.name}'s arm {arm}, which have not all ended with "
                    f"a finite loss: lit-cnn reproduce {owner.name} --scale {self.scale}"
                ) from None
        return counted

    def _trainer(self, claim: Claim) -> Trainer:
        return Trainer(
            claim, self.scale, self.folder / f"{claim.name}.{self.scale}", self.main, self.stop, self.say,
            self.storage_url, self.retry_failed,
        )  # fmt: skip
