"""What is shown of a claim before it is run, when it was judged, and when its design has changed since."""

import dataclasses
from pathlib import Path

import pytest
from fake_claim import CLAIM, DESIGN

from lit_cnn.claims.claim import Claim
from lit_cnn.claims.report.records import STALE, Record, detectable, gather
from lit_cnn.claims.result_file import Result, make_result, write_result
from lit_cnn.claims.verdicts import Finding


@pytest.fixture(autouse=True)
def _without_shipped_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lit_cnn.claims.result_file.SHIPPED", ())


def result_of(claim: Claim, differences: tuple[float, ...] = (0.1, 0.12, 0.11)) -> Result:
    """Deep is ahead of shallow by these, seed by seed."""
    runs = [
        {"arm": arm, "seed": seed, "figures": {"accuracy": accuracy, "nll": 1 - accuracy}, "curve": []}
        for seed, ahead in enumerate(differences)
        for arm, accuracy in (("shallow", 0.5), ("deep", 0.5 + ahead))
    ]
    return dataclasses.replace(make_result(claim, "cpu", None, {"ratio": 8.5}), runs=runs)


def test_before_the_first_run_a_claim_is_not_run_or_not_decidable(tmp_path: Path) -> None:
    hopeless = dataclasses.replace(DESIGN, parts=DESIGN.parts[-1:])
    other = dataclasses.replace(CLAIM, name="hopeless", designs={"cpu": hopeless})
    records = gather([CLAIM, other], tmp_path)
    assert [(each.claim.name, each.scale, each.verdict) for each in records] == [
        ("depth", "cpu", "not run yet"),
        ("hopeless", "cpu", "not decidable here"),
    ]
    assert records[0].leading() is None
    assert records[0].accuracy("deep") == "–"


def test_a_result_is_judged_and_leads_with_the_part_that_decided(tmp_path: Path) -> None:
    write_result(CLAIM, result_of(CLAIM), tmp_path)
    (record,) = gather([CLAIM], tmp_path)
    assert record.verdict == "holds"
    place = record.leading()
    assert place is not None
    found = record.finding(place)
    assert found is not None
    assert found.question == "20 layers are more accurate"
    assert record.accuracy("deep") == "61.0 ± 1.0"


def test_a_result_of_another_design_is_not_judged(tmp_path: Path) -> None:
    write_result(CLAIM, dataclasses.replace(result_of(CLAIM), digest="0" * 16), tmp_path)
    (record,) = gather([CLAIM], tmp_path)
    assert record.is_stale
    assert record.verdict == STALE
    assert record.finding(0) is None
    assert record.accuracy("deep") == "–"


def test_the_detectable_effect_is_that_of_the_power_of_a_paired_t_test() -> None:
    part = DESIGN.parts[0]
    found = Finding("q", "r", "holds", n=5, sd=2.0)
    assert detectable(part, found) == pytest.approx(2.0 * 1.683, rel=0.01)
    assert detectable(part, found, comparisons=7) == pytest.approx(2.0 * 2.87, rel=0.01)
    assert detectable(DESIGN.parts[2], found) is None
    assert detectable(part, Finding("q", "r", "not finished")) is None


def test_a_record_of_a_scale_without_a_design_of_its_own_needs_a_result(tmp_path: Path) -> None:
    assert [each.scale for each in gather([CLAIM], tmp_path)] == ["cpu"]
    arithmetic = dataclasses.replace(make_result(CLAIM, "digits", None, {"ratio": 8.5}))
    write_result(CLAIM, arithmetic, tmp_path)
    scales = {each.scale: each.verdict for each in gather([CLAIM], tmp_path)}
    assert scales == {"digits": "exact", "cpu": "not run yet"}


def test_seeds_are_those_of_the_result() -> None:
    assert Record(CLAIM, "cpu", DESIGN).seeds == 3
    assert Record(CLAIM, "cpu", DESIGN, dataclasses.replace(result_of(CLAIM), seeds=7)).seeds == 7


def test_the_wording_remarks_on_grids_and_on_rules_younger_than_their_runs(tmp_path: Path) -> None:
    result = dataclasses.replace(result_of(CLAIM), tried={"deep": [0.9, 0.8, 0.7]}, rule_changed=True)
    write_result(CLAIM, result, tmp_path)
    (record,) = gather([CLAIM], tmp_path)
    assert record.wording == "holds (best at an end of the grid; rule changed after the first run)"
    diverged = dataclasses.replace(result_of(CLAIM), tried={"deep": [None, None, None], "shallow": [0.9, 0.8, 0.9]})
    write_result(CLAIM, diverged, tmp_path)
    assert gather([CLAIM], tmp_path)[0].wording == "holds"
