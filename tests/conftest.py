"""What every test shares: how worker processes start, and where real images lie."""

import multiprocessing
import os
from pathlib import Path

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
    images = Path(__file__).parents[2] / "shared" / "data"  # beside the checkout, where this project is developed
    if "LIT_CNN_DATA" not in os.environ and images.is_dir():
        os.environ["LIT_CNN_DATA"] = str(images)


@pytest.fixture
def real_data() -> None:
    """$LIT_CNN_DATA names a folder with cifar10.npz and flowers/; elsewhere the test is skipped."""
    stated = os.environ.get("LIT_CNN_DATA")
    if not stated or not all((Path(stated) / name).exists() for name in ("cifar10.npz", "flowers")):
        pytest.skip("real images are not here: LIT_CNN_DATA must name a folder with cifar10.npz and flowers/")
