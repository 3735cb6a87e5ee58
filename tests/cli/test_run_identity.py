import pytest

from lit_cnn.cli.main import main
from lit_cnn.cli.run_identity import check_identity, describe_changes


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


def test_only_keys_that_say_what_a_run_is_forbid_to_continue_it() -> None:
    stored = {"data": {"workers": 2, "batch_size": 64}, "trainer": {"devices": 1, "max_epochs": 3}}
    elsewhere = {"data": {"workers": 0, "batch_size": 64}, "trainer": {"devices": 2, "max_epochs": 3}}
    check_identity(stored, elsewhere)
    assert describe_changes(stored, elsewhere) == "data.workers (2 -> 0), trainer.devices (1 -> 2)"
    assert describe_changes(stored, stored) == ""
    other = {"data": {"workers": 2, "batch_size": 32}, "trainer": {"devices": 1, "max_epochs": 4}}
    with pytest.raises(ValueError, match=r"differ: data.batch_size \(64 -> 32\), trainer.max_epochs \(3 -> 4\);"):
        check_identity(stored, other)


def test_what_only_concerns_the_machine_may_change_at_a_resume() -> None:
    stored = {
        "model": {"channels_last": True, "compile": False, "optimizer": {"kernel": "auto", "momentum": 0.9}},
        "trainer": {"precision": "32-true"},
        "machine": {"threads": None},
    }
    elsewhere = {
        "model": {"channels_last": False, "compile": True, "optimizer": {"kernel": "fused", "momentum": 0.9}},
        "trainer": {"precision": "bf16-mixed"},
        "machine": {"threads": 2},
    }
    check_identity(stored, elsewhere)
    changes = describe_changes(stored, elsewhere)
    for part in ("model.compile (False -> True)", "model.optimizer.kernel ('auto' -> 'fused')", "machine.threads"):
        assert part in changes
