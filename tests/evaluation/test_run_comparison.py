"""Runs compared: means over seeds, differences, and what does not count."""

import json
import statistics
from pathlib import Path

import pytest
from made_runs import make_run, make_runs

from lit_cnn.evaluation.run_comparison import Comparison, Settings, Spread, compare_runs
from lit_cnn.evaluation.run_records import find_runs, read_run


def compared(folder: Path, settings: Settings | None = None) -> Comparison:
    return compare_runs([read_run(run) for run in find_runs([str(folder)])], settings or Settings())


def test_groups_have_mean_and_sd_over_seeds_the_best_first(tmp_path: Path) -> None:
    result = compared(make_runs(tmp_path, {0.1: [0.8, 0.82, 0.87], 0.2: [0.9, 0.91, 0.95]}))
    best, other = result.groups
    assert (best.label, other.label) == ("learning_rate=0.2", "learning_rate=0.1")
    values = [0.9, 0.91, 0.95]
    assert best.best == Spread(pytest.approx(statistics.fmean(values)), pytest.approx(statistics.stdev(values)), 3)
    assert best.last.mean == pytest.approx(statistics.fmean(values) - 0.1)
    assert (best.seeds, best.best_epoch, best.epochs) == ((0, 1, 2), 2, 3)
    assert (best.seconds, best.images_per_second) == (pytest.approx(1.5), pytest.approx(200))
    (difference,) = result.differences
    assert (difference.first, difference.pairs) == ("learning_rate=0.2", 3)
    assert difference.mean == pytest.approx(0.09)
    assert (result.left_out, result.warnings) == ({}, ())


def test_a_loss_is_best_where_it_is_least(tmp_path: Path) -> None:
    result = compared(make_runs(tmp_path, {0.1: [0.8, 0.8], 0.2: [0.9, 0.9]}), Settings(metric="val/loss"))
    assert result.groups[0].label == "learning_rate=0.2"
    assert result.groups[0].best.mean == pytest.approx(0.1)
    assert result.differences[0].mean == pytest.approx(-0.1)
    assert result.warnings == ("val/loss is compared, but best.ckpt was chosen by val/acc1 in all runs",)


def test_differences_may_be_of_the_last_validation(tmp_path: Path) -> None:
    for name, rate, last in (("a", 0.1, 0.5), ("b", 0.2, 0.1)):
        for seed in (0, 1):
            values = (0.6, 0.7, last + seed / 100)
            make_run(tmp_path / f"{name}{seed}", values, model__optimizer__learning_rate=rate, seed_everything=seed)
    assert compared(tmp_path).differences[0].mean == 0
    assert abs(compared(tmp_path, Settings(value="last")).differences[0].mean or 0) == pytest.approx(0.4)


def test_unequal_seeds_are_paired_where_both_have_them(tmp_path: Path) -> None:
    result = compared(make_runs(tmp_path, {0.1: [0.8, 0.82, 0.3, 0.2], 0.2: [0.9, 0.91]}))
    assert [group.best.n for group in result.groups] == [2, 4]
    assert (result.differences[0].pairs, result.differences[0].mean) == (2, pytest.approx(0.095))


def test_unfinished_and_failed_runs_are_named_and_do_not_count(tmp_path: Path) -> None:
    make_runs(tmp_path, {0.1: [0.8, 0.82], 0.2: [0.9, 0.91]})
    half = make_run(tmp_path / "half", (0.99,), seed_everything=5)
    broken = make_run(tmp_path / "broken")
    (broken / "config.yaml").write_text("[")
    result = compared(tmp_path)
    assert set(result.left_out) == {str(half), str(broken)}
    assert result.left_out[str(half)] == "unfinished: 1 of 3 epochs"
    assert len(result.runs) == 4
    with_half = compared(tmp_path, Settings(unfinished=True))
    assert set(with_half.left_out) == {str(broken)}
    assert with_half.groups[0].best == Spread(pytest.approx(0.905), pytest.approx(0.0070711, abs=1e-6), 2)
    assert with_half.groups[1].best.n == 3


def test_a_run_without_the_metric_is_named_with_what_it_logged(tmp_path: Path) -> None:
    make_runs(tmp_path, {0.1: [0.8, 0.82]})
    other = make_run(tmp_path / "other")
    (other / "metrics.csv").write_text("epoch,step,val/loss,train/loss\n2,5,0.4,0.3\n")
    assert compared(tmp_path).left_out == {str(other): "it logged no val/acc1, only val/loss"}


@pytest.mark.parametrize("last", ["nan", "inf"])
def test_a_run_that_has_diverged_is_named_and_does_not_count(tmp_path: Path, last: str) -> None:
    make_runs(tmp_path, {0.1: [0.8, 0.82], 0.2: [0.9, 0.91]})
    diverged = make_run(tmp_path / "diverged", seed_everything=2)
    rows = f"epoch,step,val/loss,val/acc1\n0,1,0.4,0.3\n1,3,0.3,0.4\n2,5,{last},0.1\n"
    (diverged / "metrics.csv").write_text(rows)
    result = compared(tmp_path, Settings(metric="val/loss"))
    assert result.left_out == {str(diverged): f"its last val/loss is {last}: it diverged"}
    assert len(compared(tmp_path).runs) == 5  # its accuracy is finite


def test_the_same_settings_and_seed_count_once(tmp_path: Path) -> None:
    for name, best in (("a", 0.8), ("b", 0.9)):
        make_run(tmp_path / name, (0.1, 0.2, best))
    make_run(tmp_path / "c", (0.1, 0.2, 0.6), seed_everything=1)
    result = compared(tmp_path)
    assert result.groups[0].best == Spread(pytest.approx(0.725), pytest.approx(statistics.stdev([0.85, 0.6])), 2)
    assert "have the same settings and seed, so they count once" in result.warnings[0]
    assert result.differences == ()


def test_fewer_than_two_runs_are_refused_with_what_to_do(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    with pytest.raises(ValueError, match="is one run alone: name another to compare it with"):
        compared(run)
    make_run(tmp_path / "b", (0.1,))
    with pytest.raises(ValueError, match=r"of 2 runs, 1 can be compared \(.*: 1 of 3 epochs\): pass --unfinished"):
        compared(tmp_path)
    make_run(tmp_path / "c")
    with pytest.raises(ValueError, match="pass --unfinished"):
        compared(tmp_path, Settings(metric="val/ece"))
    (tmp_path / "b").rename(tmp_path.parent / f"{tmp_path.name}b")
    with pytest.raises(
        ValueError, match=r"of 2 runs, 0 can be compared .*only val/loss, val/acc1; and 1 more\): pass --metric"
    ):
        compared(tmp_path, Settings(metric="val/ece"))


def test_old_runs_are_compared_by_what_they_have(tmp_path: Path) -> None:
    make_runs(tmp_path, {0.1: [0.8, 0.82], 0.2: [0.9, 0.91]}, data=None, environment=None, speed=None)
    result = compared(tmp_path)
    assert [group.seconds for group in result.groups] == [None, None]
    assert "record no data set (data.json)" in result.warnings[0]


def test_everything_is_told_in_built_in_types(tmp_path: Path) -> None:
    told = json.loads(json.dumps(compared(make_runs(tmp_path, {0.1: [0.8, 0.82], 0.2: [0.9, 0.91]})).as_dict()))
    assert told["keys"] == ["model.optimizer.learning_rate"]
    assert told["differences"][0]["interval"]["n"] == 2
    assert [run["seed"] for run in told["runs"]] == [0, 1, 0, 1]
    assert told["runs"][0]["group"] == told["groups"][0]["label"]
