"""``lit-cnn predict``: folding changes the speed and not the answer."""

import json
from pathlib import Path

import pytest
from bad_case import write_checkpoint
from bad_images import pixels

from lit_cnn.cli.main import main


def test_folded_network_predicts_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels("RGB").save(tmp_path / "a.png")
    arguments = ["predict", str(write_checkpoint(tmp_path)), str(tmp_path / "a.png"), "--json"]
    assert main(arguments) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert main([*arguments, "--fold"]) == 0
    (folded,) = json.loads(capsys.readouterr().out)
    assert folded["classes"] == plain["classes"]
    assert folded["probabilities"] == pytest.approx(plain["probabilities"], abs=1e-4)
