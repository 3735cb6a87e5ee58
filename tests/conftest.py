"""What every test shares: how worker processes start, where real images lie, other machines, one run of fit."""

import multiprocessing
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lit_cnn.allocation import keep_freed_memory

if TYPE_CHECKING:
    from fitted_run import FittedRun


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--start-method",
        choices=multiprocessing.get_all_start_methods(),
        help="how the loader's workers start (default: the platform's own way)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if method := config.getoption("--start-method"):
        multiprocessing.set_start_method(method, force=True)
    keep_freed_memory()  # as the commands do
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for the processes that tests start and interrupt
    images = Path(__file__).parents[2] / "shared" / "data"  # beside the checkout, where this project is developed
    if "LIT_CNN_DATA" not in os.environ and images.is_dir():
        os.environ["LIT_CNN_DATA"] = str(images)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test draws the same numbers each time, alone or in any order: what passes once does not fail by chance."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture
def real_data() -> None:
    """$LIT_CNN_DATA names a folder with cifar10.npz and flowers/; elsewhere the test is skipped."""
    stated = os.environ.get("LIT_CNN_DATA")
    if not stated or not all((Path(stated) / name).exists() for name in ("cifar10.npz", "flowers")):
        pytest.skip("real images are not here: LIT_CNN_DATA must name a folder with cifar10.npz and flowers/")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes torch, oneDNN and CUDA answer as on another machine; by default an old CPU alone."""

    def become(
        instructions: tuple[str, ...] = (),
        onednn: bool = True,
        limit: dict[str, str] | None = None,
        gpus: tuple[tuple[int, int], ...] = (),
        apple: bool = False,
    ) -> None:
        for variable in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in (limit or {}).items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(instructions, True), raising=False)
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
        monkeypatch.setattr("lit_cnn.training.precision.onednn_has_bf16", lambda: onednn)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(gpus))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(gpus))
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: gpus[number])
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU {number}")

    return become


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> "FittedRun":
    """A run of a few seconds, for reading only: tests that write below it copy it first."""
    from fitted_run import fit_tiny  # here alone: tests that need no run start faster without

    return fit_tiny(tmp_path_factory.mktemp("fitted"))
