"""Predictions of files and pixels by a network that names the strongest color."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from colors import NAMES, color_network, noise
from PIL import Image

from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.decoding import RGB
from lit_cnn.evaluation.predict import BATCH_SIZE, Prediction, file_images, predict_files


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """40 images, more than a batch, of sizes that differ; number i is of color i modulo 3."""
    for number in range(40):
        levels = [200 if channel == number % 3 else 20 for channel in range(3)]
        Image.new("RGB", (8 + number % 5, 9), tuple(levels)).save(tmp_path / f"{number:02}.png")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def predicted(files: list[str], *, top_k: int = 5, **options: Any) -> list[Prediction]:
    batches = predict_files(color_network(), file_images(files, RGB, **options), top_k)
    return [prediction for batch in batches for prediction in batch]


@pytest.mark.parametrize("workers", [0, 2])
def test_files_are_named_in_their_order_by_any_number_of_workers(files: list[str], workers: int) -> None:
    predictions = predicted(files, workers=workers)
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


def test_pixels_of_another_size_are_seen_as_those_of_a_file(tmp_path: Path) -> None:
    pixels = noise(1, 20, 31)
    Image.fromarray(pixels[0].permute(1, 2, 0).numpy()).save(tmp_path / "a.png")
    trained = color_network(crop_ratio=0.5)
    (by_pixels,), (by_file,) = trained.predict(pixels), trained.predict([tmp_path / "a.png"])
    assert by_pixels.classes == by_file.classes
    assert by_pixels.probabilities == pytest.approx(by_file.probabilities)
    assert trained.predict(pixels / 255)[0].probabilities != pytest.approx(by_file.probabilities)  # taken as it is


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 35])
def test_a_broken_file_is_refused_by_its_name(files: list[str], number: int) -> None:
    Path(files[number]).write_bytes(b"no image")
    for predict in (predicted, color_network().predict):
        with pytest.raises(ValueError, match=rf"{number:02}\.png cannot be decoded"):
            predict(files)


@pytest.mark.parametrize("kind", [str, Path])
def test_one_path_is_a_list_of_one(files: list[str], kind: type) -> None:
    (prediction,) = color_network().predict(kind(files[1]))
    assert (prediction.file, prediction.classes[0]) == (files[1], NAMES[1])


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_file_that_was_never_there_does_not_exist(files: list[str], on_error: OnError) -> None:
    named = [files[0], "gone.png"]
    if on_error == "stop":
        with pytest.raises(FileNotFoundError, match=r"^the image gone\.png does not exist; correct its path$"):
            color_network().predict(named)
    else:
        assert "gone.png does not exist" in str(color_network().predict(named, on_error="skip")[1].error)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("bad", [[0], [3, 4, 35], [31, 32], [39], range(40)])
def test_a_broken_file_keeps_its_place_and_says_what_is_wrong(
    files: list[str], bad: list[int] | range, workers: int
) -> None:
    for number in bad:
        Path(files[number]).write_bytes(b"no image")
    found = predicted(files, workers=workers, on_error="skip")
    assert [prediction.file for prediction in found] == files
    for number, prediction in enumerate(found):
        if number in bad:
            assert (prediction.classes, prediction.probabilities) == ([], [])
            assert f"{number:02}.png cannot be decoded" in str(prediction.error)
        else:
            assert (prediction.classes[0], prediction.error) == (NAMES[number % 3], None)
    if not workers:
        assert color_network().predict(files, on_error="skip") == found


def test_batches_come_before_later_files_are_read(files: list[str]) -> None:
    """So that they can be written before anything ends the process."""
    Path(files[-1]).write_bytes(b"no image")
    batches = predict_files(color_network(), file_images(files, RGB, 0), 5)
    assert len(next(batches)) == BATCH_SIZE
    with pytest.raises(ValueError, match=r"39\.png"):
        next(batches)


@pytest.mark.parametrize(("top_k", "classes"), [(1, 1), (2, 2), (5, 3)])
def test_as_many_classes_as_asked_for_or_as_there_are(files: list[str], top_k: int, classes: int) -> None:
    assert {len(prediction.classes) for prediction in predicted(files[:3], top_k=top_k)} == {classes}
    assert color_network().predict(files[:3], top_k=top_k) == predicted(files[:3], top_k=top_k)
    assert len(color_network().predict(noise(1), top_k=top_k)[0].classes) == classes


def test_less_than_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="top_k is 0 but must be at least 1"):
        color_network().predict(noise(1), top_k=0)


def test_a_temperature_changes_probabilities_but_no_class() -> None:
    cold, warm = color_network(), color_network()
    warm.temperature = 4.0
    for before, after, logits in zip(cold.predict(noise(3)), warm.predict(noise(3)), noise(3), strict=True):
        assert before.classes == after.classes
        best = (logits.float().mean((1, 2)) / 255 / 4).softmax(0).sort(descending=True)
        assert after.probabilities == pytest.approx(best.values.tolist(), rel=1e-5)


def test_few_files_are_decoded_without_workers(files: list[str]) -> None:
    assert file_images(files[:BATCH_SIZE], RGB).workers == 0
    assert file_images(files, RGB).workers > 0


@pytest.mark.parametrize("shape", [(3, 8, 8), (8, 8), (1, 2, 3, 8, 8)])
def test_pixels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(N, C, H, W\) are expected, got \(.*8, 8\): one image is image\[None\]"):
        color_network().predict(torch.rand(shape))


@pytest.mark.parametrize(
    "images", [np.zeros((2, 8, 8, 3), np.uint8), [Image.new("RGB", (8, 8))], Image.new("L", (8, 8))]
)
def test_what_is_neither_a_path_nor_a_tensor_is_refused(images: Any) -> None:
    with pytest.raises(ValueError, match=r"given by its path, got (ndarray|Image)"):
        color_network().predict(images)
