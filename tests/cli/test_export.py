"""``lit-cnn export``: files of other programs, verified, and one sentence where that cannot be."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from fitted_run import NAMES, FittedRun
from PIL import Image

from lit_cnn.cli.export import name_of
from lit_cnn.cli.main import main

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "export.md"


def test_weights_leave_with_classes_and_are_verified(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.safetensors"
    assert main(["export", str(fitted.folder), "--format", "safetensors", "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (file,) = report["files"]
    assert (file["path"], file["bytes"]) == (str(out), out.stat().st_size)
    assert (file["images"], file["agreed"], file["largest_difference"]) == (12, 12, 0.0)
    assert file["accuracy"] == report["network"]["accuracy"]
    from safetensors import safe_open

    with safe_open(str(out), "pt") as stored:
        assert json.loads(stored.metadata()["class_names"]) == NAMES


def test_other_images_verify_too_without_labels(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (30 + number, 20), (90 * number, 40, 40)).save(folder / f"{number}.png")
    words = ["--format", "safetensors", "--data", str(folder), "--out", str(tmp_path / "net.safetensors")]
    assert main(["export", str(fitted.best), *words]) == 0
    captured = capsys.readouterr()
    assert "3 of 3" in captured.out
    assert "count without their labels" in captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "safetensors", "--opset", "18"], "--opset is ONNX's"),
        (["--format", "safetensors", "--no-preprocessing"], "safetensors holds weights alone"),
        (["--format", "safetensors", "--batch", "2"], "safetensors holds weights alone"),
        (["--format", "torch-export", "--int8"], "--int8 quantizes ONNX files"),
        (["--calibration", "data"], "so it needs --int8"),
        (["--batch", "many"], "neither a number of images nor dynamic"),
        (["--batch", "0"], "neither a number of images nor dynamic"),
        (["--images", "0"], "must be at least 1"),
    ],
)
def test_flags_that_do_not_belong_together_are_named(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["export", "net.ckpt", *words])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_missing_package_a_wrong_ending_and_missing_data_are_one_sentence(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    cases = [
        (["--format", "executorch"], "needs executorch, which is not installed: pip install 'lit-cnn[executorch]'"),
        (["--format", "safetensors", "--out", str(tmp_path / "net.onnx")], "but .safetensors is expected"),
        (["--format", "safetensors", "--data", "nowhere"], "nowhere"),
    ]
    for words, said in cases:
        assert main(["export", str(fitted.folder), *words]) == 1
        error = capsys.readouterr().err
        assert said in error
        assert len(error.splitlines()) == 1


def test_the_weights_that_are_read_are_not_written_over(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("best.safetensors").write_bytes(fitted.best.with_name("weights.safetensors").read_bytes())
    for out in ([], ["--out", "best.safetensors"]):
        assert main(["export", "best.safetensors", "--format", "safetensors", *out]) == 1
        assert "best.safetensors is read by this command" in capsys.readouterr().err
    Path("other.safetensors").touch()
    Path("other.ckpt").write_bytes(fitted.best.read_bytes())
    assert main(["export", "other.ckpt", "--format", "safetensors"]) == 1
    assert "other.safetensors is there already: name another file by --out" in capsys.readouterr().err


def test_a_file_is_named_as_its_run_or_its_published_weights(fitted: FittedRun, tmp_path: Path) -> None:
    assert name_of(str(fitted.folder), str(fitted.best)) == fitted.folder.name
    (tmp_path / "flowers.ckpt").touch()
    assert name_of(str(tmp_path / "flowers.ckpt"), str(tmp_path / "flowers.ckpt")) == "flowers"
    assert name_of("timm:resnet18.a1_in1k", "/cache/x.ckpt") == "timm-resnet18.a1_in1k"


@pytest.mark.slow
def test_onnx_and_int8_are_one_table(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr("lit_cnn.exporting.quantizing.LOSS", 1.0)  # two epochs leave all logits close to each other
    monkeypatch.setattr("lit_cnn.exporting.quantizing.AGREEMENT", 0.0)
    out = tmp_path / "net.onnx"
    assert main(["export", str(fitted.folder), "--int8", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    for row in (r"^network .* %", r"^net\.onnx .* 12 of 12 ", r"^net\.int8\.onnx .* of 12 "):
        assert re.search(row, text, re.MULTILINE), row
    assert re.search(r"opset \d+, IR version \d+, \d+ operations", text)
    assert "activations of 8 bits" in text
    assert "input uint8 (N, H, W, 3); latency of one image of 16x16 pixels" in text
    assert out.is_file()
    assert (tmp_path / "net.int8.onnx").is_file()


@pytest.mark.slow
def test_the_python_of_the_guide_runs_on_exported_files(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, one block of each format, in the order of the page."""
    pytest.importorskip("onnxruntime")
    for name in ("flowers.onnx", "flowers.pt2", "flowers.safetensors"):
        kind = {".onnx": "onnx", ".pt2": "torch-export"}.get(Path(name).suffix, "safetensors")
        assert main(["export", str(fitted.folder), "--format", kind, "--out", str(tmp_path / name)]) == 0
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers.ckpt").write_bytes(fitted.best.read_bytes())
    photo = next((fitted.images / "val" / "red").iterdir())
    Image.open(photo).save("photo.png")
    assert main(["predict", "flowers.ckpt", "photo.png", "--json"]) == 0
    text = capsys.readouterr().out
    expected = json.loads(text[text.rindex("[\n  {") :])[0]["classes"][0]
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    onnx, program, weights, _, python = blocks  # the fourth: test_export_detector.py
    assert len([line for line in onnx.splitlines() if line]) == 6
    for block in (onnx, program):
        exec(block, {})
        assert capsys.readouterr().out.strip().splitlines()[-1] == expected
    names: dict = {}
    exec(weights, names)
    assert names["network"].num_classes == 3
    exec(python, {})
    assert Path("flowers_18.onnx").is_file()
    assert sys.modules["onnxruntime"]
