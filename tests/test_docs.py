"""README and docs: short, with links that lead somewhere, and tables that say what the catalog says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import lit_cnn
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.claims.catalog import find_claims

ROOT = Path(__file__).parents[1]
PAGES = sorted(page for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def anchors(page: Path) -> set[str]:
    """What a link into ``page`` may name after #, as GitHub derives it from the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(file), f"{target}: {file.name} has no such heading"


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in ROOT.glob("docs/*/*.md")]
    assert pages
    assert [page for page in pages if f"({page})" not in index] == []


def test_the_readme_is_for_newcomers() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


def table_rows(text: str) -> list[list[str]]:
    """The cells of the rows that begin with a network's name."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]


def test_the_readmes_networks_are_those_of_the_catalog() -> None:
    rows = table_rows((ROOT / "README.md").read_text())
    assert len(rows) == 12
    for name, year, size, params, madds, top1 in rows:
        entry = find_entry(name.strip("`"))
        paper = entry.paper
        assert (int(year), int(size)) == (entry.paper.year, entry.image_size), name
        for cell, ours, theirs, digits in (
            (params, entry.params / 1e6, paper.params_millions, 1),
            (madds, entry.madds / 1e6, paper.madds_millions, 0),
        ):
            stated = f"{ours:,.{digits}f}" + ("" if theirs is None else f" ({theirs:,g})")
            assert cell == stated, name
        assert top1 == (f"{paper.top1:.1f}" if paper.top1 else f"{paper.top5:.1f} top-5"), name


def test_commands_name_recipes_that_exist() -> None:
    found = 0
    for page in PAGES:
        for name in re.findall(
            r"--(?:config|space) ((?:(?:small|overlays|search|sweeps|detection)/)?[a-z][a-z0-9_]+)(?:\s|$)",
            page.read_text(),
        ):
            if page.name == "own_network.md" or name in ("tuned", "my_net"):
                continue
            found += 1
            assert (ROOT / "recipes" / f"{name}.yaml").is_file(), f"{page.name}: {name}"
    assert found > 20


def test_counts_are_those_of_the_catalog_and_of_the_claims() -> None:
    readme, changes = (ROOT / "README.md").read_text(), (ROOT / "CHANGELOG.md").read_text()
    networks, claims = len(lit_cnn.list_models()), find_claims([])
    assert f"{networks} architectures" in readme
    assert f"of the {networks} that `lit-cnn models` lists" in readme
    assert f"{networks} networks: from" in changes
    assert f"{len(claims)} claims of the papers" in changes
    gpu, digits = (sum(scale in claim.designs for claim in claims) for scale in ("gpu", "digits"))
    assert f"{gpu} of the claims have a design at `--scale gpu` and {digits} one at `--scale digits`" in changes


def test_the_epochs_that_pages_give_a_recipe_are_its_own() -> None:
    stated = [found for page in PAGES for found in re.findall(r"the (\d+) epochs of `([\w/]+)`", page.read_text())]
    assert stated
    for epochs, name in stated:
        recipe = yaml.safe_load((ROOT / "recipes" / f"{name}.yaml").read_text())
        assert int(epochs) == recipe["trainer"]["max_epochs"], name


def test_the_start_with_an_index_is_the_measured_one() -> None:
    folder = ROOT / "docs" / "measurements"
    measured, claimed = ((folder / f"{name}.md").read_text() for name in ("data_loading", "performance"))
    (seconds,) = re.findall(r"files in 1000 classes .* ready in ([\d.]+ s)", measured)
    assert f"in the index | flat | {seconds} |" in claimed


def test_the_measured_accuracy_of_the_short_schedule_is_its_recipes() -> None:
    about = yaml.safe_load((ROOT / "recipes" / "overlays" / "cifar10_short.yaml").read_text())["about"]
    assert f"{about['measured']['value']:.1f} %" in (ROOT / "README.md").read_text()


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands; only the recipe that it loads is given few batches."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    load = lit_cnn.Recipe.load
    few = {"trainer.limit_train_batches": 1, "trainer.limit_val_batches": 1, "trainer.precision": "32-true"}
    few["trainer.log_every_n_steps"] = 1  # or Lightning warns that an epoch has fewer

    def load_few(name: str, overrides: dict[str, Any]) -> lit_cnn.Recipe:
        return load(name, overrides={**overrides, **few, "tracking.mode": "disabled"})

    monkeypatch.setattr(lit_cnn.Recipe, "load", load_few)
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8)).save("digit.png")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["run"].epochs == 5
    assert names["run"].folder.parent == Path("runs") / "quickstart"
    assert names["network"].num_classes == 10
    assert [part.stride for part in names["backbone"].feature_info] == [8, 16, 32]
