import pytest
import torch

from lit_cnn.training.machine import MachineSettings


def test_threads_are_set_and_null_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    MachineSettings().apply()
    assert chosen == []
    MachineSettings(threads=3, interop_threads=torch.get_num_interop_threads()).apply()
    assert chosen == [3]


def test_interop_threads_that_come_too_late_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(_: int) -> None:
        raise RuntimeError("cannot set number of interop threads after parallel work has started")

    monkeypatch.setattr(torch, "set_num_interop_threads", late)
    wanted = torch.get_num_interop_threads() + 1
    with pytest.raises(ValueError, match=f"machine.interop_threads {wanted} comes too late"):
        MachineSettings(interop_threads=wanted).apply()


def test_impossible_numbers_are_named() -> None:
    with pytest.raises(ValueError, match=r"machine\.threads must be at least 1, or null, got 0"):
        MachineSettings(threads=0)
