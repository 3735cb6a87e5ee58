"""``config show`` and ``config diff``."""

import json
from pathlib import Path

import pytest
import yaml
from fitted_run import FittedRun

from lit_cnn.cli.main import main


@pytest.mark.slow
def test_show_takes_overlays_by_name_and_as_configs(capsys: pytest.CaptureFixture) -> None:
    shown = []
    for words in (["overlays/resnet_rs_101_160"], ["--config", "overlays/resnet_rs_101_160"]):
        assert main(["config", "show", "resnet_rs", *words, "--data.batch_size", "64"]) == 0
        shown.append(yaml.safe_load(capsys.readouterr().out))
    assert shown[0] == shown[1]
    assert (shown[0]["model"]["architecture"], shown[0]["data"]["batch_size"]) == ("resnet_rs_101", 64)


def test_show_says_what_a_network_leaves_out(capsys: pytest.CaptureFixture) -> None:
    assert main(["config", "show", "folder", "--model.architecture", "mobilenet_v1"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("left out of the recipe for mobilenet_v1: model.options.drop_path 0.1")
    assert yaml.safe_load(out)["model"]["options"]["drop_path"] is None


def test_diff_names_the_keys_that_differ_alone(capsys: pytest.CaptureFixture) -> None:
    words = ["config", "diff", "resnet_rs", "resnet_rs", "overlays/resnet_rs_101_160", "--data.batch_size", "64"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "model.architecture: resnet_rs_50 → resnet_rs_101" in lines
    assert "data.batch_size: 4096 → 64" in lines
    assert all(": " in line and " → " in line for line in lines)
    assert not any(line.startswith("about.") for line in lines)


@pytest.mark.slow
def test_diff_of_one_recipe_is_what_the_keys_change(capsys: pytest.CaptureFixture) -> None:
    assert main(["config", "diff", "quickstart", "--trainer.max_epochs=3"]) == 0
    assert capsys.readouterr().out == "trainer.max_epochs: 20 → 3\n"
    assert main(["config", "diff", "quickstart", "quickstart"]) == 0
    assert capsys.readouterr().out == "no key differs\n"


@pytest.mark.slow
def test_diff_as_json_and_markdown(capsys: pytest.CaptureFixture) -> None:
    words = ["config", "diff", "quickstart", "--trainer.max_epochs=3"]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"key": "trainer.max_epochs", "old": 20, "new": 3}]
    assert main([*words, "--markdown"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "| trainer.max_epochs | 20 | 3 |"


@pytest.mark.slow
def test_diff_takes_runs(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "quickstart" / "20260101-000000-abc"
    run.mkdir(parents=True)
    for name in ("config.yaml", "environment.json"):
        (run / name).write_bytes((fitted.folder / name).read_bytes())
    assert main(["config", "diff", "last", str(run)]) == 0
    assert capsys.readouterr().out == "no key differs\n"
    assert main(["config", "diff", str(run), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == f"quickstart → {run}\n"
    stored = yaml.safe_load((run / "config.yaml").read_text())
    found = {row["key"]: row["new"] for row in json.loads(out)}
    assert found["trainer.max_epochs"] == stored["trainer"]["max_epochs"]
    assert "data.image_size" not in found or found["data.image_size"] == stored["data"]["image_size"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quickstrat", "there is no recipe quickstrat; did you mean quickstart?"),
        (".", ". is a folder without a config.yaml: pass a run folder, last, or the name of a recipe"),
        ("last", "there is no run below runs/"),
    ],
)
def test_what_is_no_recipe_is_refused(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    for action in ("show", "diff"):
        assert main(["config", action, name]) == 1
        assert said in capsys.readouterr().err


def test_a_recipe_alone_has_nothing_to_differ_from(capsys: pytest.CaptureFixture) -> None:
    assert main(["config", "diff", "quickstart"]) == 1
    assert "be compared with? Name a recipe, a run or keys after it" in capsys.readouterr().err
