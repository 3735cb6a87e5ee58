"""Where recipes are, and what they say of themselves: plain YAML, read without Lightning."""

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # of libyaml: ten times as fast
except ImportError:  # PyYAML was built without it
    from yaml import SafeLoader  # type: ignore[assignment]

PACKAGE = Path(__file__).resolve().parent.parent
RECIPE_FOLDERS = (Path("recipes"), PACKAGE / "recipes", PACKAGE.parent / "recipes")
"""Where a recipe's name is looked up: below the working directory, in the wheel, in a checkout."""
KINDS = ("", "small", "overlays", "detection")
"""Folders below them: the papers' recipes, their CPU-size twins, second ``--config`` files, and detectors."""
SEARCHES = "search"
"""Folder of recipes with a section ``search``, which ``lit-cnn search`` runs."""


@dataclass(frozen=True)
class Measured:
    """A result that was measured with the recipe as it stands.

    Args:
        value: The recipe's metric in percent.
        machine: What it was trained on.
        date: The day, such as 2026-11-24.
    """

    value: float
    machine: str
    date: str


@dataclass(frozen=True)
class About:
    """What a recipe is and what the paper promises; training does not read it.

    Args:
        title: What is trained.
        paper: Authors, year and arXiv number.
        source: Table or section the values are from.
        metric: Metric the paper reports, and on which images.
        value: The paper's value of it in percent; null if it has none.
        epochs: The paper's epochs.
        hardware: The paper's hardware.
        deviations: Where the recipe leaves the paper, what the paper does not state, and why.
        measured: A result measured with this recipe; null until a run was made.
    """

    title: str = ""
    paper: str = ""
    source: str = ""
    metric: str = ""
    value: float | None = None
    epochs: float | None = None
    hardware: str = ""
    deviations: str = ""
    measured: Measured | None = None


def find_recipe(name: str) -> Path:
    """The file of a recipe given as a path or as a name such as ``resnet_rs`` or ``small/resnet_rs``.

    ``recipes/resnet_rs.yaml``, as headers and documents have it, is the shipped recipe where the working directory has
    no such file; ``-`` is the standard input.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    path = Path("/dev/stdin" if name == "-" else name).expanduser()
    if path.is_file() or path.is_fifo() or path.is_char_device():
        return path
    below = path.as_posix().removeprefix("recipes/")
    for folder in RECIPE_FOLDERS:
        for candidate in (folder / below, folder / f"{below}.yaml"):
            if candidate.is_file():
                return candidate
    known = [recipe_id(file) for kind in (*KINDS, SEARCHES) for file in list_recipes(kind)]
    wanted = re.sub(r"^(.*/)?recipes/", "", name).removesuffix(".yaml")
    near = difflib.get_close_matches(wanted, known, n=1) or difflib.get_close_matches(path.stem, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "`lit-cnn recipes` lists them."
    raise ValueError(f"there is no recipe {name}; {hint}")


def list_recipes(kind: str = "") -> list[Path]:
    """The files of a kind, by name; a recipe below the working directory hides the one that is shipped.

    Args:
        kind: "" for the papers' recipes, "small" for their twins, "overlays", "detection".
    """
    found: dict[str, Path] = {}
    for folder in RECIPE_FOLDERS:
        for file in (folder / kind).glob("*.yaml"):
            found.setdefault(file.stem, file)
    return [found[name] for name in sorted(found)]


def recipe_id(path: Path) -> str:
    """What ``--config`` takes for a shipped recipe: its stem, and the folder before it where it lies in one."""
    kind = path.parent.name
    return f"{kind}/{path.stem}" if kind and kind in (*KINDS, SEARCHES) else path.stem


class _Loader(SafeLoader):
    """Refuses a key that stands twice in a mapping, of which YAML would silently take the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    problem = f"the key {key.value} stands twice; put what both hold under one"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, on which each dotted key of a YAML mapping stands."""

    def walk(prefix: str, node: yaml.Node | None) -> Iterator[tuple[str, int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = f"{prefix}{key.value}"
                yield name, key.start_mark.line + 1
                yield from walk(f"{name}.", value)

    return dict(walk("", yaml.compose(text, SafeLoader)))


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in ``path``.

    Raises:
        ValueError: If it is not a YAML mapping, or a key stands twice, with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a YAML text file") from None
    return mapping_in(text, str(path))


def mapping_in(text: str, name: str) -> dict[str, Any]:
    """The mapping in a YAML text that is called ``name`` in what ``read_yaml`` raises."""
    try:
        content = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ValueError(f"{name}, line {line}: {error.problem or 'this is not YAML'}") from None
    except yaml.YAMLError:
        raise ValueError(f"{name} is not a YAML text file") from None
    if not isinstance(content, dict):
        raise ValueError(f"{name} must hold a mapping of keys such as model: and data:")
    return content


def stated_recipes(words: Sequence[str]) -> dict[Path | str, dict[str, Any]]:
    """What each ``--config`` holds, in their order: by its file, or by its number where it is the text of a pipe.

    Raises:
        ValueError: As ``read_yaml`` does.
    """
    found: dict[Path | str, dict[str, Any]] = {}
    given = [value for flag, value in itertools.pairwise(words) if flag in ("--config", "-c")]
    for number, value in enumerate(given, start=1):
        if "\n" in value:
            found[f"recipe {number}"] = mapping_in(value, f"recipe {number}")
        else:
            found[Path(value)] = read_yaml(Path(value))
    return found


def configs_of(path: Path) -> list[Path]:
    """The ``--config`` files of the command in the file's header comment: the recipe itself, or base and overlay.

    Raises:
        ValueError: If the header names no command with this file.
    """
    header = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines()[:6] if line.startswith("#"))
    files = [find_recipe(name) for name in re.findall(r"--config (\S+)", header)]
    if not files or files[-1].resolve() != path.resolve():
        raise ValueError(f"{path} must say in its header how it is run: lit-cnn fit --config …, ending in this file")
    return files


def read_recipe(path: Path) -> dict[str, Any]:
    """What ``path`` states; an overlay comes merged into the recipe that its header names."""
    merged: dict[str, Any] = {}
    for file in configs_of(path):
        merged = overlaid(merged, read_yaml(file))
    return merged


def overlaid(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``overlay``, mapping by mapping; lists are replaced."""
    result = dict(base)
    for key, value in overlay.items():
        inner = result.get(key)
        result[key] = overlaid(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result


def argument(key: str, value: Any) -> str:
    """``--key=value`` as the recipe parser reads it.

    >>> argument("model.optimizer.learning_rate", 1e-05)
    '--model.optimizer.learning_rate=1.0e-05'
    """
    return f"--{key}={value_text(value)}"


def value_text(value: Any) -> str:
    """A value as YAML on one line; a string as it is."""
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()
