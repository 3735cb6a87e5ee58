"""The command: what it refuses before anything runs, what it leaves, and a real sweep killed and continued."""

import csv
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from lit_cnn.cli.main import main
from lit_cnn.cli.sweep import short_names
from lit_cnn.experiment.files import find_recipe
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.sweeps.trials import Fit

BASE = """
about: {title: digits}
trainer: {max_epochs: 4, accelerator: cpu, devices: 1, limit_train_batches: 3, limit_val_batches: 2}
model: {architecture: cifar_resnet20, optimizer: {learning_rate: 0.05}}
data: {source: digits, image_size: 8, batch_size: 16, workers: 0, crop: {kind: pad, padding: 1}}
tracking: {mode: disabled}
"""
SPACE = "keys: {data.rand_augment.layers: {choices: [1, 2]}}\n"
FAKE_FIT = """
import os, pathlib, sys
run = pathlib.Path(os.environ["LIT_CNN_RUN_DIR"])
layers = int(next(part for part in sys.argv if "layers" in part).split("=")[1])
(run / "arguments").write_text(" ".join(sys.argv[1:]))
(run / "metrics.csv").write_text(f"epoch,step,val/acc1\\n0,1,{layers / 10}\\n")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "fake.py").write_text(FAKE_FIT)
    monkeypatch.setattr(
        "lit_cnn.sweeps.folder.Fit", lambda recipe, rest: Fit(recipe, rest, (sys.executable, "-S", "fake.py"))
    )
    return tmp_path


COMMAND = ["sweep", "--config", "base.yaml", "--space", "space.yaml", "--sweep-dir", "sweeps/s"]
PROCESSES = [*COMMAND, "--process-per-trial"]


def refusal(capsys: pytest.CaptureFixture, arguments: list[str]) -> str:
    assert main(arguments) == 1
    return capsys.readouterr().err


def test_what_a_sweep_leaves(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main([*PROCESSES, "--model.optimizer.learning_rate", "0.3"]) == 0
    text = capsys.readouterr().out
    assert "trial 2 of 2: val/acc1 20.00 %" in text
    sweep = folder / "sweeps" / "s"
    with (sweep / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["trial"], row["value"], row["data.rand_augment.layers"]) for row in rows] == [
        ("2", "0.2", "2"),
        ("1", "0.1", "1"),
    ]
    assert (sweep / "heatmap.png").stat().st_size > 1000
    best = RecipeCLI(resolve_configs(["--config", str(sweep / "best.yaml")])).config
    assert (best.data.rand_augment.layers, best.model.optimizer.learning_rate) == (2, 0.3)
    assert best.tracking.group is None
    header = (sweep / "best.yaml").read_text().splitlines()
    assert header[0].startswith("# Trial 2 of the sweep s: val/acc1 20.00 % of its best epoch, the best of 2")
    arguments = (Path(rows[0]["run"]) / "arguments").read_text()
    assert arguments.startswith(f"--config {sweep / 'recipe.yaml'} --trainer.enable_progress_bar=false")
    assert "--tracking.group=s" in arguments


@pytest.mark.slow
def test_a_sweep_is_continued_and_reported_from_its_folder_alone(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(PROCESSES) == 0
    before = sorted((folder / "sweeps" / "s").glob("*/"))
    capsys.readouterr()
    assert main(["sweep", "--sweep-dir", "sweeps/s"]) == 0
    assert "trial 1" not in capsys.readouterr().out
    assert main(["sweep", "--sweep-dir", "sweeps/s", "--report", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["trial"], row["value"], row["state"]) for row in rows] == [(2, 0.2, "complete"), (1, 0.1, "complete")]
    assert rows[0]["params"] == {"data.rand_augment.layers": 2}
    assert sorted((folder / "sweeps" / "s").glob("*/")) == before


MISTAKES = {
    "unknown recipe key": (
        "keys: {data.rand_augment.layer: {choices: [1]}}",
        "did you mean 'data.rand_augment.layers'",
    ),
    "a value of another type": (
        "keys: {data.batch_size: {choices: [1, lots]}}",
        "does not take data.batch_size = 'lots'",
    ),
    "a value out of range": ("keys: {data.rand_augment.layers: {low: -1, high: 2}}", "data.rand_augment.layers is -1"),
    "unknown space key": ("key: {}", "the space has no key 'key'; did you mean 'keys'?"),
    "YAML syntax": ("keys: [1\nx: 2", "space.yaml, line"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_space_is_refused_before_anything_runs(folder: Path, capsys: pytest.CaptureFixture, name: str) -> None:
    text, message = MISTAKES[name]
    (folder / "space.yaml").write_text(text)
    assert message in refusal(capsys, COMMAND)
    assert not (folder / "sweeps").exists()


@pytest.mark.slow
def test_all_trials_have_the_precision_of_the_machine_that_began(folder: Path, machine: Any, capsys) -> None:
    machine(("avx512_bf16",))
    assert main(PROCESSES) == 0
    assert "precision: bf16-mixed, because" in capsys.readouterr().out
    machine(("avx2",))  # the sweep goes on elsewhere, where auto would be another
    for command in (COMMAND, [*COMMAND[:1], *COMMAND[5:]]):  # with the recipe again, and from the folder alone
        assert main(command) == 0
        out = capsys.readouterr().out
        assert "precision: bf16-mixed, as the" in out
        assert "times as long as in float32" in out
    assert yaml.safe_load((folder / "sweeps/s/recipe.yaml").read_text())["trainer"]["precision"] == "bf16-mixed"
    assert yaml.safe_load((folder / "sweeps/s/best.yaml").read_text())["trainer"]["precision"] == "bf16-mixed"
    error = refusal(capsys, [*COMMAND, "--trainer.precision=32-true"])
    assert "has begun with trainer.precision bf16-mixed, not 32-true" in error


@pytest.mark.usefixtures("folder")
def test_a_wrong_command_line_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert "holds no sweep to continue" in refusal(capsys, ["sweep", "--sweep-dir", "sweeps/s"])
    assert "there is no space file nowhere" in refusal(capsys, [*COMMAND, "--space", "nowhere"])
    both = [*COMMAND, "--data.rand_augment.layers=1"]
    assert "is in the space and on the command line" in refusal(capsys, both)
    assert "did you mean 'data.batch_size'" in refusal(capsys, [*COMMAND, "--data.batchsize=1"])
    assert "a grid tries every combination" in refusal(capsys, [*COMMAND, "--trials", "3"])


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_without_optuna_the_extra_is_named(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "lit_cnn.sweeps.engine", raising=False)
    assert "pip install 'lit-cnn[search]'" in refusal(capsys, COMMAND)


@pytest.mark.slow
def test_the_wandb_sweep_starts_a_recipe_our_parser_takes() -> None:
    """The command is built by W&B's own agent code, for values drawn from each parameter's range or list."""
    utils = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    sweep = yaml.safe_load(find_recipe("sweeps/wandb_sweep").read_text())
    assert sweep["metric"] == {"name": "val/acc1", "goal": "maximize"}
    assert sweep["metric"]["name"] == RecipeCLI(["--config", str(find_recipe("cifar10_resnet20"))]).config.monitor
    draw = random.Random(0)
    values = {
        name: draw.choice(stated["values"]) if "values" in stated else draw.uniform(stated["min"], stated["max"])
        for name, stated in sweep["parameters"].items()
    }
    macros = utils.create_sweep_command_args({"args": {name: {"value": value} for name, value in values.items()}})
    macros |= {"env": ["/usr/bin/env"], "program": [sweep["program"]]}
    command: list[str] = []
    for part in utils.create_sweep_command(list(sweep["command"])):
        command += macros[part[2:-1]] if part.startswith("${") else [part]
    assert command[:3] == ["/usr/bin/env", "lit-cnn", "fit"]
    config = RecipeCLI(resolve_configs(command[3:])).config
    assert config.model.optimizer.learning_rate == values["model.optimizer.learning_rate"]
    assert config.data.rand_augment.layers == values["data.rand_augment.layers"]
    assert config.tracking.mode == "online"


@pytest.mark.slow
def test_a_killed_sweep_of_real_fits_is_continued_from_its_checkpoint(tmp_path: Path) -> None:
    """SIGKILL of the sweep once its first trial has a checkpoint; the grid ends complete."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "space.yaml").write_text(SPACE)
    program = [sys.executable, "-m", "lit_cnn"]
    sweep = subprocess.Popen([*program, *COMMAND], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    runs = tmp_path / "sweeps" / "s"
    while not (saved := list(runs.glob("*/checkpoints/last.ckpt"))):
        time.sleep(0.02)
        assert sweep.poll() is None
    sweep.kill()
    sweep.wait()
    done = subprocess.run(
        [*program, "sweep", "--sweep-dir", "sweeps/s"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "trial 1 of 2 continues" in done.stdout
    assert "trial 2 of 2 continues" not in done.stdout
    with (runs / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted((row["trial"], row["state"]) for row in rows) == [("1", "complete"), ("2", "complete")]
    continued = saved[0].parents[1]
    assert "continuing" in (continued / "fit.log").read_text()
    epochs = [line.split(",")[0] for line in (continued / "metrics.csv").read_text().splitlines()[1:]]
    assert sorted(set(epochs)) == ["0", "1", "2", "3"]
    assert len(list(runs.glob("*/metrics.csv"))) == 2


def test_keys_are_headed_by_as_few_of_their_parts_as_tell_them_apart() -> None:
    keys = ["model.optimizer.learning_rate", "data.mixup.alpha", "data.cutmix.alpha", "alpha"]
    assert short_names(keys) == ["learning_rate", "mixup.alpha", "cutmix.alpha", "alpha"]
    assert short_names(["a.b", "b.b"]) == ["a.b", "b.b"]


HALVED = """
keys: {model.optimizer.learning_rate: {choices: [0.05, 0.1, 0.2]}}
pruner: {kind: successive_halving, min_epochs: 2, factor: 3}
"""


@pytest.mark.slow
def test_a_signal_saves_the_trial_and_a_pruned_sweep_goes_on_as_if_there_had_been_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "space.yaml").write_text(HALVED)
    program = [sys.executable, "-m", "lit_cnn", *COMMAND]
    sweep = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    runs = tmp_path / "sweeps" / "s"
    while not list(runs.glob("*/checkpoints/last.ckpt")):
        time.sleep(0.02)
        assert sweep.poll() is None
    sweep.send_signal(signal.SIGTERM)
    said = sweep.communicate()[0]
    assert sweep.returncode == 143
    assert "is stopped" in said
    assert "stopped. Continue with: lit-cnn sweep --sweep-dir sweeps/s" in said
    assert main(["sweep", "--sweep-dir", "sweeps/s"]) == 0
    with (runs / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["state"], row["trained"]) for row in rows] == [("complete", "4"), ("pruned", "2"), ("pruned", "2")]
    assert len(list(runs.glob("*/metrics.csv"))) == 3
    winner = [f"--{name}={rows[0][name]}" for name in rows[0] if name.startswith("model.")]
    alone = ["fit", "--config", "base.yaml", *winner, "--trainer.enable_progress_bar=false"]
    assert main(alone) == 0
    (whole,) = tmp_path.glob("runs/*/*/metrics.csv")
    assert whole.read_bytes() == (Path(rows[0]["run"]) / "metrics.csv").read_bytes()
