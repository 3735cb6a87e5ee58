"""ExecuTorch programs, where ExecuTorch is installed (about 250 MB, which the dev group leaves out)."""

from pathlib import Path

import pytest
from exported_run import photographs, untrained

from lit_cnn.exporting import packages
from lit_cnn.exporting.executorch_file import export_executorch
from lit_cnn.exporting.exporting import export_verified
from lit_cnn.exporting.graph import GraphForm


def test_a_graph_with_preprocessing_or_a_varying_batch_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(packages.EXTRAS, "executorch", ())
    for form in (GraphForm(), GraphForm(with_preprocessing=False)):
        with pytest.raises(ValueError, match="takes normalized crops of a fixed batch"):
            export_executorch(untrained(tmp_path), tmp_path / "net.pte", form)


@pytest.mark.slow
def test_the_program_is_verified(tmp_path: Path) -> None:
    pytest.importorskip("executorch", reason="ExecuTorch is not installed")
    trained, form = untrained(tmp_path), GraphForm(with_preprocessing=False, batch=1)
    found = export_verified(trained, tmp_path / "net.pte", "executorch", form, photographs(tmp_path, trained))
    assert found.verification.agreed == 6
    assert found.verification.difference <= 1e-4 * found.verification.logit
