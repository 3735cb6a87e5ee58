"""What a data set turned out to be, in one line for people and in built-in types for programs."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lit_cnn.data.sources.load import Source
from lit_cnn.data.sources.wording import counted, few

_CLASSES = 10
"""Classes that the line names."""
SPLITS = {"train": "training", "val": "validation", "test": "test"}
"""What people call the images of a split."""


@dataclass(frozen=True)
class DataSummary:
    """What was read, and as what.

    Args:
        source: name of the source, such as imagefolder.
        path: what was read.
        class_names: K names.
        images: split -> how many.
        validation: where the validation images come from.
        left_out: reason -> files that no split holds for it.
        notes: sentences on what else a user should know.
        evaluated: the split that is evaluated; None for all of them, or a training.
        trained_on: checkpoint -> how many of the evaluated images it was trained on; None where that is not recorded.
    """

    source: str
    path: str
    class_names: tuple[str, ...]
    images: dict[str, int]
    validation: str = "given"
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    evaluated: str | None = None
    trained_on: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, source: Source) -> "DataSummary":
        """That of a source as it is trained on."""
        parts = {"train": source.train, "val": source.val, "test": source.test}
        images = {split: len(part) for split, part in parts.items() if part is not None}
        found = source.validation, dict(source.left_out), tuple(source.notes)
        return cls(name, source.origin, tuple(source.class_names), images, *found)

    def of_split(self, split: str) -> "DataSummary":
        """That of one split, which is evaluated."""
        return replace(self, evaluated=split)

    def line(self) -> str:
        """``data: photos, 2 classes (cat, dog), 36 training and 4 validation images (given), no test split``."""
        classes = f"{len(self.class_names):,} classes ({few(list(self.class_names), _CLASSES)})"
        images = self._evaluated() if self.evaluated is not None else self._splits()
        left_out = ", ".join(f"{counted(count, 'file')}: {reason}" for reason, count in self.left_out.items())
        return f"data: {self.path}, {classes}, {images}" + (f"; left out: {left_out}" if left_out else "")

    def _splits(self) -> str:
        test = f"{self.images['test']:,} test images" if "test" in self.images else "no test split"
        train, val = self.images["train"], self.images["val"]
        return f"{train:,} training and {val:,} validation images ({self.validation}), {test}"

    def _evaluated(self) -> str:
        split = self.evaluated or ""
        kind = f"{SPLITS[split]} " if split in SPLITS else ""
        how = f" ({self.validation})" if split == "val" else ""
        return f"evaluated: {counted(self.images[split], f'{kind}image')}{how}"

    def lines(self) -> list[str]:
        """``line``, and the notes one by one."""
        return [self.line(), *self.notes]

    def as_dict(self) -> dict[str, Any]:
        """All of it, in built-in types."""
        values = asdict(self)
        values["classes"] = list(values.pop("class_names"))
        return {**values, "notes": list(self.notes)}
