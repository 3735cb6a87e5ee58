"""The notebooks: sources that Jupyter reads, and each of them run whole in a kernel, as a reader does."""

import ast
import re
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "notebooks"
TITLES = {
    "parameter_budget": "From AlexNet to EfficientNet by parameter budget",
    "generalization_gap": "Closing the generalization gap",
    "choosing_a_cnn": "Choosing and shipping a CNN for my images",
}
LONGEST = 900
"""Seconds that a cell may take on a busy machine; a notebook is made to take under 300 on two idle cores."""


def read(name: str) -> Any:
    return pytest.importorskip("jupytext").read(FOLDER / f"{name}.py")


def test_every_notebook_is_known_and_linked() -> None:
    assert {file.stem for file in FOLDER.glob("*.py")} == set(TITLES)
    for page in (FOLDER / "README.md", ROOT / "docs" / "README.md"):
        assert [name for name in TITLES if f"{name}.py)" not in page.read_text()] == []


@pytest.mark.parametrize("name", TITLES)
def test_a_source_reads_as_a_notebook_with_its_title_and_one_install_line(name: str) -> None:
    cells = read(name).cells
    first, *others = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert first.startswith(f"# {TITLES[name]}\n")
    assert len(re.findall(r"pip install", first)) == 1
    assert "pip install" not in "".join(others)
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert len(code) > 5
    for source in code:
        ast.parse(source)


@pytest.mark.parametrize("name", TITLES)
def test_no_outcome_is_written_into_the_text(name: str) -> None:
    """What a network reaches is printed by a cell: the prose has no percentages but those of the method."""
    prose = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    assert set(re.findall(r"[\d.]+ ?%", prose)) <= {"90 %"}  # what a confidence of 90 % means


def execute(name: str, folder: Path) -> Any:
    """The notebook with its outputs, run in a kernel whose working folder is ``folder``."""
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("nbclient").NotebookClient(
        read(name), timeout=LONGEST, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    return client.execute()


@pytest.fixture(autouse=True)
def _as_a_new_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No data beside what packages bring, and the package of this checkout."""
    monkeypatch.delenv("LIT_CNN_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("WANDB_MODE", "disabled")


def pictures(notebook: Any) -> int:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def printed(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")
