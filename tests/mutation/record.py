"""What is known of a draw of mutants, kept in a file so that a stopped run goes on where it was."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from reporting import Result


@dataclass
class Record:
    """Results, and how long each test file takes.

    Args:
        path: The file.
        tree: ``digest`` of the sources and tests as they are now.
        seconds: Of each test file that passes without a mutant; 0 where all its tests are slow.
        results: By their identity.
    """

    path: Path
    tree: str
    seconds: dict[str, float] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, tree: str, *, again: bool) -> "Record":
        """What the file knows of this tree; of another one nothing, or with ``again`` its results."""
        if not path.exists():
            return cls(path, tree)
        known = json.loads(path.read_text())
        same = known["tree"] == tree
        results = {entry["identity"]: Result(**entry) for entry in known["results"]}
        return cls(path, tree, known["seconds"] if same else {}, results if same or again else {})

    def write(self) -> None:
        known = {
            "tree": self.tree,
            "seconds": self.seconds,
            "results": [asdict(each) for each in self.results.values()],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(known, indent=2))
        os.replace(partial, self.path)

    def add(self, result: Result) -> None:
        self.results[result.identity] = result
        self.write()

    def open_ones(self, identities: list[str], again: bool) -> set[str]:
        """Those without a result; with ``again`` the survivors too."""
        over = ("killed", "timeout") if again else ("killed", "timeout", "survived")
        done = {name for name, result in self.results.items() if result.verdict in over}
        return set(identities) - done


def digest(texts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(dict(sorted(texts.items()))).encode()).hexdigest()
