"""What every test shares: how worker processes start."""

import multiprocessing

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--start-method",
        choices=multiprocessing.get_all_start_methods(),
        help="how the loader's workers start (default: the platform's own way)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if method := config.getoption("--start-method"):
        multiprocessing.set_start_method(method, force=True)
