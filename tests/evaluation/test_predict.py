"""Predictions of files and pixels by a network that names the strongest color."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from colors import NAMES, color_network, noise
from PIL import Image

from lit_cnn.data.sources.decoding import RGB
from lit_cnn.evaluation.predict import BATCH_SIZE, file_images, predict_files, readable_files
from lit_cnn.evaluation.trained import Trained


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """40 images, more than a batch, of sizes that differ; number i is of color i modulo 3."""
    for number in range(40):
        levels = [200 if channel == number % 3 else 20 for channel in range(3)]
        Image.new("RGB", (8 + number % 5, 9), tuple(levels)).save(tmp_path / f"{number:02}.png")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def under(on_error: str) -> Trained:
    return replace(color_network(), recipe={"data": {"on_error": on_error}})


@pytest.mark.parametrize("workers", [0, 2])
def test_files_are_named_in_their_order_by_any_number_of_workers(files: list[str], workers: int) -> None:
    predictions = predict_files(color_network(), file_images(files, RGB, workers))
    assert [prediction.file for prediction in predictions] == files
    assert [prediction.classes[0] for prediction in predictions] == [NAMES[number % 3] for number in range(40)]


def test_a_model_predicts_paths_and_pixels(files: list[str]) -> None:
    trained = color_network()
    by_path = trained.predict([Path(file) for file in files[:4]])
    assert [prediction.file for prediction in by_path] == files[:4]
    pixels = noise(3)
    by_pixels = trained.predict(pixels)
    assert [prediction.file for prediction in by_pixels] == ["0", "1", "2"]
    for prediction, logits in zip(by_pixels, pixels.float().mean((2, 3)) / 255, strict=True):
        best = logits.softmax(0).sort(descending=True)
        assert prediction.classes == [NAMES[index] for index in best.indices.tolist()]
        assert prediction.probabilities == pytest.approx(best.values.tolist(), rel=1e-5)
    assert trained.predict([]) == trained.predict(torch.zeros(0, 3, 8, 8, dtype=torch.uint8)) == []


def test_pixels_are_seen_as_they_are() -> None:
    """The crop ratio of the preprocessing is for images before it."""
    pixels = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    pixels[:, 0], pixels[:, 2, 0] = 20, 255
    (prediction,) = color_network(crop_ratio=0.5).predict(pixels)
    assert prediction.classes[0] == "blue"


@pytest.mark.parametrize("number", [3, 35])
def test_a_broken_file_is_refused_by_its_name(files: list[str], number: int) -> None:
    Path(files[number]).write_bytes(b"no image")
    for predict in (
        lambda: predict_files(under("stop"), readable_files(under("stop"), files)),
        lambda: color_network().predict(files),
    ):
        with pytest.raises(ValueError, match=rf"{number:02}\.png cannot be decoded"):
            predict()


def test_broken_files_are_left_out_and_counted_where_the_recipe_skips_them(files: list[str]) -> None:
    for number in (3, 35):
        Path(files[number]).write_bytes(b"no image")
    images = readable_files(under("skip"), files)
    sound = [file for number, file in enumerate(files) if number not in (3, 35)]
    with pytest.warns(UserWarning, match=r"skipped 2 of 40 images of the given files, the first: the image .*03\.png"):
        predicted = predict_files(under("skip"), images)
    assert [prediction.file for prediction in predicted] == sound


def test_few_files_are_decoded_without_workers(files: list[str]) -> None:
    assert file_images(files[:BATCH_SIZE], RGB).workers == 0
    assert file_images(files, RGB).workers > 0
