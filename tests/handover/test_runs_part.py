"""Several runs on a page: means over seeds, differences, every run, and the best one chosen."""

import shutil
from pathlib import Path

import pytest
from fitted_run import FittedRun
from html_checks import PageReader
from made_runs import make_run

from lit_cnn.evaluation.paired import t_interval
from lit_cnn.evaluation.run_comparison import Comparison, Settings, compare_runs
from lit_cnn.evaluation.run_records import read_run
from lit_cnn.handover.run_files import run_files
from lit_cnn.handover.runs_part import best_run, compared_section, shown_run
from lit_cnn.reports.html_page import Page, render

SCORES = {("0.05", 0): 0.5, ("0.05", 1): 0.6, ("0.01", 0): 0.9, ("0.01", 1): 0.8}


@pytest.fixture(scope="module")
def folders(fitted: FittedRun, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two seeds at two rates, of two epochs each."""
    made = []
    config = (fitted.folder / "config.yaml").read_text()
    for (rate, seed), score in SCORES.items():
        folder = tmp_path_factory.mktemp("tiny") / f"{rate}-{seed}"
        shutil.copytree(fitted.folder, folder, ignore=shutil.ignore_patterns("checkpoints", "*.png"))
        text = config.replace("learning_rate: 0.05", f"learning_rate: {rate}")
        (folder / "config.yaml").write_text(text.replace("seed_everything: 0", f"seed_everything: {seed}"))
        rows = f"0,2,1.0,1.1,{score}\n1,5,0.9,1.0,{score - 0.1}\n"
        (folder / "metrics.csv").write_text(f"epoch,step,train/loss,val/loss,val/acc1\n{rows}")
        made.append(folder)
    return made


@pytest.fixture(scope="module")
def comparison(folders: list[Path]) -> Comparison:
    return compare_runs([read_run(folder) for folder in folders], Settings(unfinished=True))


@pytest.fixture(scope="module")
def html(comparison: Comparison, folders: list[Path]) -> str:
    return render(Page("runs", "", [compared_section(comparison, run_files(folders[2]))]))


def test_nothing_is_wrong_with_the_section(html: str) -> None:
    assert PageReader(html).what_is_wrong(html) == []


def test_a_group_has_its_mean_spread_and_interval(html: str) -> None:
    interval = t_interval([0.5, 0.6])
    within = f"{100 * interval.low:.2f} % to {100 * interval.high:.2f} %"
    assert PageReader(html).row("learning_rate=0.05")[1:5] == ["2", "55.00 % ± 7.07 %", within, "45.00 % ± 7.07 %"]


def test_runs_of_one_seed_count_once(tmp_path: Path, folders: list[Path]) -> None:
    for number, (seed, best) in enumerate([(0, 0.8), (0, 0.9), (1, 0.6)]):
        make_run(tmp_path / str(number), (best,), seed_everything=seed)
    runs = [read_run(tmp_path / str(number)) for number in range(3)]
    repeated = compare_runs(runs, Settings(unfinished=True))
    page = render(Page("runs", "", [compared_section(repeated, run_files(folders[0]))]))
    interval = t_interval([0.85, 0.6])
    within = f"{100 * interval.low:.2f} % to {100 * interval.high:.2f} %"
    assert PageReader(page).row("all runs")[1:4] == ["2", "72.50 % ± 17.68 %", within]


def test_a_difference_is_in_points_with_its_pairs(html: str) -> None:
    assert PageReader(html).row("learning_rate=0.01 − learning_rate=0.05")[1:3] == ["2", "+30.00"]


def test_every_run_has_a_row(html: str, folders: list[Path]) -> None:
    for folder, ((rate, seed), score) in zip(folders, SCORES.items(), strict=True):
        row = PageReader(html).row(f"{folder.parent.name}/{folder.name}")
        assert row[1:4] == [f"learning_rate={rate}", str(seed), f"{100 * score:.2f} %"]
        assert row[4:] == ["1", f"{100 * (score - 0.1):.2f} %", "2"]


def test_the_best_run_is_that_of_the_best_value(comparison: Comparison, folders: list[Path]) -> None:
    assert best_run(comparison) == folders[2]
    losses = compare_runs([run.run for run in comparison.runs], Settings(unfinished=True, metric="val/loss"))
    assert best_run(losses) in folders
    shown = shown_run(folders)
    assert (shown.folder, shown.left_out) == (folders[2], ())
    assert shown.comparison is not None


def test_of_several_runs_one_that_counts_is_enough(tmp_path: Path) -> None:
    good, failed, silent = (make_run(tmp_path / name) for name in ("good", "failed", "silent"))
    (failed / "config.yaml").write_text("[")
    (silent / "metrics.csv").unlink()
    shown = shown_run([failed, good, silent])
    assert (shown.folder, shown.comparison) == (good, None)
    assert [sentence.split(":")[0] for sentence in shown.left_out] == [
        f"{failed} is left out", f"{silent} is left out"
    ]  # fmt: skip
    assert shown_run([silent]).folder == silent
    with pytest.raises(ValueError, match=r"none of the 2 runs can be compared \(.*\): name one of them alone"):
        shown_run([failed, silent])
