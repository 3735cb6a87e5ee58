"""Of several proposals the one with the highest score is trained."""

from pathlib import Path

import pytest
from fake_search import FIT, SPACE, make_search

from lit_cnn.search.findings import found_networks
from lit_cnn.search.prefilter import Prefilter
from lit_cnn.sweeps.stop_signals import StopSignals


def test_the_highest_of_the_first_proposals_is_trained(tmp_path: Path) -> None:
    plain = make_search(tmp_path / "plain", "random")
    filtered = make_search(tmp_path / "filtered", "random", prefilter=Prefilter("params", 3))
    for sweep in (plain, filtered):
        sweep.run(FIT, StopSignals())
    params = [[one.costs["params"] for one in found_networks(sweep)] for sweep in (plain, filtered)]
    assert params[1][0] >= params[0][0]  # the first proposal is the same
    assert sum(params[1]) > sum(params[0]) + 14 * 1e5


def test_synflow_is_the_same_for_every_worker_and_grows_with_the_network() -> None:
    scoring, again = (Prefilter("synflow").scoring(3, 16, 3) for _ in range(2))
    small, large = (SPACE.candidate(SPACE.decode(text)) for text in (SMALL, LARGE))
    assert scoring(small, {}) == again(small, {})
    assert scoring(large, {}) > scoring(small, {})


SMALL = "plain s1 c16 n1; plain s2 c32 n1; plain s2 c64 n1"
LARGE = "plain s1 c32 n3; plain s2 c64 n3; plain s2 c128 n3"


@pytest.mark.parametrize(
    ("score", "of", "said"), [("synflaw", 2, "one of synflow, params, madds"), ("params", 1, "at least 2")]
)
def test_mistakes_are_one_sentence(score: str, of: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Prefilter(score, of)  # type: ignore[arg-type]
