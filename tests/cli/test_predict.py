"""``lit-cnn predict``: folding and compiling change the speed and not the answer."""

import json
from pathlib import Path

import pytest
from bad_case import write_checkpoint
from bad_images import pixels

from lit_cnn.cli.main import main


@pytest.mark.parametrize("option", ["--fold", pytest.param("--compile", marks=pytest.mark.slow)])
def test_faster_network_predicts_the_same(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels("RGB").save(tmp_path / "a.png")
    arguments = ["predict", str(write_checkpoint(tmp_path)), str(tmp_path / "a.png"), "--json"]
    assert main(arguments) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert main([*arguments, option]) == 0
    (faster,) = json.loads(capsys.readouterr().out)
    assert faster["classes"] == plain["classes"]
    assert faster["probabilities"] == pytest.approx(plain["probabilities"], abs=1e-4)
