"""What every test shares: how worker processes start, and one run of ``lit-cnn fit``."""

import multiprocessing
from typing import TYPE_CHECKING

import pytest

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


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> "FittedRun":
    """A run of a few seconds, for reading only: tests that write below it copy it first."""
    from fitted_run import fit_tiny  # here alone: tests that need no run start faster without

    return fit_tiny(tmp_path_factory.mktemp("fitted"))
