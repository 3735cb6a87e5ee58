"""The folder of a search: the recipe and the settings that it remembers, and the files that say what it has found."""

import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from lit_cnn.experiment.files import SEARCHES, find_recipe, lines_of, read_yaml
from lit_cnn.experiment.identity import nested
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs, typed_keys
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.search.chooser import stating
from lit_cnn.search.findings import Found, as_row, best_first
from lit_cnn.search.settings import TABLES, Settings, parse_settings, with_name
from lit_cnn.search.spaces.space import Candidate, first_network
from lit_cnn.sweeps.folder import RECIPE
from lit_cnn.sweeps.journal import JOURNAL
from lit_cnn.training.monitor import metric_text

SECTION = SEARCHES
"""The section of a search file that is not the recipe's."""
STATED = "search.yaml"
TRIALS = "trials.csv"
BEST = "best.yaml"
LATENCIES = "latency_table.json"
"""A search keeps its own copy of the latency table, by which its networks were chosen."""
CONFIG = ("--config", "-c")


@dataclass
class Parts:
    """What a search is made of.

    Args:
        settings: Its section.
        cli: The recipe of each training, with a network of the space in it.
        name: That of the first search file, for the folder.
    """

    settings: Settings
    cli: RecipeCLI
    name: str


@dataclass
class _Stated:
    """Search files, taken apart.

    Args:
        words: The recipe's arguments, with files without their search section.
        section: The last search section.
        file: The file in which it stands.
        shown: Copy without the section -> the file that a person knows.
    """

    words: list[str]
    section: Any = None
    file: Path | None = None
    shown: dict[str, str] = field(default_factory=dict)

    def plainly(self, message: str) -> str:
        """A message that names the files that a person knows."""
        for copy, known in self.shown.items():
            message = message.replace(copy, known)
        return message


def find_parts(words: Sequence[str], folder: Path | None = None) -> Parts:
    """The settings and the recipe that the words state, or those that a folder remembers.

    Args:
        words: ``--config NAME`` and ``--key value``; keys that begin with ``search.`` are those of the section.
        folder: A search's that may be there already.

    Raises:
        ValueError: If there is no search file, or something in one is wrong.
    """
    own, recipe = _sorted_words(joined(words))
    if folder is not None and (folder / STATED).is_file() and not any(_config_of(word) is not None for word in recipe):
        recipe = [f"--config={folder / STATED}", f"--config={folder / RECIPE}", *recipe]
    with tempfile.TemporaryDirectory() as made:
        stated = _taken_apart(recipe, Path(made))
        if stated.file is None:
            raise ValueError(
                "name a file with a search section, such as search/cells_cifar10_small; lit-cnn search --help says more"
            )
        try:
            settings = parse_settings(_overlaid(stated.section, own), str(stated.file))
            cli = RecipeCLI([*resolve_configs(stated.words), *_a_network(settings)])
        except ValueError as error:
            raise ValueError(stated.plainly(str(error))) from None
    settings = replace(settings, metric=settings.metric or cli.config.monitor)
    return Parts(settings, cli, stated.file.parent.name if stated.file.name == STATED else stated.file.stem)


def _taken_apart(words: Sequence[str], made: Path) -> _Stated:
    """The search section of the files after ``--config``, and the words with copies without it in ``made``."""
    stated = _Stated([])
    for word in joined(words):
        name = _config_of(word)
        if name is None:
            stated.words.append(word)
            continue
        file = find_recipe(name)
        content = read_yaml(file)
        if SECTION in content:
            stated.section, stated.file = content[SECTION], file
            if len(content) == 1:
                continue
            copy = _without_section(file, made)
            stated.shown[str(copy)] = str(file)
            file = copy
        stated.words += ["--config", str(file)]
    return stated


def joined(words: Sequence[str]) -> list[str]:
    """The words with ``--config NAME`` as one word."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in CONFIG:
            found[-1] = f"--config={word}"
        else:
            found.append(word)
    return found


def _config_of(word: str) -> str | None:
    """The name in ``--config=NAME``."""
    flag, equals, name = word.partition("=")
    return name if flag in CONFIG and equals else None


def _sorted_words(words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The keys of the search section with their values, and the words of the recipe."""
    own = {key: value for key, value in typed_keys(words) if key.startswith(f"{SECTION}.")}
    rest: list[str] = []
    skipped = False
    for word in words:
        key, equals, _ = word.removeprefix("--").partition("=")
        if word.startswith("--") and key.startswith(f"{SECTION}."):
            skipped = not equals
        elif skipped:
            skipped = False
        else:
            rest.append(word)
    return {key.removeprefix(f"{SECTION}."): value for key, value in own.items()}, rest


def _without_section(file: Path, folder: Path) -> Path:
    """A copy of a search file whose section is empty lines, so that messages name the lines of the file."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    first = lines_of(text)[SECTION]
    tops = [*sorted(number for key, number in lines_of(text).items() if "." not in key), len(lines) + 1]
    after = next(number for number in tops if number > first)
    kept = folder / file.name
    kept.write_text("\n".join([*lines[: first - 1], *[""] * (after - first), *lines[after - 1 :]]) + "\n")
    return kept


def _overlaid(section: Any, own: Mapping[str, Any]) -> Any:
    if not isinstance(section, dict):
        return section
    merged = {key: with_name(value, key) for key, value in section.items()}
    named = {f"{key}.name" if key in TABLES and isinstance(value, str) else key: value for key, value in own.items()}
    for key, value in nested({f"{SECTION}.{key}": value for key, value in named.items()}).get(SECTION, {}).items():
        inner = merged.get(key)
        if isinstance(value, dict) and isinstance(inner, dict) and value.get("name") in (None, inner.get("name")):
            merged[key] = {**inner, **value}
        else:
            merged[key] = value  # another name takes other keys
    return merged


def _a_network(settings: Settings) -> list[str]:
    """The first network of the space, so that the recipe is complete and what it states of networks is checked."""
    return stating(first_network(settings.build_space()))


def refuse_lost_storage(folder: Path, storage_url: str | None) -> None:
    """Refuse to begin a search again whose trials are in a database.

    Raises:
        ValueError: If the folder holds a search without a journal and no database is named.
    """
    if (folder / STATED).is_file() and not storage_url and not (folder / JOURNAL).is_file():
        raise ValueError(f"the search {folder} keeps its trials in a database: pass its --storage URL")


def write_parts(folder: Path, parts: Parts) -> None:
    """Let the folder remember the search."""
    write_text(folder / RECIPE, parts.cli.dump())
    stated = parts.settings.as_dict()
    if parts.settings.latency_table is not None:
        write_text(folder / LATENCIES, Path(parts.settings.latency_table).expanduser().read_text(encoding="utf-8"))
        stated["latency_table"] = str((folder / LATENCIES).resolve())
    write_text(folder / STATED, yaml.safe_dump({SECTION: stated}, sort_keys=False))


def write_results(folder: Path, parts: Parts, found: Sequence[Found]) -> None:
    """Write ``trials.csv`` and, once a training has ended well, ``best.yaml``."""
    rows = [as_row(one) for one in found]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / TRIALS, text.getvalue())
    ranked = best_first(found)
    if ranked:
        space = parts.settings.build_space()
        write_recipe(folder, folder / BEST, parts, space.candidate(space.decode(ranked[0].network)), ranked[0])


def write_recipe(
    folder: Path,
    out: Path,
    parts: Parts,
    candidate: Candidate,
    found: Found,
    *,
    base: str | None = None,
    overrides: Sequence[str] = (),
) -> None:
    """Write a recipe that trains a network that was found.

    Args:
        folder: Of the search.
        out: The file.
        parts: Those of the search.
        candidate: The network.
        found: What is known of it.
        base: A recipe by which it is trained; None for that of the search.
        overrides: Further ``--key=value``.

    Raises:
        ValueError: If the recipe does not take the network or a key.
    """
    recipe = resolve_configs(["--config", base or str(folder / RECIPE)])
    cli = RecipeCLI([*recipe, *stating(candidate), *overrides])
    measured = "" if found.accuracy is None else f", {metric_text(parts.settings.metric, found.accuracy)} in the search"
    header = (
        f"# Network {found.name} of a search over {parts.settings.space['name']} by {parts.settings.strategy['name']}: "
        f"trial {found.slot + 1} of {parts.settings.evaluations}{measured}.\n#   lit-cnn fit --config {out}\n"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, header + cli.dump())
