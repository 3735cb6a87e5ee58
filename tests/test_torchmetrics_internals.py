"""The commands import torchmetrics without the libraries that it would only offer to plot and to hear with."""

import subprocess
import sys

import pytest


def run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    ).stdout


@pytest.mark.slow
def test_neither_scipy_nor_matplotlib_is_imported_with_lightning() -> None:
    """If this fails after an upgrade, see which module asks for them (-X importtime) and adapt import_lightly."""
    script = (
        "import sys; from lit_cnn.torchmetrics_internals import UNUSED, import_lightly; import_lightly()\n"
        "import lightning.pytorch, lit_cnn.experiment.fit, lit_cnn.experiment.parser\n"
        "print([name for name in UNUSED if name in sys.modules])"
    )
    assert run(script) == "[]\n"


@pytest.mark.slow
def test_metrics_work_and_the_libraries_are_there_as_ever() -> None:
    script = (
        "from lit_cnn.torchmetrics_internals import import_lightly; import_lightly()\n"
        "import torch; from torchmetrics.classification import MulticlassAccuracy\n"
        "from lightning_utilities.core.imports import RequirementCache, package_available\n"
        "accuracy = MulticlassAccuracy(2, average='micro')\n"
        "print(float(accuracy(torch.tensor([0, 1]), torch.tensor([0, 0]))))\n"
        "print(bool(RequirementCache('scipy')), package_available('matplotlib'))\n"
        "import scipy.signal, matplotlib.figure"
    )
    assert run(script) == "0.5\nTrue True\n"


@pytest.mark.slow
def test_an_import_that_was_made_before_is_left_alone() -> None:
    script = (
        "import sys, torchmetrics; from lit_cnn.torchmetrics_internals import import_lightly; import_lightly()\n"
        "print('matplotlib' in sys.modules)"
    )
    assert run(script) == "True\n"
