"""A file takes its name once it is verified, and not before."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from exported_run import photographs, untrained

from lit_cnn.cli.export import FORMATS
from lit_cnn.exporting import exporting
from lit_cnn.exporting.exporting import ENDINGS, Format, export_verified
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.verifying import Run


def test_the_command_has_every_format() -> None:
    assert set(FORMATS) == set(get_args(Format)) == set(ENDINGS)


def test_a_file_that_computes_something_else_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, file = untrained(tmp_path), tmp_path / "net.safetensors"
    images = photographs(tmp_path, trained)
    opened = exporting.open_safetensors

    def wrong(path: Path, like: torch.nn.Module) -> Run:
        run = opened(path, like)
        return lambda inputs: -run(inputs)

    monkeypatch.setattr(exporting, "open_safetensors", wrong)
    before = set(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"net.safetensors was not written.* 0 of 6 images only"):
        export_verified(trained, file, "safetensors", GraphForm(with_preprocessing=False), images)
    assert set(tmp_path.iterdir()) == before
