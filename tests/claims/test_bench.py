"""The images of a claim: splits without a common image, the same everywhere."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lit_cnn.claims.bench import BenchImages, bench_images, write_images
from lit_cnn.claims.claim import Images
from lit_cnn.data.sources.arrays import ArraySplit, read_npz
from lit_cnn.data.sources.load import Source

STATISTICS = (0.5,), (0.2,)


def rows_of(split: ArraySplit) -> set[bytes]:
    return {image.numpy().tobytes() for image in split.images}


def test_no_image_is_in_two_splits() -> None:
    images = bench_images(Images("digits", 1000))
    splits = [rows_of(split) for split in (images.train, images.judging, images.choosing)]
    assert [len(split) for split in (images.train, images.judging, images.choosing)] == [1000, 531, 266]
    assert not splits[0] & splits[1]
    assert not splits[0] & splits[2]
    assert not splits[1] & splits[2]


def test_they_are_the_same_at_every_call() -> None:
    assert bench_images(Images("digits", 1000)).digest() == bench_images(Images("digits", 1000)).digest()
    assert bench_images(Images("digits", 900)).digest() != bench_images(Images("digits", 1000)).digest()


def test_training_images_judge_where_a_claim_is_about_optimization() -> None:
    images = bench_images(Images("digits", 1000, "training"))
    assert rows_of(images.judging) == rows_of(images.train)


def test_a_set_with_a_test_split_is_judged_on_what_it_holds_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def split(first: int, count: int) -> ArraySplit:
        values = torch.arange(first, first + count, dtype=torch.int64)
        return ArraySplit((values[:, None, None, None] % 256).byte().expand(-1, 3, 2, 2).contiguous(), values % 10)

    parts = split(0, 50), split(50, 20), split(70, 30)
    source = Source(*parts, [str(k) for k in range(10)], 3, *STATISTICS, "a set")
    monkeypatch.setattr("lit_cnn.claims.bench.load_source", lambda _: source)
    images = bench_images(Images("cifar10", 40))
    assert rows_of(images.judging) == rows_of(parts[1]) | rows_of(parts[2])
    assert rows_of(images.train) | rows_of(images.choosing) == rows_of(parts[0])
    with pytest.raises(ValueError, match="cifar10 holds 50 training images, and this claim needs 60"):
        bench_images(Images("cifar10", 60))


def test_the_files_are_written_once(tmp_path: Path) -> None:
    split = ArraySplit(torch.arange(48, dtype=torch.uint8).view(3, 4, 2, 2), torch.tensor([0, 1, 2]))
    images = BenchImages(split, split.take(torch.tensor([1, 2])), split.take(torch.tensor([0, 1])))
    judged, choosing = write_images(images, tmp_path / "images")
    arrays, names = read_npz(judged)
    assert torch.equal(arrays["train"].images, split.images)
    assert torch.equal(arrays["val"].labels, torch.tensor([1, 2]))
    assert len(names) == 3
    assert np.load(choosing)["val_labels"].tolist() == [0, 1]
    before = judged.stat().st_mtime_ns
    assert write_images(images, tmp_path / "images")[0].stat().st_mtime_ns == before
