"""Maps lie where the evidence is, on the crop that the evaluation sees; classes, methods and folders are understood."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from corner_net import CELL, NAMES, CornerNet
from PIL import Image

import lit_cnn
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.evaluation.images import NothingReadable
from lit_cnn.evaluation.predict import file_images
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.explaining import (
    Explainer,
    classes_by_folder,
    explain_images,
    make_explainer,
    network_inputs,
)
from lit_cnn.pretrained.imagenet import imagenet_classes

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels."""
METHODS = [Explainer("cam"), Explainer("grad-cam", "features"), Explainer("occlusion", patch=CELL, stride=2)]


def corner_net(size: tuple[int, int], resize: int, mode: str = "shorter_side") -> Trained:
    """The network behind crops of ``size``, height and width, of images resized to ``resize``."""
    plain = (0.0,) * 3, (1.0,) * 3
    return Trained(CornerNet().eval(), NAMES, Preprocessing(size, resize, mode, "bilinear", *plain, 3), {})  # type: ignore[arg-type]


class Case(NamedTuple):
    """A black image of some height and width with a red box, and decoys that the crop leaves out; the row and column of
    the cell of the crop that is red then."""

    trained: Trained
    sides: tuple[int, int]
    red: Box
    cell: tuple[int, int]
    decoys: tuple[Box, ...] = ()
    rotated: bool = False


CASES = {
    "whole": Case(corner_net((16, 16), 16), (32, 32), (0, 24, 8, 32), (0, 3)),
    "enlarged": Case(corner_net((16, 16), 16), (8, 8), (6, 0, 8, 2), (3, 0)),
    "crop ratio 0.8": Case(corner_net((16, 16), 20), (40, 40), (4, 28, 12, 36), (0, 3), ((0, 0, 40, 2),)),
    "landscape": Case(corner_net((16, 16), 20), (40, 80), (28, 24, 36, 32), (3, 0), ((0, 0, 40, 20),)),
    "portrait": Case(corner_net((16, 16), 20), (80, 40), (24, 28, 32, 36), (0, 3), ((60, 0, 80, 40),)),
    "rotated by EXIF": Case(corner_net((16, 16), 20), (40, 80), (28, 24, 36, 32), (3, 0), ((0, 0, 40, 20),), True),
    "oblong crop": Case(corner_net((16, 24), 20), (40, 60), (4, 6, 12, 14), (0, 0), ((0, 58, 40, 60),)),
    "squashed": Case(corner_net((16, 16), 16, "squash"), (32, 64), (24, 48, 32, 64), (3, 3)),
}


def paint(case: Case, path: Path) -> Path:
    image = np.zeros((*case.sides, 3), dtype=np.uint8)
    for top, left, bottom, right in (case.red, *case.decoys):
        image[top:bottom, left:right, 0] = 255
    picture, exif = Image.fromarray(image), Image.Exif()
    if case.rotated:
        exif[0x0112] = 6  # to be shown rotated clockwise by a quarter turn
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    picture.save(path, exif=exif)
    return path


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.method)
@pytest.mark.parametrize("name", CASES)
def test_the_map_is_highest_where_the_evidence_is_in_the_crop(name: str, method: Explainer, tmp_path: Path) -> None:
    case = CASES[name]
    images = file_images([paint(case, tmp_path / "image.png")], case.trained.preprocessing.pixel_format, 0)
    (image,) = explain_images(case.trained, images, method, [None])
    (evidence,) = image.evidence
    size = case.trained.preprocessing.image_size
    assert image.pixels.shape == (3, *size)
    assert evidence.map.shape == size
    assert NAMES[image.predicted] == "red"
    x, y = evidence.highest[1]
    assert (y // CELL, x // CELL) == case.cell
    row, column = (CELL * place for place in case.cell)
    assert float(image.pixels[0, row : row + CELL, column : column + CELL].float().mean()) > 220
    far = torch.nn.functional.max_pool2d(evidence.map[None], CELL)[0]
    far[max(case.cell[0] - 1, 0) : case.cell[0] + 2, max(case.cell[1] - 1, 0) : case.cell[1] + 2] = 0
    assert float(far.abs().max()) < 0.1 * evidence.highest[0]


def two_colors(folder: Path) -> list[Path]:
    """A red image, one that is broken, and a blue one in a folder called red."""
    paths = [folder / "red" / name for name in ("0.png", "1.png", "2.png")]
    paths[0].parent.mkdir(parents=True)
    Image.new("RGB", (16, 16), (255, 0, 0)).save(paths[0])
    paths[1].write_bytes(b"no image")
    Image.new("RGB", (16, 16), (0, 0, 204)).save(paths[2])
    return paths


def test_a_wrong_image_is_explained_by_what_was_said_and_what_is_true(tmp_path: Path) -> None:
    trained, paths = corner_net((16, 16), 16), two_colors(tmp_path)
    images = file_images(paths, trained.preprocessing.pixel_format, 0, "skip")
    with pytest.warns(UserWarning, match="skipped 1 of 3"):
        right, wrong = explain_images(
            trained, images, Explainer("cam"), classes_by_folder(list(map(str, paths)), NAMES)
        )
    assert [right.name, wrong.name] == [str(paths[0]), str(paths[2])]
    assert [each.number for each in right.evidence] == [0]
    assert [each.number for each in wrong.evidence] == [1, 0]
    assert (right.true, wrong.true, wrong.predicted) == (0, 0, 1)
    logits = torch.tensor([0.25, 0.8 * 16 + 0.5])
    assert [each.probability for each in wrong.evidence] == pytest.approx(logits.softmax(0).flip(0).tolist(), abs=1e-6)
    assert wrong.evidence[0].highest[0] == pytest.approx(0.8 * 16, rel=1e-5)
    assert wrong.probability == wrong.evidence[0].probability


def test_a_class_that_is_asked_for_is_the_only_one(tmp_path: Path) -> None:
    trained, paths = corner_net((16, 16), 16), two_colors(tmp_path)
    images = file_images(paths[::2], trained.preprocessing.pixel_format, 0)
    explained = explain_images(trained, images, Explainer("grad-cam", "features"), [0, 0], asked=0)
    assert [[each.number for each in image.evidence] for image in explained] == [[0], [0]]
    assert [image.predicted for image in explained] == [0, 1]


def test_images_of_which_none_can_be_read_are_refused(tmp_path: Path) -> None:
    trained, paths = corner_net((16, 16), 16), two_colors(tmp_path)
    images = file_images(paths[1:2], trained.preprocessing.pixel_format, 0, "skip")
    with pytest.raises(NothingReadable, match=r"1\.png"):
        explain_images(trained, images, Explainer("cam"), [None])


def test_the_inputs_of_maps_are_those_of_the_logits() -> None:
    preprocessing = Preprocessing((4, 4), 4, "shorter_side", "bilinear", (0.5, 0.25, 0.5), (0.5, 0.5, 0.25), 3)
    trained = Trained(CornerNet().eval(), NAMES, preprocessing, {})
    pixels = torch.randint(256, (2, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(trained.network(network_inputs(trained, pixels)), trained.logits(pixels))
        assert torch.equal(trained.network(network_inputs(trained, pixels[:, :1])), trained.logits(pixels[:, :1]))


def named(name: str) -> Trained:
    return Trained(lit_cnn.create_model(name).eval(), NAMES, corner_net((32, 32), 32).preprocessing, {})


def test_auto_takes_the_exact_map_where_there_is_one() -> None:
    assert make_explainer(named("cifar_resnet8")) == Explainer("cam")
    assert make_explainer(named("cifar_vgg8")) == Explainer("grad-cam", "features")
    assert make_explainer(named("cifar_resnet8"), layer="features.stage2") == Explainer("grad-cam", "features.stage2")
    assert make_explainer(named("cifar_resnet8"), "grad-cam") == Explainer("grad-cam", "features")


def test_patch_and_stride_are_quarters_where_they_are_not_stated() -> None:
    assert make_explainer(named("cifar_resnet8"), "occlusion") == Explainer("occlusion", "", 8, 2)
    assert make_explainer(named("cifar_resnet8"), "occlusion", patch=3) == Explainer("occlusion", "", 3, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("occlusion", None, 33), "--patch is 33 but must be 1 to 32 pixels, the crop's shorter side"),
        (("occlusion", None, 4, 5), "--stride is 5 but must be 1 to 4 pixels, the patch's side"),
        (("cam", "features.stage1"), "--layer is of grad-cam"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: tuple, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_explainer(named("cifar_resnet8"), *arguments)


def test_an_exact_map_of_another_head_is_refused() -> None:
    with pytest.raises(ValueError, match=r"CifarVGG does not end in global average pooling .*: use --method grad-cam"):
        make_explainer(named("cifar_vgg8"), "cam")


def test_folders_name_classes_of_imagenet_in_three_ways() -> None:
    names = [row.name for row in imagenet_classes()]
    daisy = imagenet_classes()[985]
    for folder in (daisy.name, daisy.synset, "985"):
        assert classes_by_folder([f"a/{folder}/1.jpg", "b/other/2.jpg"], names) == [985, None]
    assert classes_by_folder(["red/1.png", "985/2.png", "3.png"], NAMES) == [0, None, None]
