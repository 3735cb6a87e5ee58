"""``lit-cnn reproduce``: its table before and after, designs, and a claim that is examined."""

import json
from pathlib import Path

import pytest

from lit_cnn.cli.main import main


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["reproduce", *words]) == 0
    return capsys.readouterr().out


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments that keep a test apart from results that are in the checkout."""
    monkeypatch.setattr("lit_cnn.claims.result_file.SHIPPED", ())
    monkeypatch.chdir(tmp_path)
    return ["--results", str(tmp_path / "results")]


def test_the_table_says_what_is_not_known_yet(results: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["claim"]: row for row in json.loads(printed(capsys, *results, "--json"))}
    assert rows["pointwise"]["verdict"] is None
    assert {row["stale"] for row in rows.values()} == {False}
    text = printed(capsys, *results)
    assert "not run yet" in text
    assert "not decidable here" in text
    assert "no design of this scale" in printed(capsys, *results, "--scale", "digits")


def test_an_examined_claim_is_in_the_table(results: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "pointwise", *results)
    assert "pointwise: exact" in text
    assert "163,328" in text
    assert str(Path(results[1]) / "pointwise.cpu.json") in text
    rows = {row["claim"]: row for row in json.loads(printed(capsys, *results, "--json"))}
    assert rows["pointwise"]["verdict"] == "exact"
    assert "0 rest on a test: at 5 % each, expect 0.0 false ones by chance" in printed(capsys, *results)


def test_the_table_shows_the_part_that_decides(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [line for line in printed(capsys, "--markdown").splitlines() if line.startswith("| augmentation")]
    assert "cutout on top is more accurate: -1.76" in rows[0]
    assert "by Holm" in rows[0]


def test_a_result_of_another_design_is_stale(
    results: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    printed(capsys, "pointwise", *results)
    path = tmp_path / "results" / "pointwise.cpu.json"
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    assert "the design has changed since" in " ".join(printed(capsys, *results).split())


def test_the_designs_state_every_rule_before_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(printed(capsys, "degradation", "--list").split())
    assert "plain56 - plain20 - resnet56 + resnet20" in text
    assert "not decidable here" in text
    assert "degradation: 5 seeds of 4 arms, at least 600 steps, about 25 core minutes" in text
    assert "minutes of one GPU, estimated" in printed(capsys, "degradation", "--list", "--scale", "gpu")
    designs = json.loads(printed(capsys, "depthwise", "--list", "--json"))
    assert designs["depthwise"]["parts"][2]["threshold"] == -0.03
    assert designs["depthwise"]["minimum_steps"] == 1500


def test_wrong_words_are_answered_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "identiy"]) == 1
    assert "there is no claim identiy; did you mean identity?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["reproduce", "identity", "--seeds", "1"])
    assert stop.value.code == 2
    assert "--seeds must be at least 2" in capsys.readouterr().err
    assert main(["reproduce", "transfer", "--scale", "gpu"]) == 1
    assert "transfer has no design at --scale gpu: choose cpu" in capsys.readouterr().err


def test_one_claim_that_cannot_be_examined_does_not_hold_up_the_others(
    results: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "ensembles", "pointwise", "--folder", "empty", *results]) == 1
    said = capsys.readouterr()
    assert "pointwise: exact, in part not decidable here" in said.out
    assert "ensembles is measured on the runs of augmentation, which are not in empty" in " ".join(said.err.split())


def test_a_scale_without_a_design_of_its_own_says_what_it_leaves_open(
    results: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(printed(capsys, "decoupled_decay", "--scale", "digits", *results).split())
    assert "decoupled_decay: exact, in part not decidable here" in text
    assert "this scale has no design for it" in text


def test_a_page_of_some_claims_does_not_replace_that_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["reproduce", "pointwise", "--report"])
    assert "--report of some claims would replace the page of all" in capsys.readouterr().err


@pytest.mark.slow
def test_the_report_is_written_where_it_is_asked_for(
    results: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = printed(capsys, "training_recipes", "--report", *results, "--out", str(tmp_path / "page"))
    assert f"{tmp_path / 'page' / 'claims.html'} (" in text
    assert (tmp_path / "page" / "claims.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    page = (tmp_path / "page" / "claims.md").read_text(encoding="utf-8")
    assert "| training_recipes | not decidable here |" in page
    assert "Verdict: not decidable here." in page
