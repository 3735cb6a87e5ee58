"""From a claim to its result file, and from the file to the verdict."""

import dataclasses
import json
from pathlib import Path

import pytest
from fake_claim import CLAIM, DESIGN, patch_trainings

from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.claims.claim import Claim, Design
from lit_cnn.claims.examining import Examiner
from lit_cnn.claims.figures import guess
from lit_cnn.claims.result_file import find_result, judged, package_git_state, read_result, result_path
from lit_cnn.claims.rules.measured import Measured
from lit_cnn.sweeps.stop_signals import StopSignals

COMMAND = "lit-cnn reproduce depth --scale cpu"


def examiner(folder: Path, seeds: int | None = None) -> Examiner:
    return Examiner("cpu", folder / "runs", folder / "results", None, StopSignals(), seeds, say=[].append)  # fmt: skip


def test_a_result_holds_what_its_verdict_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    examined = examiner(tmp_path).examine(CLAIM)
    assert examined.judgement is not None
    assert examined.judgement.verdict == "holds"
    assert examined.path == result_path(tmp_path / "results", "depth", "cpu")
    content = json.loads(examined.path.read_text())
    assert (content["verdict"], content["command"], content["seeds"]) == (
        "holds",
        "lit-cnn reproduce depth --scale cpu",
        3,
    )
    assert content["environment"]["machine"]["measured_on"]["instructions"]
    first = content["runs"][0]
    assert (first["arm"], first["seed"], first["figures"]["nll"]) == ("deep", 0, 0.7)
    assert first["figures"]["gap"] == pytest.approx(0.9 - 0.65)
    assert first["figures"]["seconds"] == pytest.approx(3.0)
    assert [row["epoch"] for row in first["curve"]] == [1, 2]
    assert content["arms"]["deep"]["accuracy"]["n"] == 3
    assert content["measured"] == {"ratio": 8.5}
    read = read_result(examined.path)
    assert judged(CLAIM, read) == examined.judgement
    assert not read.is_stale(DESIGN)


def test_an_unchanged_result_is_left_alone(tmp_path: Path) -> None:
    counted = dataclasses.replace(CLAIM, designs={"cpu": Design(DESIGN.parts[2:3], count=lambda: {"ratio": ratio})})
    ratio = 8.5
    examined = examiner(tmp_path).examine(counted)
    assert examined.path is not None
    first = examined.path.read_text().replace(f'"date": "{examined.result.date}"', '"date": "2020-01-01"')  # type: ignore[union-attr]
    first = first.replace('"device": "cpu"', '"device": "elsewhere"', 1)  # of the machine, not of the design
    examined.path.write_text(first)
    again = examiner(tmp_path).examine(counted)
    assert examined.path.read_text() == first
    assert again.result is not None
    assert again.result.date == "2020-01-01"
    ratio = 8.6
    examiner(tmp_path).examine(counted)
    assert '"ratio": 8.6' in examined.path.read_text()
    examined.path.write_text(first.replace('"lit-cnn": "', '"lit-cnn": "0.'))
    ratio = 8.5
    examiner(tmp_path).examine(counted)
    assert examined.path.read_text() != first.replace('"lit-cnn": "', '"lit-cnn": "0.')
    examined.path.write_text("{}")
    assert examiner(tmp_path).examine(counted).result is not None


def test_the_commit_is_that_of_the_package_wherever_it_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = package_git_state()
    monkeypatch.chdir(tmp_path)
    assert package_git_state() == own
    monkeypatch.setattr("lit_cnn.claims.result_file._PACKAGE", tmp_path / "site-packages" / "lit_cnn")
    assert package_git_state() is None


@pytest.mark.slow
def test_a_changed_margin_makes_a_result_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    result = examiner(tmp_path).examine(CLAIM).result
    assert result is not None
    margin = dataclasses.replace(DESIGN.parts[0], threshold=0.02)  # type: ignore[type-var]
    changed = dataclasses.replace(DESIGN, parts=(margin, *DESIGN.parts[1:]))
    assert result.is_stale(changed)
    assert changed.training_digest() == DESIGN.training_digest()


@pytest.mark.slow
def test_part_of_the_seeds_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    examined = examiner(tmp_path, seeds=2).examine(CLAIM)
    assert examined.judgement is not None
    assert examined.judgement.verdict == "not finished"
    assert find_result("depth", "cpu", tmp_path / "results") == examined.result
    assert find_result("unknown", "cpu", tmp_path / "results") is None


@pytest.mark.slow
def test_a_part_of_the_runs_does_not_replace_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    fixed = dataclasses.replace(CLAIM, designs={"cpu": dataclasses.replace(DESIGN, grid=())})
    whole = examiner(tmp_path).examine(fixed)
    assert whole.path is not None
    text = whole.path.read_text()
    elsewhere = dataclasses.replace(examiner(tmp_path, seeds=2), folder=tmp_path / "others")
    part = elsewhere.examine(fixed)
    assert (part.path, whole.path.read_text()) == (None, text)
    assert part.judgement is not None
    assert part.judgement.verdict == "not finished"


def test_times_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def clock() -> dict[str, float]:
        looks.append(1.0)
        return {"ratio": 2.0, "ratio.low": 1.5, "ratio.high": 2.5}

    timed = Design((Measured("longer", "ratio", "rounds", 1.0, "times"),), count=clock)
    claim = dataclasses.replace(CLAIM, designs={"cpu": timed})
    first, second = (examiner(tmp_path).examine(claim) for _ in range(2))
    assert (len(looks), second.path) == (1, None)
    assert second.judgement == first.judgement
    assert first.path is not None
    monkeypatch.setattr("lit_cnn.claims.result_file.SHIPPED", (first.path.parent,))
    assert Examiner("cpu", tmp_path, tmp_path / "other", None, StopSignals()).examine(claim).path is not None
    assert len(looks) == 2, "a result elsewhere, as that of the package, is of another machine"
    first.path.unlink()
    examiner(tmp_path).examine(claim)
    assert len(looks) == 3


@pytest.mark.slow
def test_a_rule_that_is_younger_than_its_runs_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    first = examiner(tmp_path, seeds=2).examine(CLAIM).result
    margin = dataclasses.replace(DESIGN.parts[0], threshold=-0.5)  # type: ignore[type-var]
    changed = dataclasses.replace(CLAIM, designs={"cpu": dataclasses.replace(DESIGN, parts=(margin,))})
    second = examiner(tmp_path).examine(changed).result
    assert first is not None
    assert second is not None
    assert (first.rule_changed, second.rule_changed) == (False, True)


@pytest.mark.slow
def test_a_run_that_diverged_counts_as_a_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    only = dataclasses.replace(CLAIM, designs={"cpu": dataclasses.replace(DESIGN, grid=DESIGN.grid[1:])})
    result = examiner(tmp_path).examine(only).result
    assert result is not None
    deep = [run for run in result.runs if run["arm"] == "deep"]
    assert [run["diverged"] for run in deep] == [True] * 3
    assert deep[0]["figures"]["accuracy"] == guess(10)["accuracy"] == 0.1


@pytest.mark.slow
def test_a_claim_on_other_runs_needs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    monkeypatch.setitem(CLAIMS, "depth", CLAIM)
    seen = []

    def gain(runs: object) -> dict[str, float]:
        seen.append(runs)
        return {"gain": 1.0, "gain.low": 0.5, "gain.high": 1.5}

    design = Design((Measured("a gain", "gain", "images"),), uses="depth", count_on_runs=gain)
    vote = Claim("vote", "Vote", "Votes help", "a slide", (), {"cpu": design})
    with pytest.raises(ValueError, match="vote is measured on the runs of depth, which are not in"):
        examiner(tmp_path).examine(vote)
    lame = Design(design.parts, uses="depth", count_on_runs=lambda runs: {"gain": len(runs["wide"])})
    examiner(tmp_path).examine(CLAIM)
    with pytest.raises(ValueError, match="vote is measured on the runs of depth's arm 'wide', which have not all"):
        examiner(tmp_path).examine(dataclasses.replace(vote, designs={"cpu": lame}))
    examined = examiner(tmp_path).examine(vote)
    assert examined.judgement is not None
    assert examined.judgement.verdict == "holds"
    assert {arm: len(runs) for arm, runs in seen[0].items()} == {"shallow": 3, "deep": 3}


def test_a_file_that_is_no_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "depth.cpu.json").write_text("{}")
    with pytest.raises(ValueError, match=r"depth\.cpu\.json is not a result of lit-cnn reproduce"):
        find_result("depth", "cpu", tmp_path)


def test_a_scale_without_a_design_is_named(tmp_path: Path) -> None:
    bare = dataclasses.replace(CLAIM, designs={"gpu": dataclasses.replace(DESIGN, count=None)})
    with pytest.raises(ValueError, match="depth has no design at --scale cpu: choose gpu"):
        examiner(tmp_path).examine(bare)
