from pathlib import Path

import pytest

from lit_cnn.cli.main import main


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


@pytest.mark.parametrize(("accumulated", "batch"), [(1, 1438), (4, 1436)])
def test_fast_dev_run_shrinks_the_batch_to_the_training_set(
    accumulated: int, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    once = ["--trainer.fast_dev_run", "true", "--trainer.accumulate_grad_batches", str(accumulated)]
    quiet = ["--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", "--config", "quickstart", "--data.batch_size", "4096", *once, *quiet]) == 0
    out = capsys.readouterr().out
    assert f"fast_dev_run: data.batch_size is {batch} instead of 4096, to fit the training set" in out
    assert "fast_dev_run finished" in out
    assert not list(tmp_path.iterdir())
