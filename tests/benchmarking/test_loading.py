import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn import ImageData
from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.loading import BATCHES, DataSpeed, data_line, measure_data, turn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.jpg")
    return tmp_path


def test_a_folder_is_compared_with_decoding_alone(folder: Path) -> None:
    data = ImageData("imagefolder", str(folder), image_size=16, batch_size=4, workers=0)
    speed = measure_data(data, rounds=2)
    assert (speed.workers, speed.loader.rounds) == (0, 2)
    assert speed.decoding is not None
    assert speed.share is not None
    assert min(speed.loader.median, speed.decoding.median, speed.share.median) > 0


def test_a_batch_that_exceeds_the_images_is_limited_to_them_as_fit_does_it(folder: Path) -> None:
    data = ImageData("imagefolder", str(folder), image_size=8, batch_size=100, workers=0)
    measure_data(data, rounds=1)
    assert data.batch_size == data.train_size


def test_batches_made_in_advance_do_not_count() -> None:
    ticks, made = itertools.count(), []

    def loader():
        for number in range(3):  # an epoch shorter than a turn goes on with the next
            made.append(number)
            yield number

    class Loader:
        def __iter__(self):
            return loader()

    assert turn(Loader, 2, clock=lambda: float(next(ticks)))() == 1 / (2 * BATCHES)
    assert len(made) == 1 + 2 * 2 + 2 * BATCHES


@pytest.mark.parametrize("workers", [1, 3, 5, 8, 16])
def test_workers_that_deliver_together_are_not_taken_for_faster(workers: int) -> None:
    """A burst of one batch per worker every ``workers`` seconds is one batch per second."""
    now = [0.0]

    def loader():
        while True:
            now[0] += workers
            yield from range(workers)

    assert turn(loader, workers, clock=lambda: now[0])() == 1.0


def test_the_line_says_what_is_missing() -> None:
    some = Spread(100.0, 90.0, 110.0, 6)
    assert "nothing is decoded" in data_line(DataSpeed(0, some, None, None))
    line = data_line(DataSpeed(2, some, Spread(200.0, 190.0, 210.0, 6), Spread(0.5, 0.4, 0.6, 6)))
    assert "100 images/s [90, 110]" in line
    assert "2 workers, 0.500 [0.400, 0.600] of decoding the same files alone (200 images/s)" in line
