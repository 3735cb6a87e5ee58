"""``lit-cnn explain``: figures and pictures of images, of confused classes and of filters; what cannot be explained."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from checkpoint_files import PREPROCESSING, write_checkpoint
from corner_net import NAMES, CornerNet
from fitted_run import FittedRun
from PIL import Image
from test_predict import TRUST as TRUST_COLOR_NET
from test_predict import write_color_net
from torch import Tensor, nn

import lit_cnn
from lit_cnn.cli.main import main
from lit_cnn.reports import explained

TRUST = ["--trust", "corner_net.CornerNet"]


class OwnNet(nn.Module):
    """A network whose parts have names of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True))
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.body(x).mean(dim=(2, 3)))


def write_net(path: Path, network: nn.Module, class_path: str) -> Path:
    preprocessing = {**PREPROCESSING, "resize": 20, "mean": [0.0] * 3, "std": [1.0] * 3}
    recipe = {"model": {"architecture": {"class_path": class_path}}, "data": {"source": "imagefolder"}}
    return write_checkpoint(path, NAMES, architecture=network, preprocessing=preprocessing, recipe=recipe)


@pytest.fixture
def net(tmp_path: Path) -> list[str]:
    """The words before the images: a checkpoint of ``CornerNet`` behind a crop of 16 of 20 px, and where to write."""
    path = write_net(tmp_path / "net.ckpt", CornerNet(), "corner_net.CornerNet")
    return ["explain", str(path), *TRUST, "--out", str(tmp_path / "out")]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two images of 40 x 20 px in the folder red: in the corner of the crop one has a red square, the other a blue."""
    folder = tmp_path / "photos" / "red"
    folder.mkdir(parents=True)
    for number, color in enumerate([(255, 0, 0), (0, 0, 255)]):
        image = Image.new("RGB", (40, 20))
        image.paste(color, (12, 2, 16, 6))
        image.save(folder / f"{number}.png")
    return folder


def reported(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "method", ["auto", *(pytest.param(n, marks=pytest.mark.slow) for n in ("grad-cam", "occlusion"))]
)
def test_json_says_where_the_evidence_is_and_names_the_pictures(
    net: list[str], photos: Path, method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = reported(capsys, *net, photos, "--method", method)
    assert report["method"] == ("cam" if method == "auto" else method)
    assert report["files"] == {"images": str(tmp_path / "out" / "explanations.png")}
    assert report["unreadable"] == {}
    with Image.open(report["files"]["images"]) as picture:
        assert min(picture.size) > 200
    right, wrong = report["images"]
    assert [Path(image["file"]).name for image in report["images"]] == ["0.png", "1.png"]
    assert [(image["class"], image["true"]) for image in report["images"]] == [("red", "red"), ("blue", "red")]
    assert [found["class"] for found in right["maps"]] == ["red"]
    assert [found["class"] for found in wrong["maps"]] == ["blue", "red"]
    assert wrong["probability"] == wrong["maps"][0]["probability"]
    assert sum(found["probability"] for found in wrong["maps"]) == pytest.approx(1.0)
    assert all(max(image["maps"][0]["at"]) < 4 for image in report["images"])
    assert right["maps"][0]["highest"] > 0


def test_the_table_shows_what_the_json_has_and_each_image_has_a_picture(
    net: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = reported(capsys, *net, photos, "--each", "--class", "blue")
    assert [[found["class"] for found in image["maps"]] for image in report["images"]] == [["blue"], ["blue"]]
    assert [Path(file).name for file in report["files"]["each"]] == ["0001_0.png", "0002_1.png"]
    assert all(Path(file).is_file() for file in report["files"]["each"])
    assert main([*net, str(photos), "--each", "--class", "blue"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"cam: {report['unit']}"
    rows = [line.split() for line in out if ".png" in line and "out" not in line]
    shares = [f"{100 * image['maps'][0]['probability']:.2f}" for image in report["images"]]
    assert [row[:3] for row in rows] == [["0.png", "blue", shares[0]], ["1.png", "blue", shares[1]]]
    assert "1 of 2 images in folders of classes are right" in out
    assert out[-2:] == [str(tmp_path / "out" / "explanations.png"), str(tmp_path / "out" / "images")]


def test_files_that_cannot_be_read_are_counted_and_the_others_explained(
    net: list[str], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("2.png", "3.png"):
        (photos / name).write_bytes(b"")
    assert main([*net, str(photos), "--json"]) == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert [Path(image["file"]).name for image in report["images"]] == ["0.png", "1.png"]
    assert [Path(file).name for file in report["unreadable"]] == ["2.png", "3.png"]
    names = f"{photos / '2.png'}, {photos / '3.png'}"
    assert said.err == f"lit-cnn: 2 of 4 images are not explained, since they cannot be read: {names}\n"
    assert main([*net, str(photos / "2.png"), str(photos / "0.png")]) == 1
    assert f"1 of 2 images is not explained: the image {photos / '2.png'} cannot be" in capsys.readouterr().err


def test_where_no_file_can_be_read_there_is_no_sheet(
    net: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.png").write_bytes(b"")
    assert main([*net, str(tmp_path / "broken.png")]) == 1
    assert capsys.readouterr().err.startswith(f"lit-cnn: the image {tmp_path / 'broken.png'} cannot be")
    assert not (tmp_path / "out" / "explanations.png").exists()


def test_only_the_first_images_are_explained(net: list[str], photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*net, str(photos), "--limit", "1", "--json"]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)["images"]) == 1
    assert said.err == "explaining the first 1 of 2 images (--limit)\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--class", "rde"], "is not a class of {net}: did you mean red?"),
        (["--class", "tulip"], "is not a class of {net}: its classes are red, blue"),
        (["--layer", "stage1"], "CornerNet has no layer 'stage1': did you mean features.stage1?"),
        (["--method", "occlusion", "--patch", "17"], "--patch is 17 but must be 1 to 16 pixels"),
    ],
)
def test_wrong_names_and_sizes_get_one_sentence(
    net: list[str], photos: Path, words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "refused"
    assert main([*net, str(photos), *words, "--out", str(out)]) == 1
    assert not out.exists()
    error = capsys.readouterr().err
    assert said.format(net=net[1]) in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name image files or folders"),
        (["a.png", "--method", "cam", "--layer", "features"], "--layer is of grad-cam, not of cam"),
        (["a.png", "--patch", "3"], "--patch and --stride are of --method occlusion"),
        (["a.png", "--data", "x"], "--data names the labeled images of --confused"),
        (["--confused", "--class", "daisy"], "--class is of images that are named"),
        (["a.png", "--limit", "0"], "--limit is 0 but must be at least 1"),
        (["--filters", "--layer", "body"], "--method and --layer are of maps, which --filters alone does not draw"),
    ],
)
def test_flags_that_do_not_belong_together_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["explain", "net.ckpt", *words])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_network_outside_the_catalog_needs_a_layer(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_net(tmp_path / "own.ckpt", OwnNet(), "test_explain.OwnNet")
    words = ["explain", str(path), str(photos), "--trust", "test_explain.OwnNet", "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "OwnNet has no layer called features: name one with --layer, such as body (16x16)" in capsys.readouterr().err
    report = reported(capsys, *words, "--layer", "body")
    assert (report["method"], report["layer"]) == ("grad-cam", "body")


def test_filters_alone_need_no_maps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_net(tmp_path / "own.ckpt", OwnNet(), "test_explain.OwnNet")
    report = reported(capsys, "explain", path, "--trust", "test_explain.OwnNet", "--filters", "--out", tmp_path / "out")
    assert report["files"] == {"filters": str(tmp_path / "out" / "filters.png")}
    assert "method" not in report


@pytest.mark.slow
def test_a_network_without_maps_can_be_occluded(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_color_net(tmp_path / "color.ckpt", 8)
    words = ["explain", str(path), str(photos), *TRUST_COLOR_NET, "--out", str(tmp_path / "out")]
    assert main(words) == 1
    assert "ColorNet has no layer that ends in a map" in capsys.readouterr().err
    assert reported(capsys, *words, "--method", "occlusion")["method"] == "occlusion"
    assert main([*words, "--method", "occlusion", "--filters"]) == 1
    assert "ColorNet has no convolution, so it has no filters to draw" in capsys.readouterr().err


def test_a_run_is_explained_with_either_weights_on_its_validation_images(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = fitted.images / "val" / "red" / "0.png"
    for weights in ("ema", "raw"):
        report = reported(capsys, "explain", fitted.last, image, "--weights", weights, "--out", tmp_path)
        (expected,) = lit_cnn.load_model(fitted.last, weights).predict([image])
        assert report["images"][0]["class"] == expected.classes[0]
        assert report["images"][0]["probability"] == pytest.approx(expected.probabilities[0], rel=1e-5)
        assert report["images"][0]["true"] == "red"


@pytest.mark.slow
def test_confused_classes_are_those_of_validate_and_need_no_image(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = tmp_path / "p.json"
    assert main(["validate", str(fitted.folder), "--predictions", str(predictions), "--json"]) == 0
    capsys.readouterr()
    rows = [row for row in json.loads(predictions.read_text()) if row["label"] != row["prediction"]]
    report = reported(capsys, "explain", fitted.folder, "--confused", "--filters", "--pairs", "6", "--out", tmp_path)
    confused = report["confused"]
    assert (confused["images"], confused["wrong"]) == (12, len(rows))
    found = {(pair["true"], pair["predicted"]): pair["count"] for pair in confused["pairs"]}
    assert found == Counter((row["label"], row["prediction"]) for row in rows)
    assert ("confused" in report["files"]) == bool(rows)
    assert all(Path(file).is_file() for file in report["files"].values())
    assert set(report["files"]) >= {"filters"}
    assert "images" not in report


@pytest.mark.slow
def test_confused_classes_of_other_images_are_drawn(
    net: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*net, "--confused", "--data", str(photos.parent)]) == 0
    out = capsys.readouterr().out
    assert "1 of 2 images are wrong" in out
    assert out.splitlines()[-1] == str(tmp_path / "out" / "confused.png")
    report = reported(capsys, *net, "--confused", "--data", photos.parent)
    (pair,) = report["confused"]["pairs"]
    assert (pair["true"], pair["predicted"], pair["count"], pair["share"]) == ("red", "blue", 1, 0.5)
    assert [Path(image["file"]).name for image in pair["images"]] == ["1.png"]


@pytest.mark.slow
def test_maps_of_every_image_are_on_one_scale(
    net: list[str], photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scales, draw = [], explained.draw_explained

    def draw_and_note(*arguments: Any, **named: Any) -> Path:
        scales.append(named["scale"].highest)
        return draw(*arguments, **named)

    monkeypatch.setattr(explained, "draw_explained", draw_and_note)
    report = reported(capsys, *net, photos, "--each")
    highest = max(found["highest"] for image in report["images"] for found in image["maps"])
    assert scales == [pytest.approx(highest)] * 3
    assert highest == pytest.approx(16.0)
