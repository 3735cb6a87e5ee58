"""The most that the chosen network may cost, known before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from lit_cnn.architectures.sizes import format_size

WORDS = {"params": "parameters", "madds": "multiply-adds", "latency_ms": "latency", "memory_mb": "memory"}
"""Cost -> what it is called."""


@dataclass(frozen=True)
class Limits:
    """None: any.

    Args:
        params: Parameters.
        madds: Multiply-adds of one image.
        latency_ms: Milliseconds of one batch, measured on the device under the condition that is stated with it.
        memory_mb: Megabytes (10^6 bytes) of weights, activations and buffers while a batch is classified, measured.

    Raises:
        ValueError: If a limit is not positive.
    """

    params: float | None = None
    madds: float | None = None
    latency_ms: float | None = None
    memory_mb: float | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and not value > 0:
                flag = f"--max-{each.name.replace('_', '-')}"
                raise ValueError(f"{flag} is {value} but must be a positive number")

    def exceeded(self, costs: Mapping[str, float]) -> tuple[str, str] | None:
        """The first limit that is exceeded, of those whose cost is known: its name, and a sentence; None if all hold.

        >>> Limits(params=6e6).exceeded({"params": 11.7e6})
        ('params', '11.7M parameters, more than 6M')
        """
        for each in fields(self):
            most, figure = getattr(self, each.name), costs.get(each.name)
            if most is not None and figure is not None and figure > most:
                name = each.name
                return name, f"{written(name, figure)} {WORDS[name]}, more than {written(name, most)}"
        return None

    def words(self) -> str:
        """All limits as text; "none" without any."""
        stated = [(each.name, getattr(self, each.name)) for each in fields(self)]
        return ", ".join(f"{WORDS[name]} {written(name, value)}" for name, value in stated if value) or "none"


def written(cost: str, figure: float) -> str:
    """A cost with its unit, in three digits.

    >>> written("memory_mb", 1523.4), written("latency_ms", 9.876)
    ('1,520 MB', '9.88 ms')
    """
    if cost in ("params", "madds"):
        return format_size(figure)
    return f"{float(f'{figure:.3g}'):,.10g} {'ms' if cost == 'latency_ms' else 'MB'}"
