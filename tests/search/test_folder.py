"""A search file is a recipe with a section; the folder of a search remembers both."""

from pathlib import Path

import pytest
import yaml
from one_in import one_in

from lit_cnn.search.findings import Found
from lit_cnn.search.folder import BEST, STATED, TRIALS, find_parts, joined, write_parts, write_results

FILE = """\
about: {title: A search}
search:
  space: {name: blocks}
  strategy: {name: evolution, population: 4}
  evaluations: 6
trainer: {max_epochs: 2}
data: {source: digits, image_size: 16}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    return path


def test_the_section_is_taken_out_of_the_recipe(file: Path) -> None:
    parts = find_parts(["--config", str(file), "--trainer.max_epochs", "3"])
    assert parts.name == "mine"
    assert parts.settings.evaluations == 6
    assert parts.settings.metric == "val/acc1"
    assert parts.cli.config.trainer.max_epochs == 3
    assert parts.cli.config.model.architecture == "block_network"


@pytest.mark.slow
def test_keys_of_the_section_are_overridden_and_another_name_takes_other_keys(file: Path) -> None:
    config = ["--config", str(file)]
    same = find_parts([*config, "--search.strategy.sample", "2", "--search.evaluations=9"]).settings
    assert same.strategy == {"name": "evolution", "population": 4, "sample": 2}
    assert same.evaluations == 9
    other = find_parts([*config, "--search.strategy.name", "random"]).settings
    assert other.strategy == {"name": "random"}
    short = find_parts([*config, "--search.strategy=local_search"]).settings
    assert short.strategy == {"name": "local_search"}


@pytest.mark.parametrize("stated", one_in(2, ["strategy: evolution", "strategy: {}", "lag: 1"]))
def test_keys_of_a_part_go_with_its_short_name_or_the_default(file: Path, stated: str) -> None:
    file.write_text(FILE.replace("strategy: {name: evolution, population: 4}", stated))
    config = ["--config", str(file), "--search.strategy.population", "5"]
    assert find_parts(config).settings.strategy == {"name": "evolution", "population": 5}
    both = find_parts([*config, "--search.strategy", "evolution", "--search.strategy.sample", "2"])
    assert both.settings.strategy == {"name": "evolution", "population": 5, "sample": 2}


ONE_NETWORK = {"widths": "[16]", "depths": "1", "kinds": "plain"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--search.objective.target", "5"], "search.objective.target"),
        ([f"--search.space.{key}=[{one}]" for key, one in ONE_NETWORK.items()], "is one network alone"),
        (["--search.space.widths", "[]"], "search.space has no stage"),
        (["--search.space.widths", "[[], [16]]"], "stage 1 of search.space has no width to choose from"),
        (["--search.space.kinds", "[]"], "stage 1 of search.space has no kind to choose from"),
    ],
)
def test_what_leaves_nothing_to_choose_is_one_sentence(file: Path, words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=r"mine\.yaml: ") as error:
        find_parts(["--config", str(file), *words])
    assert said in str(error.value)


def test_a_later_file_changes_the_recipe(file: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "long.yaml"
    overlay.write_text("trainer: {max_epochs: 9}\n")
    parts = find_parts([f"--config={file}", "--config", str(overlay)])
    assert parts.cli.config.trainer.max_epochs == 9
    assert parts.settings.evaluations == 6


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("max_epochs: 2", "max_epoch: 2", "line 6: "),
        ("population: 4", "popluation: 4", "did you mean 'search.strategy.population'?"),
        ("image_size: 16", "image_size: huge", "data.image_size"),
    ],
)
def test_mistakes_name_the_file_that_a_person_knows(file: Path, before: str, after: str, said: str) -> None:
    file.write_text(FILE.replace(before, after))
    with pytest.raises(ValueError, match=r"mine\.yaml") as error:
        find_parts(["--config", str(file)])
    assert said in str(error.value)
    assert str(file) in str(error.value) or said == "data.image_size"


def test_a_recipe_without_a_section_is_no_search() -> None:
    with pytest.raises(ValueError, match="name a file with a search section"):
        find_parts(["--config", "quickstart"])
    with pytest.raises(ValueError, match="name a file with a search section"):
        find_parts([])


@pytest.mark.slow
def test_a_folder_remembers_its_search(file: Path, tmp_path: Path) -> None:
    parts = find_parts(["--config", str(file), "--trainer.max_epochs", "3"])
    folder = tmp_path / "s"
    folder.mkdir()
    write_parts(folder, parts)
    again = find_parts([], folder)
    assert again.settings == parts.settings
    assert again.cli.config.trainer.max_epochs == 3
    assert again.name == "s"
    assert list(yaml.safe_load((folder / STATED).read_text())) == ["search"]


@pytest.mark.slow
def test_results_are_a_table_and_the_recipe_of_the_best(file: Path, tmp_path: Path) -> None:
    parts = find_parts(["--config", str(file)])
    folder = tmp_path / "s"
    folder.mkdir()
    write_parts(folder, parts)
    space = parts.settings.build_space()
    first, second = (space.encode(tuple(option for _ in space.decisions)) for option in (0, 1))
    costs = {"params": 1000, "madds": 5000}
    found = [
        Found(0, first, 0.5, 0.5, costs, 0, 1.0, "complete", "run0"),
        Found(1, second, 0.75, 0.75, costs, 2, 1.0, "complete", "run1"),
        Found(2, first, None, None, costs, 0, None, "running", "run2"),
    ]
    write_results(folder, parts, found)
    lines = (folder / TRIALS).read_text().splitlines()
    assert lines[0] == "slot,name,reward,accuracy,params,madds,rejected,seconds,state,network,run"
    assert len(lines) == 4
    best = (folder / BEST).read_text()
    assert "trial 2 of 6, 75.00 % in the search" in best
    assert yaml.safe_load(best)["model"]["options"]["blocks"] == second


def test_config_and_its_name_are_one_word() -> None:
    assert joined(["-c", "a", "--x", "1", "--config=b"]) == ["--config=a", "--x", "1", "--config=b"]
