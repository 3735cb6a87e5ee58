"""The precision in which a checkpoint is validated."""

from types import SimpleNamespace
from typing import Any

import pytest

from lit_cnn.cli.evaluate import run_precision


def trained_in(precision: str | None) -> Any:
    return SimpleNamespace(recipe={"trainer": {"precision": precision}})


def test_a_checkpoint_is_validated_in_its_runs_precision(machine: Any, capsys: pytest.CaptureFixture) -> None:
    machine(("avx512_bf16",))
    for precision in ("bf16-mixed", "32-true", None):
        assert run_precision(trained_in(precision)) == precision
    assert capsys.readouterr().err == ""


def test_where_that_would_be_emulated_it_is_validated_in_float32_and_told(
    machine: Any, capsys: pytest.CaptureFixture
) -> None:
    machine(("avx2",))
    assert run_precision(trained_in("bf16-mixed")) == "32-true"
    shown = capsys.readouterr()
    assert shown.out == ""  # --json stays JSON
    assert "precision: 32-true, because this CPU has no instructions for the run's bf16-mixed" in shown.err
