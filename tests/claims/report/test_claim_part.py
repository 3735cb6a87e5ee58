"""One claim on the page: its question, papers, design, findings with pictures, arms, curves, commands and machine."""

import dataclasses
from pathlib import Path

import pytest
from fake_claim import CLAIM

from lit_cnn.claims.claim import Published
from lit_cnn.claims.report.claim_part import claim_sections
from lit_cnn.claims.report.records import gather
from lit_cnn.claims.result_file import make_result, write_result
from lit_cnn.reports.html_page import Figure as PageFigure
from lit_cnn.reports.html_page import Page, Section
from lit_cnn.reports.markdown_page import render_markdown

FULL = dataclasses.replace(CLAIM, full_scale="lit-cnn fit --config vgg11")


@pytest.fixture
def sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Section]:
    monkeypatch.setattr("lit_cnn.claims.result_file.SHIPPED", ())
    runs = [
        {
            "arm": arm, "seed": seed, "diverged": False,
            "figures": {"accuracy": accuracy + 0.01 * seed, "nll": 1 - accuracy, "seconds": 120.0},
            "curve": [{"epoch": 1.0, "accuracy": 0.3, "nll": 2.0}, {"epoch": 2.0, "accuracy": accuracy, "nll": 1.0}],
        }
        for seed in range(3)
        for arm, accuracy in (("shallow", 0.5), ("deep", 0.6 + 0.001 * seed))
    ]  # fmt: skip
    result = make_result(FULL, "cpu", None, {"ratio": 8.5})
    chosen = {"deep": {"model.optimizer.learning_rate": 0.3}}
    result = dataclasses.replace(result, runs=runs, chosen=chosen, tried={"deep": [1.25, None]})
    write_result(FULL, result, tmp_path)
    return claim_sections(FULL, gather([FULL], tmp_path))


def test_all_that_is_asked_of_a_claim_is_there(sections: list[Section]) -> None:
    text = render_markdown(Page("a page", "its lead", [Section("part", []), *sections]))
    for words in (
        "### depth: Depth", "Deeper is better.", "Slide: a slide.", "| x | 1 % | a paper |",
        "#### depth at scale cpu", "Verdict: holds.", "3 seeds of each arm, at least 30 steps",
        "Each arm gets the best of 2: learning_rate 0.1; learning_rate 0.3.", "| deep | architecture cifar_resnet20 |",
        "(20 layers have the lower loss)", "holds if the 95 % t interval over seeds lies above 0 points",
        "learning_rate 0.3 | 1.25, diverged |", "| ratio | 8.5 |",
        "lit-cnn reproduce depth --scale cpu\nlit-cnn fit --config vgg11", "12.0 core minutes of training",
        "not decidable here | it takes weeks",
    ):  # fmt: skip
        assert words in text, words


def test_effects_and_curves_are_drawn_and_described(sections: list[Section]) -> None:
    figures = [block for section in sections for block in section.blocks if isinstance(block, PageFigure)]
    effects, curves = figures
    assert ["in points" in svg or "in nats" in svg for svg in effects.pictures] == [True, True]
    assert len(curves.pictures) == 2
    assert all("<title>" in svg and "<desc>" in svg for figure in figures for svg in figure.pictures)


@pytest.mark.parametrize(
    ("tried", "at_an_end"),
    [([1.3, 1.2, 1.1], True), ([1.1, 1.2, None], True), ([1.2, 1.1, None], False), ([1.2, 1.1], False)],
)
def test_the_best_point_at_an_end_of_the_grid_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: list[float | None], at_an_end: bool
) -> None:
    monkeypatch.setattr("lit_cnn.claims.result_file.SHIPPED", ())
    run = {"arm": "deep", "seed": 0, "diverged": False, "figures": {"accuracy": 0.5, "nll": 1.0}, "curve": []}
    result = dataclasses.replace(make_result(CLAIM, "cpu", None, {}), runs=[run], tried={"deep": tried})
    write_result(CLAIM, result, tmp_path)
    text = render_markdown(Page("a page", "its lead", claim_sections(CLAIM, gather([CLAIM], tmp_path))))
    assert ("so that a wider grid could find a better one: deep." in text) == at_an_end


def test_a_figure_that_could_not_be_verified_is_marked() -> None:
    claim = dataclasses.replace(CLAIM, published=(Published("x", "1 %", "a paper", verified=False),))
    text = render_markdown(Page("a page", "its lead", [Section("part", []), *claim_sections(claim, [])]))
    assert "| x | 1 % (unverified: recalled, and in none of the texts that could be read) | a paper |" in text
