"""Every family of the catalog becomes an ONNX file that ONNX Runtime runs as torch does."""

from pathlib import Path

import export_families
import pytest

from lit_cnn.architectures.catalog import list_models


def test_the_smallest_of_each_family_is_taken() -> None:
    names = export_families.smallest_of_families()
    assert len(names) >= 20
    assert set(names) <= set(list_models())
    assert {"cifar_resnet8", "mobilenet_v1_0.25", "nfnet_f0", "vgg11"} <= set(names)


@pytest.mark.slow
@pytest.mark.parametrize("name", export_families.smallest_of_families())
def test_every_family_exports_and_agrees_on_photographs(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    export_families.photographs(tmp_path)
    row = export_families.export_family(name, tmp_path)
    assert row.agreed == export_families.WINDOWS
    assert row.relative < 1e-3
