"""torch.export's files: the same logits for any batch and size, metadata as extra files, no stray storage."""

import json
from pathlib import Path

import pytest
import torch
from exported_run import photographs, untrained

from lit_cnn.exporting.exporting import export_verified
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.preprocessed import PreprocessedNetwork


@pytest.mark.slow
def test_the_program_is_verified_small_and_says_what_it_is(tmp_path: Path) -> None:
    trained, file = untrained(tmp_path), tmp_path / "net.pt2"
    found = export_verified(trained, file, "torch-export", GraphForm(), photographs(tmp_path, trained))
    assert found.verification.agreed == 6
    assert found.size < 3e5 + sum(4 * weight.numel() for weight in trained.network.parameters())
    images = torch.randint(0, 256, (3, 90, 17, 3), dtype=torch.uint8)
    expected = PreprocessedNetwork(trained.network, trained.preprocessing)(images)
    torch.testing.assert_close(found.run(images), expected, rtol=1e-4, atol=1e-4)
    extra = {"class_names": "", "input": "", "torch_version": ""}
    torch.export.load(str(file), extra_files=extra)
    assert json.loads(extra["class_names"]) == ["blue", "green", "red"]
    assert extra["torch_version"] == torch.__version__
