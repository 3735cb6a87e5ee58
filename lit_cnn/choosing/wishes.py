"""What a user asks a choice for, which its folder remembers."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lit_cnn.choosing.folds import FoldsAsked
from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.measuring import Condition
from lit_cnn.run_folder.atomic import write_text

WISHES, PLAN, MEASURED = "wishes.json", "plan.json", "measured.json"
"""Files of a choice's folder: what is asked for, what is done, and what was measured so far."""
RECIPE, PAGE, RESULT = "recipe.yaml", "choice.html", "choice.json"
"""Files of a choice's folder: the recommended recipe, its page, and all that was found."""


@dataclass(frozen=True)
class Wishes:
    """What a choice is.

    Args:
        data: Folder, list or npz file of the images.
        budget: Seconds.
        pretrained: any takes published weights that can be read or downloaded; none takes those of ``weights`` only.
        weights: Checkpoints or published weights to start from as well.
        networks: Names in the catalog; empty for a list that suits the images.
        sizes: Sides of the images in pixels; empty for those that suit them.
        limits: The most that the network may cost.
        condition: Under which latency and memory are measured.
        folds: 1 keeps the given validation images; auto cross-validates where they are few.
        images: Digest of the images, by which other ones in the same place are known.
    """

    data: str
    budget: float
    pretrained: Literal["none", "any"] = "any"
    weights: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    limits: Limits = field(default_factory=Limits)
    condition: Condition = field(default_factory=Condition)
    folds: FoldsAsked = "auto"
    images: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Built-in types, as JSON reads them back."""
        return json.loads(json.dumps(asdict(self)))


def remember(folder: Path, wishes: Wishes) -> None:
    """Note what a folder's choice is, or see that it is the same.

    Before there is a plan, as where the budget was too small, it may still become another one; what was measured stays
    where only the budget or the limits are others. To be called by one process at a time.

    Raises:
        ValueError: If the folder holds another choice, naming what differs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, now = folder / WISHES, wishes.as_dict()
    before = _flat(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else _flat(now)
    different = {key: (before.get(key), value) for key, value in _flat(now).items() if before.get(key) != value}
    if different and (folder / PLAN).is_file():
        text = ", ".join(f"{key} ({old!r} -> {new!r})" for key, (old, new) in different.items())
        raise ValueError(f"the choice {folder} has begun as another one, these differ: {text}; choose another --out")
    if any(key != "budget" and not key.startswith("limits.") for key in different):
        (folder / MEASURED).unlink(missing_ok=True)
    if different or not file.is_file():
        write_text(file, json.dumps(now, indent=2) + "\n")


def _flat(wishes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in wishes.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found
