"""The notebooks: sources that Jupyter reads, and each of them run whole in a kernel, as a reader does."""

import ast
import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image

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


def execute(name: str, folder: Path, changed: Mapping[str, str] = MappingProxyType({})) -> Any:
    """The notebook with its outputs, run in a kernel whose working folder is ``folder``, with some text changed."""
    pytest.importorskip("ipykernel")
    notebook = read(name)
    for cell in notebook.cells:
        for old, new in changed.items():
            cell.source = cell.source.replace(old, new)
    client = pytest.importorskip("nbclient").NotebookClient(
        notebook, timeout=LONGEST, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
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


@pytest.mark.slow
def test_the_notebook_on_budgets_counts_draws_and_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = execute("parameter_budget", tmp_path)
    text = printed(notebook)
    assert pictures(notebook) == 4
    share = re.search(r"^alexnet +2012 +61\.0 M +(\d+) %", text, re.MULTILINE)
    assert share is not None
    assert share[1] == "96"
    means = [float(mean) for mean in re.findall(r"([\d.]+) % ± [\d.]+ over 3 seeds", text)]
    assert len(means) == 5
    assert min(means) > 50  # chance is 10
    widths = [int(params.replace(",", "")) for params in re.findall(r"\) +\d+ +([\d,]+) +[\d.]+ M", text)]
    assert len(widths) == 5
    assert all(abs(params - 30_000) < 6_000 for params in widths)


@pytest.mark.slow
def test_the_notebook_on_the_gap_opens_one_and_compares_the_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = execute("generalization_gap", tmp_path)
    text = printed(notebook)
    assert pictures(notebook) == 3
    rows = re.findall(r"^(.+?) +([\d.]+) % +([\d.]+) % +(-?[\d.]+) +(\d+)$", text, re.MULTILINE)
    gaps = {name: float(gap) for name, _, _, gap, _ in rows}
    assert len(gaps) == 10
    assert gaps["plain"] > 2
    assert all(abs(float(seen) - float(unseen) - float(gap)) < 0.11 for _, seen, unseen, gap, _ in rows)
    assert len(list(tmp_path.glob("generalization_gap_*/runs/quickstart/*/checkpoints/last.ckpt"))) == 11


@pytest.mark.slow
def test_the_notebook_on_choosing_ends_with_a_file_that_answers_as_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    busy = {'BUDGET = "3m"': 'BUDGET = "8m"', "latency-ms 50": "latency-ms 5000"}  # a machine with other work is slow
    notebook = execute("choosing_a_cnn", tmp_path, busy)
    text = printed(notebook)
    assert pictures(notebook) >= 5
    answers = re.search(r"ONNX file: +(\S+)\ncheckpoint: +(\S+) ", text)
    assert answers is not None
    assert answers[1] == answers[2]
    interval = re.search(r"right, ([\d.]+)%; 95 % interval ([\d.]+)% to ([\d.]+)%", text)
    assert interval is not None
    share, low, high = map(float, interval.groups())
    assert 20 < low < share < high <= 100  # chance is 10
    (work,) = tmp_path.glob("choosing_a_cnn_*")
    made = ("first.yaml", "choice/recipe.yaml", "choice/choice.html", "reliability.png", "model.onnx")
    assert [name for name in made if not (work / name).is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("parts", [("",), ("train", "val")])
def test_the_notebook_on_choosing_takes_an_own_folder_in_either_layout_for_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...]
) -> None:
    """Its first cells, on three images of two classes in each part, without the commands."""
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("MPLBACKEND", "agg")
    for part, number in itertools.product(parts, range(3)):
        file = tmp_path / "mine" / part / f"class {number % 2}" / f"{number}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(file)
    imports, choice, look, *others = [cell.source for cell in read("choosing_a_cnn").cells if cell.cell_type == "code"]
    names: dict[str, Any] = {}
    exec(imports, names)
    monkeypatch.chdir(tmp_path)
    exec(re.sub(r"(?m)^IMAGES = .*$", 'IMAGES = Path("mine")', choice), names)
    names["command"] = print
    exec(look, names)
    assert (len(names["files"]), names["SIZES"], names["KEYS"]) == (3, "64", "")
    exec(re.search(r"(?m)^photos = .*\nphoto = .*$", "\n".join(others))[0], names)  # type: ignore[index]
    assert names["photo"].parent.parent == tmp_path.resolve() / "mine" / parts[-1]
