"""The results of races as a picture."""

from collections.abc import Sequence
from pathlib import Path

from lit_cnn.benchmarking.race import Bench
from lit_cnn.reports.speed import Bar, draw_speed


def draw_benches(benches: Sequence[Bench], conditions: str, out_png: Path) -> Path:
    """Draw where the time of every contestant's training step goes; returns ``out_png``."""
    return draw_speed(speed_bars(benches), conditions, out_png)


def speed_bars(benches: Sequence[Bench]) -> list[Bar]:
    """A bar for each contestant, the network that is nearest to the limit first; our own carries its name alone."""
    nearest_first = sorted(benches, key=lambda bench: -bench.results[0].training_share.median)
    return [
        Bar(
            name=bench.name if number == 0 else f"{bench.name} ({result.label})",
            phases=result.phases,
            images_per_second=result.training.median,
            share_of_limit=result.training_share.median,
        )
        for bench in nearest_first
        for number, result in enumerate(bench.results)
    ]
