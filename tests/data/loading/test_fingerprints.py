"""What a checkpoint remembers of images, and how it knows them again."""

import io

import numpy as np
import pytest
import torch

from lit_cnn.data.loading import fingerprints as module
from lit_cnn.data.loading.fingerprints import Fingerprints, Recognized, other_images, recognize
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.shards import ShardSplit

CLASSES = ["cat", "dog"]


def write(root, names, size=lambda number: 100 + number):
    """Files below ``root`` of random bytes, ``size`` of their number long."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        content = np.random.default_rng([number, len(str(root))]).bytes(size(number))
        (root / name).write_bytes(content)
    return split_of(root, names)


def split_of(root, names):
    table = PathTable.of([str(root / name) for name in names], str(root))
    return FolderSplit(table, torch.tensor([CLASSES.index(name.split("/")[0]) for name in names]))


def names(numbers):
    return [f"{CLASSES[number % 2]}/{number}.jpg" for number in numbers]


def test_files_are_known_again_wherever_they_lie(tmp_path):
    known = Fingerprints.of(write(tmp_path / "a", names(range(40))), CLASSES)
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "a").rename(tmp_path / "elsewhere" / "b")
    assert recognize(known, split_of(moved, names(range(40))), CLASSES) == Recognized(40, 40, False)
    write(moved, names(range(100, 120)))
    mixed = split_of(moved, [*names(range(30)), *names(range(100, 120))])
    assert recognize(known, mixed, CLASSES) == Recognized(30, 50, False)


def test_a_file_of_another_class_name_or_size_is_another(tmp_path):
    known = Fingerprints.of(write(tmp_path, names(range(10))), CLASSES)
    (tmp_path / "cat" / "0.jpg").write_bytes(b"short")
    (tmp_path / "cat" / "2.jpg").rename(tmp_path / "dog" / "2.jpg")
    (tmp_path / "cat" / "4.jpg").rename(tmp_path / "cat" / "4.jpeg")
    files = ["cat/0.jpg", "dog/2.jpg", "cat/4.jpeg", *names(range(5, 10))]
    assert recognize(known, split_of(tmp_path, files), CLASSES) == Recognized(5, 8, False)


def test_sets_that_merely_use_the_same_names_share_no_image(tmp_path):
    """Same classes, names and sizes, but other contents, as of uncompressed images."""
    train = write(tmp_path / "train", names(range(300)), size=lambda _: 700)
    test = write(tmp_path / "test of it", names(range(300)), size=lambda _: 700)
    known = Fingerprints.of(train, CLASSES)
    assert recognize(known, test, CLASSES) == Recognized(0, 300, False)
    assert recognize(known, train, CLASSES) == Recognized(300, 300, False)


@pytest.mark.slow
def test_of_many_files_the_number_is_estimated_from_a_sample(tmp_path):
    """2000 of 4000 were trained on, of which 400 are remembered: within four standard deviations."""
    train = write(tmp_path, names(range(2000)), size=lambda number: 1 + number % 97)
    known = Fingerprints.of(train, CLASSES, sample=400)
    assert known.keys.shape == (400, 2)
    both = write(tmp_path, names(range(4000)), size=lambda number: 1 + number % 97)
    result = recognize(known, both, CLASSES)
    assert result.estimated
    assert result.images == 4000
    assert abs(result.known - 2000) < 4 * 4000 * (0.25 / 800) ** 0.5
    assert recognize(known, split_of(tmp_path, names(range(2000, 4000))), CLASSES).known == 0


def test_only_sampled_files_are_looked_at(tmp_path, monkeypatch):
    looked, sizes, content = [], module._sizes, module._content_hash
    monkeypatch.setattr(module, "_sizes", lambda paths: looked.extend(paths) or sizes(paths))
    monkeypatch.setattr(
        module, "_content_hash", lambda split, row: looked.append(split.paths[row]) or content(split, row)
    )
    Fingerprints.of(write(tmp_path, names(range(50))), CLASSES, sample=7)
    assert len(set(looked)) == 7


def test_arrays_are_known_by_their_pixels():
    pixels = torch.randint(0, 256, (60, 3, 9, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    split = ArraySplit(pixels, torch.zeros(60, dtype=torch.int64))
    known = Fingerprints.of(split.take(torch.arange(40)), CLASSES)
    assert recognize(known, split.take(torch.arange(25, 60)), CLASSES) == Recognized(15, 35, False)
    changed = pixels.clone()
    changed[3, 0, 0, 0] += 1
    assert other_images(known, ArraySplit(changed, split.labels).take(torch.arange(40)), CLASSES) == ([3], [])


def test_the_digest_is_of_classes_and_order(tmp_path):
    split = write(tmp_path, names(range(10)))
    digest = Fingerprints.of(split, CLASSES).digest
    assert Fingerprints.of(split_of(tmp_path, names(range(10))), CLASSES).digest == digest
    assert Fingerprints.of(split.take(torch.arange(10).flip(0)), CLASSES).digest != digest
    assert Fingerprints.of(FolderSplit(split.paths, 1 - split.labels), CLASSES).digest != digest


def test_what_differs_is_named(tmp_path):
    known = Fingerprints.of(write(tmp_path, names(range(10))), CLASSES)
    (tmp_path / "cat" / "0.jpg").write_bytes(b"short")
    (tmp_path / "dog" / "1.jpg").unlink()  # listed before
    (tmp_path / "cat" / "4.jpg").rename(tmp_path / "cat" / "44.jpg")
    now = split_of(tmp_path, ["cat/0.jpg", "dog/1.jpg", "cat/44.jpg", *names(range(5, 10))])
    assert other_images(known, now, CLASSES) == ([2], [0, 1])


def test_packed_sets_have_a_digest_alone():
    split = ShardSplit("packed/train", torch.tensor([0, 1, 0]), (3,))
    known = Fingerprints.of(split, CLASSES)
    assert known.threshold is None
    assert len(known.keys) == 0
    assert recognize(known, split, CLASSES) is None
    assert other_images(known, split, CLASSES) == ([], [])
    assert known.digest != Fingerprints.of(ShardSplit("packed/train", torch.tensor([0, 1, 1]), (3,)), CLASSES).digest


def test_a_checkpoint_holds_them_as_tensors_and_built_in_types(tmp_path):
    known = Fingerprints.of(write(tmp_path, names(range(10))), CLASSES)
    stream = io.BytesIO()
    torch.save(known.as_dict(), stream)
    again = Fingerprints(**torch.load(io.BytesIO(stream.getvalue()), weights_only=True))
    assert again.keys.dtype == again.contents.dtype == torch.int32
    assert recognize(again, split_of(tmp_path, names(range(10))), CLASSES) == Recognized(10, 10, False)


@pytest.mark.parametrize("count", [0, 1])
def test_few_images_are_no_special_case(tmp_path, count):
    split = write(tmp_path, names(range(1))).take(torch.arange(count))
    assert recognize(Fingerprints.of(split, CLASSES), split, CLASSES) == Recognized(count, count, False)
