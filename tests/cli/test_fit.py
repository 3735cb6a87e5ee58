import io
from pathlib import Path

import pytest
from ramp_run import train_ramp
from rich.console import Console
from safetensors.torch import load_file

from lit_cnn.cli.fit import report
from lit_cnn.cli.main import main
from lit_cnn.training.callbacks.checkpoints import Checkpoints


def test_help_fits_on_a_screen_and_names_what_is_ours(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 24
    assert all(word in text for word in ("--resume", "--keys", "--config", "exit codes", "config show"))


def test_keys_below_a_prefix_have_default_and_meaning(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--keys", "data.mixup"]) == 0
    text = capsys.readouterr().out
    assert "data.mixup.alpha" in text
    assert "1.0" in text
    assert "data.cutmix" not in text


def test_an_unknown_prefix_suggests_the_nearest(capsys: pytest.CaptureFixture) -> None:
    assert main(["fit", "--keys", "data.mixp"]) == 1
    assert "did you mean 'data.mixup'" in capsys.readouterr().err


def test_a_run_ends_with_the_weights_and_the_number_of_its_best_epoch(tmp_path: Path) -> None:
    """Of three epochs the second is the best; the ramp's weight is the number of epochs trained."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", "val/acc1", {"network": {"architecture": "ramp"}})
    trainer, _ = train_ramp(tmp_path, [checkpoints], scores=(0.3, 0.7, 0.5))
    (tmp_path / "metrics.csv").write_text("epoch,step,val/acc1\n0,0,0.3\n1,1,0.7\n2,2,0.5\n")
    printed = Console(file=io.StringIO(), width=200)
    report(printed, trainer, tmp_path, "ramp")
    assert load_file(tmp_path / "checkpoints" / "weights.safetensors")["bias"].item() == 2.0
    text = " ".join(printed.file.getvalue().split())
    assert "best: 70.00% after epoch 2" in text
    assert "results after 3 epochs" in text
    assert "50.00%" in text
