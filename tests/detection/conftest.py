"""Where the real images of detection lie."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def bccd() -> Path:
    """The folder of BCCD's images under $LIT_CNN_DATA; elsewhere the test is skipped."""
    folder = Path(os.environ.get("LIT_CNN_DATA", "")) / "bccd"
    if "LIT_CNN_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("real images with boxes are not here: LIT_CNN_DATA must name a folder with bccd/")
    return folder
