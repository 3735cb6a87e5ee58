"""What a user asks a choice for, which its folder remembers."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.measuring import Condition
from lit_cnn.run_folder.atomic import write_text

WISHES = "wishes.json"
RECIPE, PAGE, RESULT = "recipe.yaml", "choice.html", "choice.json"
"""Files of a choice's folder: the recommended recipe, its page, and all that was found."""


@dataclass(frozen=True)
class Wishes:
    """What a choice is.

    Args:
        data: Folder, list or npz file of the images.
        budget: Seconds.
        pretrained: any takes published weights that are to be had; none takes those of ``weights`` only.
        weights: Checkpoints or published weights to start from as well.
        networks: Names in the catalog; empty for a list that suits the images.
        sizes: Sides of the images in pixels; empty for those that suit them.
        limits: The most that the network may cost.
        condition: Under which latency and memory are measured.
    """

    data: str
    budget: float
    pretrained: Literal["none", "any"] = "any"
    weights: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    limits: Limits = field(default_factory=Limits)
    condition: Condition = field(default_factory=Condition)

    def as_dict(self) -> dict[str, Any]:
        """Built-in types, as JSON reads them back."""
        return json.loads(json.dumps(asdict(self)))


def remember(folder: Path, wishes: Wishes) -> None:
    """Note what a folder's choice is, or see that it is the same.

    Raises:
        ValueError: If the folder holds another choice, naming what differs.
    """
    file, now = folder / WISHES, wishes.as_dict()
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(now, indent=2) + "\n")
        return
    before = _flat(json.loads(file.read_text(encoding="utf-8")))
    different = [
        f"{key} ({before.get(key)!r} -> {value!r})" for key, value in _flat(now).items() if before.get(key) != value
    ]
    if different:
        raise ValueError(
            f"the choice {folder} has begun as another one, these differ: {', '.join(different)}; choose another --out"
        )


def _flat(wishes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in wishes.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found
