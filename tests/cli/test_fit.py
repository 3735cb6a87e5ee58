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
