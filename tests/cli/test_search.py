"""The command: what it refuses before anything runs, what it leaves, and a real search in all its parts."""

import csv
import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fake_search import FIT, accuracy

from lit_cnn.cli.main import main
from lit_cnn.cli.search import cost_text, make_parser, measured_text, starter
from lit_cnn.cli.search_board import Board, duration
from lit_cnn.cli.search_retrain import again
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.search.shown import open_study

FILE = """
about: {title: digits}
search:
  space: {name: blocks, widths: [[16], [16, 32]], depths: [1]}
  strategy: {name: evolution, population: 3, sample: 2}
  evaluations: 6
  lag: 1
trainer: {max_epochs: 1, accelerator: cpu, devices: 1, limit_train_batches: 3, limit_val_batches: 2}
model: {optimizer: {learning_rate: 0.05}}
data: {source: digits, image_size: 8, batch_size: 16, workers: 0, crop: {kind: pad, padding: 1}}
tracking: {mode: disabled}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(FILE)
    return tmp_path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with a finished search whose trainings are made up."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "small.yaml").write_text(FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lit_cnn.cli.search.starter", lambda *_: FIT)
        assert main(["search", "small.yaml"]) == 0
        yield folder


@pytest.fixture
def searched(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the finished search, from the working folder."""
    monkeypatch.chdir(place)
    return place / "searches" / "small"


def said(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    assert main(["search", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    assert main(["search", *map(str, arguments)]) == 1
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return text


def test_what_a_search_leaves(searched: Path) -> None:
    with (searched / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["slot"] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert all(float(row["reward"]) == accuracy(row["network"]) for row in rows)
    best = max(rows, key=lambda row: float(row["reward"]))
    recipe = RecipeCLI(resolve_configs(["--config", str(searched / "best.yaml")])).config
    assert recipe.model.options.blocks == best["network"]
    assert recipe.model.architecture == "block_network"


@pytest.mark.slow
def test_the_same_command_again_and_the_folder_alone_train_nothing_new(searched: Path, capsys) -> None:
    before = sorted(searched.glob("*/"))
    assert "trial 1" not in said(capsys, "small.yaml")
    assert "best of 6 evaluations" in said(capsys, "--search-dir", searched)
    assert sorted(searched.glob("*/")) == before


@pytest.mark.usefixtures("folder")
def test_stopped_before_the_first_result_it_shows_no_table(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lit_cnn.cli.search.run_trials", lambda *_: 2)
    assert main(["search", "small.yaml"]) == 128 + 2
    assert capsys.readouterr().out.endswith("no network has been trained yet\n")


def test_another_search_in_the_same_folder_names_the_keys(searched: Path, capsys: pytest.CaptureFixture) -> None:
    text = refusal(capsys, "small.yaml", "--search-dir", searched, "--search.seed", "1")
    assert f"the search {searched} has begun as another one, these keys differ: search.seed (0 -> 1)" in text
    assert text.endswith("; choose another --search-dir\n")


@pytest.mark.slow
def test_options_of_all_networks_stay_also_where_an_older_version_has_not_noted_them(searched: Path, capsys) -> None:
    changed = ("--search-dir", searched, "--model.options.drop_path", "0.4")
    assert "these keys differ: model.options.drop_path (None -> 0.4)" in refusal(capsys, *changed)
    study = open_study(searched, None).sweep.study
    noted = study.user_attrs["identity"]
    study.set_user_attr("identity", {key: noted[key] for key in noted if not key.startswith("model.options.")})
    assert "these keys differ: model.options.drop_path (None -> 0.4)" in refusal(capsys, *changed)
    said(capsys, "--search-dir", searched)
    assert open_study(searched, None).sweep.study.user_attrs["identity"] == noted


@pytest.mark.slow
def test_show_prints_the_front_the_best_and_its_ancestry_and_draws_them(searched: Path, capsys) -> None:
    text = said(capsys, "show", searched)
    study = open_study(searched, None)
    best = max(study.found, key=lambda one: one.reward or 0)
    assert f"best: {best.name} = {best.network}" in text
    assert "6 of 6 evaluated" in text
    assert f"{best.name} (trial {best.slot + 1}, {100 * accuracy(best.network):.2f} %)" in text
    for picture in ("curves.png", "front.png", "network.svg"):
        assert (searched / picture).stat().st_size > 1000
    assert len(json.loads(said(capsys, "show", searched, "--json"))[str(searched)]) == 6


@pytest.mark.slow
def test_export_writes_a_recipe_of_any_network_with_further_keys(searched: Path, capsys) -> None:
    worst = min(open_study(searched, None).found, key=lambda one: one.reward or 0)
    said(capsys, "export", searched, "--network", worst.name, "--out", "full.yaml", "--trainer.max_epochs=9")
    recipe = yaml.safe_load(Path("full.yaml").read_text())
    assert recipe["model"]["options"]["blocks"] == worst.network
    assert recipe["trainer"]["max_epochs"] == 9
    assert "search" not in recipe
    assert "did you mean" in refusal(capsys, "export", searched, "--network", worst.name[:5] + "?")


@pytest.mark.slow
def test_retrain_compares_the_winner_with_random_networks(searched: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, "retrain", searched, "--random", "2", "--seeds", "2", "--json")
    rows = json.loads(text)
    assert sorted(row["chosen"] for row in rows) == ["1 of the search", "random", "random"]
    assert all((row["n"], row["seeds"]) == (2, [1, 2]) for row in rows)
    assert [row["mean"] for row in rows] == sorted((row["mean"] for row in rows), reverse=True)
    text = said(capsys, "retrain", searched, "--random", "2", "--seeds", "2", "--markdown")
    assert "trained with seeds 1 to 2, after those of the search" in text
    assert "no interval without two random networks" in text
    assert "no network of the space blocks was published" in refusal(capsys, "retrain", searched, "--published")
    recipe = searched / "small_retrained" / "recipe.yaml"
    before = recipe.read_text()
    text = refusal(capsys, "retrain", searched, "--random", "2", "--model.options.drop_path", "0.4")
    assert "these keys differ: model.options.drop_path (None -> 0.4)" in text
    assert recipe.read_text() == before
    assert "has begun to train random 2 as well" in refusal(capsys, "retrain", searched, "--random", "1")


def test_retrain_names_the_command_that_goes_on_with_the_same_networks() -> None:
    words = ["retrain", "my search", "--winners", "2", "--random", "5", "--seeds", "4", "--recipe", "quickstart"]
    options, rest = make_parser().parse_known_args([*words, "--published", "--trainer.max_epochs", "9"])
    command = shlex.split(again(options, rest))
    assert command[:2] == ["lit-cnn", "search"]
    assert make_parser().parse_known_args(command[2:]) == (options, rest)


@pytest.mark.parametrize(("devices", "in_this_process"), [(1, True), (2, False)])
def test_trainings_on_several_devices_have_processes_of_their_own(devices: int, in_this_process: bool) -> None:
    keys = ["--trainer.accelerator=cpu", f"--trainer.devices={devices}"]
    fit = starter(RecipeCLI([*resolve_configs(["--config", "quickstart"]), *keys]), Path("recipe.yaml"))
    assert (fit.main is not None) is in_this_process


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a file with a search section"),
        (["quickstart"], "name a file with a search section"),
        (["small.yml"], "there is no recipe small.yml"),
        (["small.yaml", "--search.strategy", "evoluton"], "did you mean 'evolution'?"),
        (["small.yaml", "--trainer.max_epoch", "3"], "did you mean 'trainer.max_epochs'?"),
        (["small.yaml", "--search.limits.latency_ms", "3"], "latency table"),
        (["small.yaml", "--search.latency_table", "none.json"], "none.json"),
        (["show", "nowhere"], "nowhere holds no search"),
        (["export", "."], "holds no search"),
        (["retrain", "small.yaml"], "holds no search"),
    ],
)
def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture, words: list[str], message: str) -> None:
    text = refusal(capsys, *words)
    assert message in text
    assert text.count("\n") == 1


def test_the_parts_have_helps_of_their_own() -> None:
    parser = make_parser()
    assert list(parser.parts) == ["run", "show", "retrain", "export"]
    assert "--search-dir" in parser.parts["run"].format_help()


def test_figures_are_printed_in_the_units_of_their_columns() -> None:
    assert [cost_text("params", 1.5e6), cost_text("latency_ms", 2.5)] == ["1.5", "2.5"]
    assert [measured_text("val/acc1", 0.5), measured_text("val/loss", None)] == ["50.00 %", "–"]
    assert [duration(40), duration(600), duration(7500)] == ["40 s", "10 min", "2 h 05 min"]


@pytest.mark.slow
def test_the_board_shows_the_best_networks_the_pace_and_the_time_left(searched: Path) -> None:
    from rich.console import Console

    board = Board(open_study(searched, None).sweep)
    board.ended_before = 3
    board.hear("trial 6 of 6: done")
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(board.drawn())
    text = console.export_text()
    best = max(open_study(searched, None).found, key=lambda one: one.reward or 0)
    assert best.name in text
    assert "6 of 6 evaluated" in text
    assert "left" in text
    assert "trial 6 of 6: done" in text


@pytest.mark.slow
def test_a_real_search_its_winner_trained_again_and_exported(folder: Path, capsys: pytest.CaptureFixture) -> None:
    text = said(capsys, "small.yaml", "--search.evaluations", "4")
    assert "trial 4 of 4: val/acc1" in text
    place = folder / "searches" / "small"
    assert "against random" in said(capsys, "retrain", place, "--random", "2", "--seeds", "2")
    said(capsys, "export", place)
    assert main(["fit", str(place / "best.yaml")]) == 0
