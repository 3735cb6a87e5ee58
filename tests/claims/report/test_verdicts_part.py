"""The table of verdicts: one row for each claim, with its power; and everything that is open, with its reason."""

import dataclasses
from pathlib import Path

import pytest
from fake_claim import CLAIM, DESIGN

from lit_cnn.claims.catalog import CLAIMS
from lit_cnn.claims.report.records import Record, gather
from lit_cnn.claims.report.verdicts_part import chance, effect_of, found_text, spread_and_power, verdicts_sections
from lit_cnn.claims.verdicts import Finding
from lit_cnn.reports.html_page import HtmlTable


@pytest.fixture(scope="module")
def unrun(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lit_cnn.claims.result_file.SHIPPED", ())
        return gather(list(CLAIMS.values()), tmp_path_factory.mktemp("none"))


def tables_of(records: list[Record], heading: str) -> list[HtmlTable]:
    (section,) = (each for each in verdicts_sections(records) if each.heading == heading)
    return [block for block in section.blocks if isinstance(block, HtmlTable)]


def test_every_claim_has_a_row_at_scale_cpu_before_any_run(unrun: list[Record]) -> None:
    table, power = tables_of(unrun, "Verdicts")
    assert table.caption == "claims at scale cpu"
    assert [row[0] for row in table.rows] == list(CLAIMS)
    assert {row[1] for row in table.rows} == {"not run yet", "not decidable here"}
    powers = {(row[0], row[1]): row[5] for row in power.rows}
    assert powers["degradation", "cpu"].endswith(" %")
    assert (
        not {("identity", "cpu"), ("augmentation", "cpu")} & powers.keys()
    )  # whose pilot is of a part that does not count


def test_what_is_open_has_a_reason_and_its_time(unrun: list[Record]) -> None:
    (table,) = tables_of(unrun, "Not run, and not decidable")
    rows = {(row[0], row[1], row[2]): row for row in table.rows}
    assert rows["degradation", "cpu", "all parts"][3:] == ["not run yet", "25"]
    part = "the order by published ImageNet accuracy is the order on flowers"
    assert rows["transfer", "cpu", part][3].startswith("not decidable here: a rank correlation of 6 nets")
    assert ("training_recipes", "cpu", "all parts") not in rows
    for claim in CLAIMS.values():
        for scale, design in claim.designs.items():
            for part_ in design.parts:
                if part_.refusal(design.seeds):
                    assert (claim.name, scale, part_.question) in rows


def test_claims_that_wait_are_named_only_where_some_do(unrun: list[Record]) -> None:
    def said(records: list[Record]) -> str:
        return str(verdicts_sections(records)[0].blocks[1])

    assert "Not run yet at scale cpu: linear_parameters, " in said(unrun)
    assert "None waits at scale cpu." in said([record for record in unrun if record.verdict != "not run yet"])


def test_only_verdicts_of_tests_can_be_false_by_chance(unrun: list[Record]) -> None:
    assert chance(unrun).endswith("0 of those below rest on a test: expect 0.")
    assert "expect 0.8 false verdicts in 16" in chance(unrun)


def test_an_effect_without_an_interval_is_not_drawn() -> None:
    assert effect_of(Finding("q", "r", "exact", effect=1.0), "q") is None
    drawn = effect_of(Finding("q", "r", "holds", effect=1.0, low=0.5, high=1.5, threshold=0.0), "name")
    assert drawn is not None
    assert (drawn.name, drawn.value, drawn.low, drawn.high, drawn.threshold) == ("name", 1.0, 0.5, 1.5, 0.0)


def test_of_several_comparisons_the_p_value_that_decides_is_shown() -> None:
    finding = Finding("q", "r", "inconclusive", said="+1 [+0.1, +1.9] points", p_value=0.03, adjusted_p=0.18)
    assert found_text(finding) == "+1 [+0.1, +1.9] points; p = 0.18 by Holm"
    assert found_text(dataclasses.replace(finding, adjusted_p=None)) == "+1 [+0.1, +1.9] points"


def test_runs_that_are_older_than_their_rule_are_marked(tmp_path: Path) -> None:
    (record,) = gather([CLAIMS["evolution"]], tmp_path)
    assert record.design.stored
    table, power = tables_of([record], "Verdicts")
    assert power.rows[0][3:5] == ["200", "0.91 points"]
    assert table.rows[0][1].endswith("(on earlier runs)")


def test_power_is_shown_where_a_pilot_has_given_it() -> None:
    degradation = CLAIMS["degradation"].designs["cpu"]
    assert spread_and_power(Record(CLAIMS["degradation"], "cpu", degradation), 0).endswith(" % by a pilot")
    assert spread_and_power(Record(CLAIM, "cpu", dataclasses.replace(DESIGN)), 0) == "–"
