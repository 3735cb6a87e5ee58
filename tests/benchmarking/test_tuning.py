from collections.abc import Sequence

from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.tuning import Settings, Trial, choose, climb


def speed(median: float, low: float | None = None) -> Spread:
    return Spread(median, median if low is None else low, median + 0.01, 9)


def test_only_a_gain_above_the_noise_is_chosen() -> None:
    assert choose([speed(0.9), speed(1.3), speed(1.5)]) == 2
    assert choose([speed(1.5, low=0.99), speed(1.3)]) == 1  # the faster one may as well be slower
    assert choose([speed(1.01)]) is None  # certain, and not worth a key
    assert choose(["needs a compiler"]) is None


def test_each_key_starts_from_the_best_so_far() -> None:
    """Threads help only in the other precision; the greedy climb finds both."""
    asked: list[tuple[dict, list[dict]]] = []

    def compare(best: Settings, challengers: Sequence[Settings]) -> list[Spread | str]:
        asked.append((dict(best), [dict(each) for each in challengers]))

        def worth(settings: Settings) -> float:
            return 2.0 * (1.5 if settings["threads"] == 2 else 1.0) if settings["precision"] == "bf16" else 1.0

        return [speed(worth(each) / worth(best)) for each in challengers]

    start = {"precision": "fp32", "threads": 1, "compile": False}
    choices = {"precision": ("fp32", "bf16"), "threads": (1, 2, 4), "compile": (False,)}
    best, trials = climb(start, choices, compare)
    assert best == {"precision": "bf16", "threads": 2, "compile": False}
    assert [(trial.key, trial.value, trial.before, trial.chosen) for trial in trials] == [
        ("precision", "bf16", "fp32", True),
        ("threads", 2, 1, True),
        ("threads", 4, 1, False),
    ]
    assert [before["precision"] for before, _ in asked] == ["fp32", "bf16"]  # compile has nothing to try
    assert start["threads"] == 1


def test_the_verdict_on_a_trial_says_why_it_is_not_kept() -> None:
    tried = ((speed(1.5), True), (speed(1.01, low=0.99), False), (Spread(0.5, 0.4, 0.6, 9), False), ("no GPU", False))
    assert [Trial("data.workers", 1, 0, found, chosen).verdict for found, chosen in tried] == [
        "chosen",
        "not above the noise",
        "slower",
        "could not run",
    ]
