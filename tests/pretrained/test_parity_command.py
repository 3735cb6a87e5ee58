"""``lit-cnn parity`` prints the matrix in three forms and fails when a row does."""

import json

import pytest

from lit_cnn.cli.main import main
from lit_cnn.pretrained import references
from lit_cnn.pretrained.references import Reference

ROW = Reference("resnet18", "torchvision", "resnet18", image_size=32, quick=True)
WRONG = Reference("resnet34", "torchvision", "resnet18", image_size=32)


@pytest.fixture(autouse=True)
def _two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lit_cnn.pretrained.parity.REFERENCES", (ROW, WRONG))


@pytest.mark.slow
def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "resnet18", "--quick", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["library"], row["other"], row["pairs"]) == ("resnet18", "torchvision", "resnet18", 102)
    assert row["equal"]
    assert row["logits"] <= 1e-9


@pytest.mark.slow
def test_markdown_and_a_row_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "resnet34", "resnet18", "--markdown"]) == 1
    written = capsys.readouterr()
    assert "| resnet18 | torchvision resnet18 | 32 | 102 | order |" in written.out
    assert "resnet34/torchvision/resnet18: the weights cannot be paired: the source has layer2.0.conv1" in written.err


@pytest.mark.slow
def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "--quick"]) == 0
    assert "torchvision resnet18" in capsys.readouterr().out


def test_list_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]] == ["resnet18", "resnet34"]


def test_wrong_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "resnet19"]) == 1
    assert "no reference of 'resnet19'" in capsys.readouterr().err
    assert main(["parity", "resnet34", "--quick"]) == 1
    assert "leave --quick out" in capsys.readouterr().err


def test_every_paper_with_a_reference_is_in_the_quick_matrix() -> None:
    builders = {"resnet", "resnext", "se_resnext", "vgg", "alexnet", "googlenet", "mobilenet_v1", "mobilenet_v2"}
    builders |= {"efficientnet_b", "efficientnet_lite", "efficientnet_v2", "nfnet", "resnet_rs"}
    quick = [row.name for row in references.REFERENCES if row.quick]
    assert all(any(name.startswith(builder) for name in quick) for builder in builders)
