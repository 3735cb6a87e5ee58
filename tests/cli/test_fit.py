import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from ramp_run import train_ramp
from rich.console import Console
from safetensors.torch import load_file

from lit_cnn.cli.fit import parse, print_results
from lit_cnn.cli.main import main
from lit_cnn.experiment.fit import finished_run
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.training.callbacks.checkpoints import Checkpoints


def test_help_fits_on_a_screen_and_names_what_is_ours(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 40
    assert all(word in text for word in ("--resume", "--keys", "--config", "exit codes", "config show"))


def test_a_recipe_may_stand_alone_and_the_common_keys_have_short_names() -> None:
    known, rest = parse(["quickstart", "--epochs", "2", "--config", "mine.yaml", "--lr=0.1", "--data.workers", "1"])
    assert rest == [
        *("--config", "quickstart", "--config", "mine.yaml", "--trainer.max_epochs=2"),
        *("--model.optimizer.learning_rate=0.1", "--data.workers", "1"),
    ]
    assert known.runs == "runs"


@pytest.mark.parametrize("short", [["--epochs", "3"], ["--epochs=3"]])
def test_the_last_value_of_a_key_counts_whatever_it_is_called(short: list[str]) -> None:
    for given, last in ((["--trainer.max_epochs", "2", *short], 3), ([*short, "--trainer.max_epochs", "2"], 2)):
        _, rest = parse(["quickstart", *given])
        assert RecipeCLI(resolve_configs(rest)).config["trainer"]["max_epochs"] == last


@pytest.mark.parametrize("words", [["--epochs"], ["--epochs", "--lr", "0.1"]])
def test_a_short_option_needs_a_value(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse(["quickstart", *words])
    assert stop.value.code == 2
    assert "argument --epochs: expected one argument" in capsys.readouterr().err


def test_keys_are_found_by_a_word_of_their_name_or_meaning(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--keys", "smoothing"]) == 0
    assert "model.loss.label_smoothing" in capsys.readouterr().out


def test_help_imports_neither_torch_nor_lightning() -> None:
    code = "import sys; from lit_cnn.cli.fit import make_parser; make_parser(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_keys_below_a_prefix_have_default_and_meaning(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--keys", "data.mixup"]) == 0
    text = capsys.readouterr().out
    assert "data.mixup.alpha" in text
    assert "1.0" in text
    assert "data.cutmix" not in text


def test_an_unknown_prefix_suggests_the_nearest(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--keys", "data.mixp"]) == 1
    assert "did you mean 'data.mixup'" in capsys.readouterr().err


QUICK = ["--runs=r", "--trainer.max_epochs=1", "--trainer.limit_train_batches=1", "--trainer.limit_val_batches=1"]
QUIET = ["--tracking.mode=disabled", "--trainer.enable_progress_bar=false", "--model.schedule.warmup_epochs=0"]


@pytest.mark.slow
def test_16_bit_images_that_become_black_are_warned_of(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / "xrays" / name).mkdir(parents=True)
        for row in range(8):
            pixels = np.full((8, 8), 900 * number + row, dtype=np.uint16)
            Image.fromarray(pixels).save(tmp_path / "xrays" / name / f"{row}.png")
    data = ["--data.source=imagefolder", "--data.path=xrays", "--data.batch_size=4"]
    command = ["fit", "--config", "quickstart", "--trainer.fast_dev_run=true", *data, *QUIET]
    assert main(command) == 0
    said = "warning: the 16-bit images of xrays use levels up to 907 of 65535 and become nearly black: set data.levels"
    assert f"{said} to [0, 1023]\n" in capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert main([*command, "--data.levels=[0,1023]"]) == 0
    assert "warning: the 16-bit" not in capsys.readouterr().out


def stored_precision(run: Path) -> str:
    return yaml.safe_load((run / "config.yaml").read_text())["trainer"]["precision"]


@pytest.mark.slow
def test_a_run_says_and_keeps_the_precision_that_auto_meant(tmp_path: Path, machine: Any, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    machine(("avx512_bf16",))
    assert main(["fit", "--config", "quickstart", *QUICK, *QUIET]) == 0
    assert "precision: bf16-mixed, because this CPU has bfloat16 instructions\n" in capsys.readouterr().out
    (run,) = (tmp_path / "r").glob("*/*")
    assert stored_precision(run) == "bf16-mixed"
    machine(("avx2",))  # the run is continued on another machine
    assert main(["fit", "--resume", "last", "--runs=r"]) == 0
    shown = capsys.readouterr()
    assert "precision: bf16-mixed, as the run states" in shown.out
    assert "trainer.precision bf16-mixed is computed in software" in shown.err
    assert stored_precision(run) == "bf16-mixed"


@pytest.mark.slow
def test_without_bfloat16_instructions_a_run_is_in_float32(tmp_path: Path, machine: Any, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    machine(("avx2",))
    assert main(["fit", "--config", "quickstart", "--trainer.fast_dev_run=true", *QUIET]) == 0
    shown = capsys.readouterr()
    assert "precision: 32-true, because this CPU has no bfloat16 instructions (AVX-512 BF16 or AMX)\n" in shown.out
    assert "software" not in shown.err


@pytest.mark.parametrize(("accumulated", "batch"), [(1, 8), (3, 6)])
def test_fast_dev_run_takes_a_few_images(
    accumulated: int, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    once = ["--trainer.fast_dev_run", "true", "--trainer.accumulate_grad_batches", str(accumulated)]
    quiet = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", "--config", "quickstart", "--data.batch_size", "4096", *once, *quiet]) == 0
    out = capsys.readouterr().out
    assert f"data.batch_size is {batch} instead of 4096, for fast_dev_run" in out
    assert "fast_dev_run finished" in out
    assert not list(tmp_path.iterdir())


def test_a_run_ends_with_the_weights_and_the_number_of_its_best_epoch(tmp_path: Path) -> None:
    """Of three epochs the second is the best; the ramp's weight is the number of epochs trained."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", "val/acc1", {"network": {"architecture": "ramp"}})
    trainer, _ = train_ramp(tmp_path, [checkpoints], scores=(0.3, 0.7, 0.5))
    (tmp_path / "metrics.csv").write_text("epoch,step,val/acc1\n0,0,0.3\n1,1,0.7\n2,2,0.5\n")
    printed = Console(file=io.StringIO(), width=200)
    print_results(printed, finished_run(trainer, tmp_path, "ramp", "val/acc1"))
    assert load_file(tmp_path / "checkpoints" / "weights.safetensors")["bias"].item() == 2.0
    text = " ".join(printed.file.getvalue().split())
    assert "best: val/acc1 70.00 % after epoch 2" in text
    assert "results after 3 epochs" in text
    short, run = Console(file=io.StringIO(), width=200), finished_run(trainer, tmp_path, "ramp", "val/acc1")
    print_results(short, replace(run, epochs=1))
    assert "results after 1 epoch " in " ".join(short.file.getvalue().split())
    assert "50.00 %" in text


def keys(capsys: pytest.CaptureFixture[str], text: str) -> list[dict[str, str]]:
    assert main(["fit", "--keys", text, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_keys_are_searched_inside_names_short_options_and_meanings(capsys: pytest.CaptureFixture[str]) -> None:
    assert [key["name"] for key in keys(capsys, "lr")] == ["model.optimizer.learning_rate"]
    assert all(key["name"].startswith("model.optimizer.") for key in keys(capsys, "model.optimizer"))
    assert "data.mixup.alpha" in [key["name"] for key in keys(capsys, "alpha")]
    assert "model.optimizer.epsilon" in [key["name"] for key in keys(capsys, "rmsprop")]


def test_meanings_of_keys_are_one_line_without_marks_of_code(capsys: pytest.CaptureFixture[str]) -> None:
    meanings = [key["meaning"] for key in keys(capsys, "")]
    assert len(meanings) > 100
    assert not [text for text in meanings if "``" in text or "\n" in text or ":class:" in text or "  " in text]


def test_the_forms_of_keys_are_refused_without_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "quickstart", "--markdown"]) == 1
    assert "--markdown is a form of --keys PREFIX" in capsys.readouterr().err


def test_a_word_of_other_programs_finds_the_key_that_it_means(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--keys", "lr"]) == 0
    text = capsys.readouterr().out
    assert "model.optimizer.learning_rate" in text
    assert "trainer.use_distributed_sampler" not in text


def test_meanings_are_plain_text() -> None:
    from lit_cnn.experiment.jsonargparse_internals import described_keys
    from lit_cnn.experiment.parser import recipe_parser

    for key in described_keys(recipe_parser()):
        assert not set("`\n") & set(key.meaning), key.name


def test_overlays_may_follow_the_recipe() -> None:
    _, rest = parse(["resnet_rs", "overlays/resnet_rs_101_160", "--seed", "1"])
    assert rest == [
        *("--config", "resnet_rs", "--config", "overlays/resnet_rs_101_160", "--seed_everything=1"),
    ]


def test_a_recipe_that_does_not_exist_is_refused_with_the_nearest(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "quickstrat", "--epochs", "1"]) == 1
    assert capsys.readouterr().err == "lit-cnn: there is no recipe quickstrat; did you mean quickstart?\n"
