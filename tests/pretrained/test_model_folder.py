"""A folder in timm's layout gives our logits in timm, and reads back as the checkpoint it was written from."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from foreign import telling_network
from nasty_names import NASTY

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.network import Network
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.pretrained.equality import output_difference
from lit_cnn.pretrained.importing import Imported
from lit_cnn.pretrained.model_folder import Written, read_model, write_model

NAMES = ["daisy", "großer <b>Hund</b>", "emu", "\x1b[31m", "two\nlines"]


PREPROCESSING = Preprocessing((48, 48), 55, "shorter_side", "bicubic", (0.5,) * 3, (0.5,) * 3, 3).as_dict()


def checkpoint_of(network: Network, architecture: str, **changes: Any) -> dict[str, Any]:
    channels = next(value.shape[1] for value in network.parameters() if value.ndim == 4)
    means = (0.5,) * channels
    preprocessing = Preprocessing((48, 48), 55, "shorter_side", "bicubic", means, means, channels)
    described = {"architecture": architecture, "options": {}, "num_classes": 5, "in_channels": channels}
    stated = {"format": 3, "class_names": NAMES, "preprocessing": preprocessing.as_dict()}
    return {"network": {**described, **changes}, **stated}


def round_trip(folder: Path, network: Network, checkpoint: dict[str, Any]) -> tuple[Written, Imported]:
    written = write_model(folder, network, checkpoint, "apache-2.0")
    return written, read_model(folder / "config.json", folder / "model.safetensors", "handed on")


def assert_restored(done: Imported, network: Network, checkpoint: dict[str, Any]) -> None:
    expected, found = network.state_dict(), done.network.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    for entry in ("network", "class_names", "preprocessing"):
        assert done.checkpoint[entry] == checkpoint[entry], entry
    assert done.proof.status == "proven"
    assert done.checkpoint["provenance"]["license"] == "apache-2.0"
    assert done.checkpoint["provenance"]["source"] == "handed on"


FAMILIES = [
    ("efficientnet_lite0", "tf_efficientnet_lite0", {}),
    *(
        pytest.param(*row, marks=pytest.mark.slow)
        for row in (
            ("efficientnet_lite0", "efficientnet_lite0", {"padding": "symmetric", "norm_eps": 1e-5}),
            ("resnet18", "resnet18", {}),
            ("mobilenet_v2", "mobilenetv2_100", {}),
            ("mobilenet_v1", "mobilenetv1_100", {"activation": "relu6"}),
            ("resnet18", "resnet18", {"in_channels": 1}),
            ("resnet18", "resnet18", {"in_channels": 4}),
            ("nfnet_f0", "dm_nfnet_f0", {"epsilon": "added"}),
            ("se_resnet50", "seresnet50", {"stride_in": "3x3"}),
        )
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "theirs", "options"), FAMILIES)
def test_timm_gives_our_logits(architecture: str, theirs: str, options: dict[str, Any], tmp_path: Path) -> None:
    if "in_channels" in options:
        torch.manual_seed(0)
        network: Network = create_model(architecture, num_classes=5, **options).eval()
        checkpoint = checkpoint_of(network, architecture)
    else:
        network = telling_network(architecture, 48, num_classes=5, **options)
        checkpoint = checkpoint_of(network, architecture, options=options)
    written, done = round_trip(tmp_path, network, checkpoint)
    assert written.timm_name == theirs
    loaded = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    images = torch.randn(2, checkpoint["network"]["in_channels"], 48, 48, generator=torch.Generator().manual_seed(9))
    assert output_difference(network, loaded, images)[1] < 1e-5
    assert list(loaded.pretrained_cfg["label_names"]) == NAMES
    assert timm.data.resolve_model_data_config(loaded)["crop_pct"] == 0.8727
    assert_restored(done, network, checkpoint)


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("cifar_resnet8", {}),
        ("cifar_resnet8", {"widths": (8, 16, 24)}),
        pytest.param("mobilenet_v1", {}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_network_that_timm_lacks_is_restored_and_refused_by_timm(
    architecture: str, options: dict[str, Any], tmp_path: Path
) -> None:
    network = telling_network(architecture, 48, num_classes=5, **options)
    checkpoint = checkpoint_of(network, architecture, options=options)
    written, done = round_trip(tmp_path, network, checkpoint)
    assert written.timm_name is None
    assert written.reason
    with pytest.raises(RuntimeError, match=f"Unknown model .lit_cnn_{architecture}"):
        timm.create_model(f"local-dir:{tmp_path}", pretrained=True)
    assert_restored(done, network, checkpoint)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a CIFAR ResNet with nasty names of classes."""
    folder = tmp_path_factory.mktemp("nasty")
    network = telling_network("cifar_resnet8", num_classes=len(NASTY))
    checkpoint = checkpoint_of(network, "cifar_resnet8", num_classes=len(NASTY)) | {"class_names": NASTY}
    _, done = round_trip(folder, network, checkpoint)
    assert done.checkpoint["class_names"] == NASTY
    return folder


@pytest.fixture
def folder(nasty: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(nasty, tmp_path / "copy"))


def changed(folder: Path, change: dict[str, Any], **own: Any) -> str:
    """What is said of a ``config.json`` with other entries."""
    stated = json.loads((folder / "config.json").read_text())
    text = json.dumps({**stated, "lit_cnn": {**stated["lit_cnn"], **own}, **change})
    (folder / "config.json").write_text(text)
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - what it says is looked at by each test
        read_model(folder / "config.json", folder / "model.safetensors", "x")
    return str(refused.value)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"num_classes": 10**9}, "states 1000000000 classes, but not as many label_names"),
        ({"architecture": "resnet18"}, "holds 76,"),
        ({"architecture": "vgg99"}, "vgg99"),
        ({"architecture": ["a"]}, "damaged or not of timm's layout"),
        ({"options": {"widths": [2**20] * 3}}, "but cifar_resnet8 has 59,"),
        ({"options": {"depth": 3}}, "depth"),
        ({"options": None}, "damaged or not of timm's layout"),
        ({"preprocessing": {}}, "the stored preprocessing has missing or unknown entries"),
        ({"preprocessing": PREPROCESSING | {"std": [0.5, 0.5, 0.0]}}, "a preprocessing with impossible mean and std"),
        ({"preprocessing": PREPROCESSING | {"mean": [0.5]}}, "a preprocessing with impossible in_channels"),
        ({"preprocessing": PREPROCESSING | {"resize": "55"}}, "a preprocessing with impossible image_size and resize"),
        ({"preprocessing": PREPROCESSING | {"resize": 4}}, "a preprocessing with impossible image_size and resize"),
        ({"preprocessing": PREPROCESSING | {"interpolation": "magic"}}, "with impossible interpolation"),
        ({"preprocessing": PREPROCESSING | {"resize_mode": "border"}}, "with impossible resize_mode"),
        ({"preprocessing": PREPROCESSING | {"image_size": [48, 10**9]}}, "with impossible image_size and resize"),
        ({"preprocessing": PREPROCESSING | {"resize": 10**6}}, "with impossible image_size and resize"),
        ({"preprocessing": PREPROCESSING | {"levels": [5]}}, "with impossible levels"),
        ({"preprocessing": PREPROCESSING | {"levels": "bad"}}, "with impossible levels"),
        ({"preprocessing": PREPROCESSING | {"background": [300, 0, 0]}}, "with impossible background"),
        ({"preprocessing": PREPROCESSING | {"background": "white"}}, "with impossible background"),
        ({"preprocessing": PREPROCESSING | {"background": 5}}, "with impossible background"),
        ({"preprocessing": PREPROCESSING | {"color_profile": "magic"}}, "with impossible color_profile"),
        ({"layout": "timm"}, "timm's lit_cnn_cifar_resnet8 is not cifar_resnet8"),
    ],
    ids=str,
)
def test_an_entry_that_does_not_fit_the_weights_is_refused(own: dict[str, Any], said: str, folder: Path) -> None:
    assert said in changed(folder, {}, **own)


def test_a_doubt_of_the_pairing_outlives_the_folder(tmp_path: Path) -> None:
    network = telling_network("cifar_resnet8", num_classes=5)
    origin = {"source": "w.pth", "license": "mit", "proof": {"status": "unproven", "sentence": "nobody has looked"}}
    _, done = round_trip(tmp_path, network, {**checkpoint_of(network, "cifar_resnet8"), "provenance": origin})
    assert done.proof.status == done.checkpoint["provenance"]["proof"]["status"] == "unproven"
    assert done.proof.sentence == "nobody has looked (before lit-cnn push)"
    assert done.checkpoint["provenance"]["origin"] == origin


def test_other_programs_models_have_three_channels(folder: Path) -> None:
    gray = {"architecture": "resnet18", "pretrained_cfg": {"input_size": [1, 8, 8], "mean": [0.5], "std": [0.5]}}
    assert "states 1 channels, but 3 are expected of another program" in changed(folder, {**gray, "lit_cnn": None})


def test_a_description_that_is_none_is_refused(folder: Path) -> None:
    assert "is timm's vit_tiny, which no network" in changed(folder, {"architecture": "vit_tiny", "lit_cnn": None})
    for text in ("[" * 100_000, "\x00", "[]", "{}", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        (folder / "config.json").write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=r"config\.json of x is (not JSON|damaged)"):
            read_model(folder / "config.json", folder / "model.safetensors", "x")


def test_a_pickle_of_the_right_name_is_not_read(folder: Path) -> None:
    torch.save({"w": torch.ones(2, 2)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="is not a safetensors file: pull reads no pickle, whatever its name"):
        read_model(folder / "config.json", folder / "model.safetensors", "x")


def test_what_nobody_could_load_is_not_written(tmp_path: Path) -> None:
    network = telling_network("cifar_resnet8", num_classes=5)
    own = checkpoint_of(network, "cifar_resnet8")
    own["network"]["architecture"] = None
    with pytest.raises(ValueError, match="holds a network outside the catalog"):
        write_model(tmp_path, network, own, "mit")
    with pytest.raises(ValueError, match="records no preprocessing"):
        write_model(tmp_path, network, {**checkpoint_of(network, "cifar_resnet8"), "preprocessing": None}, "mit")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_what_timm_itself_saves_is_read(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = timm.create_model("mobilenetv2_100", num_classes=3).eval()
    timm.models.save_for_hf(theirs, tmp_path, {"label_names": ["x", "y", "z"]}, safe_serialization=True)
    done = read_model(tmp_path / "config.json", tmp_path / "model.safetensors", "theirs")
    assert done.checkpoint["network"]["architecture"] == "mobilenet_v2"
    assert done.checkpoint["class_names"] == ["x", "y", "z"]
    assert done.checkpoint["provenance"]["source"] == "theirs"
    assert output_difference(theirs, done.network, torch.randn(2, 3, 64, 64))[1] < 1e-5
