"""The candidates that were tried, a row for each: what they cost, how far they came, and how they stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lit_cnn.choosing.evidence import Evidence
from lit_cnn.choosing.explaining import points
from lit_cnn.choosing.limits import WORDS
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.rungs import Reached
from lit_cnn.choosing.ties import Standing, standings


@dataclass(frozen=True)
class Row:
    """A candidate that was tried.

    Args:
        name: Of the candidate.
        architecture: Its network.
        image_size: In pixels.
        weights: That it started from.
        costs: params, madds, latency_ms and, where the system reports it, memory_mb.
        probe: Accuracy of the linear probe, from which its trainings start; None without one.
        epochs: That it was trained; 0 where the probe ended it.
        trained: Accuracy after them; None where it was not trained.
        accuracy: That counts: of those that were trained to the end the better of the two.
        standing: Against the best; None where it was not trained to the end.
        on_front: Whether none is as accurate and faster.
        state: In words.
    """

    name: str
    architecture: str
    image_size: int
    weights: str | None
    costs: dict[str, float]
    probe: float | None
    epochs: int
    trained: float | None
    accuracy: float | None
    standing: Standing | None
    on_front: bool = False
    state: str = ""


def rows_of(evidence: Evidence, stood: Sequence[Standing], front: Sequence[str]) -> list[Row]:
    """A row for each candidate that was tried, those that were trained to the end first.

    Args:
        evidence: What was found.
        stood: How those stand that were trained to the end.
        front: Names of those on the front.
    """
    prepared, by_name = evidence.prepared, {row.name: row for row in stood}
    reached = {each.name: each for each in evidence.stands}
    names = [*by_name, *(each.name for each in evidence.stands if each.name not in by_name)]
    names += [name for name in evidence.probes if name not in names]
    probed = {row.name: row for row in standings(evidence.probes)}
    found = []
    for name in names:
        state = _state(reached.get(name), by_name.get(name), probed.get(name), name in evidence.untouched)
        row = _row(prepared, name, probed.get(name), reached.get(name), by_name.get(name))
        found.append(replace(row, on_front=name in front, state=state))
    return found


def _row(
    prepared: Prepared, name: str, probed: Standing | None, reached: Reached | None, standing: Standing | None
) -> Row:
    candidate = prepared.candidate(name)
    trained = reached.accuracy if reached else None
    return Row(
        name=name,
        architecture=candidate.architecture,
        image_size=candidate.image_size,
        weights=candidate.weights,
        costs={key: value for key, value in prepared.costs[name].items() if key in WORDS},
        probe=probed.accuracy if probed else None,
        epochs=reached.epochs if reached else 0,
        trained=trained,
        accuracy=standing.accuracy if standing else trained,
        standing=standing,
    )


def _state(reached: Reached | None, standing: Standing | None, probed: Standing | None, untouched: bool) -> str:
    if standing is not None:
        best = standing.behind_low == standing.behind_high == 0
        said = "most accurate" if best else "ties with the best" if standing.ties else "less accurate"
        return f"{said}, by the probe" if untouched else said
    if reached is not None:
        return f"failed: {reached.error}" if reached.error else f"stopped after {reached.epochs} epochs"
    if probed is not None and not probed.ties:
        return f"not trained: behind in the linear probe by {points(probed.behind)}"
    return "not trained: a tie in the linear probe, but slower"
