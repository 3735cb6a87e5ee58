"""benchmarks/judged_runs.py and benchmarks/finished_runs.py: runs that continue, and verdicts on them."""

from pathlib import Path

import pytest
from finished_runs import Figures, Finished, Job, Key, do_jobs, read_runs
from judged_runs import Comparison, judged, verdict_rows

ASKED = (Comparison("b is ahead of a", "b", "a"), Comparison("c is ahead of b", "c", "b"))


def values(*, last: float) -> dict[str, dict[int, float]]:
    """Three arms: b is about 10 points ahead of a in each seed, c some of the time ahead of b."""
    a = {0: 0.50, 1: 0.52, 2: 0.48}
    return {
        "a": a,
        "b": {seed: value + 0.1 + 0.001 * seed for seed, value in a.items()},
        "c": {0: 0.64, 1: 0.60, 2: last},
    }


def test_a_difference_beyond_chance_holds_and_one_within_it_is_inconclusive_with_seeds_that_would_decide() -> None:
    ahead, open_ = judged(ASKED, values(last=0.59), 3)
    assert ahead.verdict == "holds"
    assert ahead.effect == pytest.approx(10.1)
    assert open_.verdict == "inconclusive"
    assert open_.deciding_n is not None
    assert open_.deciding_n > 3
    assert f"{open_.deciding_n} seeds would decide" in verdict_rows([ahead, open_])[-1]


def test_the_comparisons_share_one_error_by_holm() -> None:
    ahead, open_ = judged(ASKED, values(last=0.59), 3)
    assert ahead.p_value is not None
    assert ahead.adjusted_p == pytest.approx(2 * ahead.p_value)
    assert open_.adjusted_p == pytest.approx(open_.p_value)


def test_nothing_is_judged_before_all_runs_have_ended() -> None:
    found = values(last=0.59)
    del found["c"][2]
    ahead, open_ = judged(ASKED, found, 3)
    assert ahead.verdict == "not finished"  # what Holm leaves of it depends on the other
    assert open_.verdict == "not finished"
    assert open_.said == "5 of 6 runs"
    assert verdict_rows([open_])[-1] == "| c is ahead of b | 5 of 6 runs | – | not finished |"


def test_jobs_that_have_ended_are_not_done_again_and_others_see_their_figures(tmp_path: Path) -> None:
    done: list[str] = []

    def job(arm: str, needs: tuple[Key, ...] = ()) -> Job:
        def run(finished: Finished) -> Figures:
            done.append(arm)
            return {"value": 1.0 + sum(finished[key]["value"] for key in needs)}

        return Job(Key(arm, 0, "trained"), run, needs)

    first, second = job("first"), job("second", (Key("first", 0, "trained"),))
    path = tmp_path / "runs.csv"
    do_jobs(path, [second, first], "0/1")
    do_jobs(path, [second, first], "0/1")
    assert done == ["first", "second"]
    assert {key.arm: figures["value"] for key, figures in read_runs(path).items()} == {"first": 1.0, "second": 2.0}


def test_a_shard_does_its_own_jobs_alone(tmp_path: Path) -> None:
    jobs = [Job(Key(f"arm{number}", 0, "trained"), lambda _: {"value": 0.0}) for number in range(5)]
    do_jobs(tmp_path / "runs.csv", jobs, "1/2")
    assert [key.arm for key in read_runs(tmp_path / "runs.csv")] == ["arm1", "arm3"]
