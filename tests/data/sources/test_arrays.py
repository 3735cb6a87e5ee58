"""npz files: accepted layouts, and a sentence for everything else."""

import numpy as np
import pytest
import torch

from lit_cnn.data.sources.arrays import ArraySplit, channel_statistics, read_npz, stated_in_npz

GRAY = np.arange(4 * 6 * 6, dtype=np.uint8).reshape(4, 6, 6)
LABELS = np.array([0, 1, 1, 0])


def _save(path, **changes):
    arrays = {"train_images": GRAY, "train_labels": LABELS, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_gray_and_color_and_column_labels(tmp_path):
    splits, names = read_npz(_save(tmp_path / "a.npz", val_images=GRAY[:1], val_labels=LABELS[:1, None]))
    assert splits["train"].images.shape == (4, 1, 6, 6)
    assert splits["train"].labels.dtype == torch.int64
    assert len(splits["val"]) == 1
    assert names == ["0", "1"]
    color = np.stack([GRAY, GRAY, GRAY + 1], axis=-1)
    splits, names = read_npz(_save(tmp_path / "b.npz", train_images=color, class_names=np.array(["ant", "bee", "cow"])))
    assert names == ["ant", "bee", "cow"]
    assert torch.equal(splits["train"].images[:, 2], torch.from_numpy(GRAY + 1))


@pytest.mark.parametrize(
    ("stated", "names"),
    [([b"cat", "Käfer".encode()], ["cat", "Käfer"]), ([b"\xe4", b"\xfc"], ["\\xe4", "\\xfc"]), ([3, 5], ["3", "5"])],
)
def test_names_of_classes_may_be_bytes_and_numbers(tmp_path, stated, names):
    """Bytes were shown as Python's b'cat'."""
    path = _save(tmp_path / "x.npz", class_names=np.array(stated))
    assert read_npz(path)[1] == stated_in_npz(path)[1] == names


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_labels": None}, "no array 'train_labels'; it holds train_images"),
        ({"train_images": GRAY.astype(np.float32)}, "float32; uint8"),
        ({"train_images": GRAY[0]}, r"shape \(6, 6\)"),
        ({"train_images": GRAY.reshape(4, 1, 6, 6)}, "1, 3 or 4 channels"),
        ({"train_labels": LABELS[:3]}, "3 labels for 4 images"),
        ({"train_labels": LABELS.astype(float)}, "one integer per image"),
        ({"train_labels": LABELS - 1}, "negative label -1"),
        ({"train_labels": LABELS * 0}, "one class only"),
        ({"class_names": np.array(["a", "b"]), "train_labels": LABELS * 5}, "label 5, but there are only 2 classes"),
        ({"val_images": GRAY, "val_labels": LABELS + 1}, "val_labels .* label 2"),
        ({"val_images": GRAY}, "val_images but no val_labels"),
        ({"test_images": np.stack([GRAY] * 3, -1), "test_labels": LABELS}, "3 channels, unlike"),
        ({"train_labels": np.array([None, 1, 1, 0])}, "not a readable npz"),
    ],
)
def test_unusable_arrays_are_named(tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        read_npz(_save(tmp_path / "x.npz", **changes))


def test_images_to_evaluate_need_no_training_images(tmp_path):
    test = {"train_images": None, "train_labels": None, "test_images": GRAY}
    splits, names = read_npz(_save(tmp_path / "a.npz", **test, test_labels=LABELS * 2), to_train=False)
    assert [list(splits), len(splits["test"]), names] == [["test"], 4, ["0", "1", "2"]]
    assert read_npz(_save(tmp_path / "b.npz", **test, test_labels=LABELS * 0), to_train=False)[1] == ["0"]
    both = {**test, "val_images": GRAY, "val_labels": LABELS, "test_labels": LABELS * 4}
    assert len(read_npz(_save(tmp_path / "c.npz", **both), to_train=False)[1]) == 5
    with pytest.raises(ValueError, match="no array 'test_images'; it holds train_labels"):
        read_npz(_save(tmp_path / "d.npz", train_images=None), to_train=False)


def test_broken_file_is_named(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ValueError, match=r"x\.npz is not a readable npz"):
        read_npz(tmp_path / "x.npz")
    np.save(tmp_path / "y.npz.npy", GRAY)
    with pytest.raises(ValueError, match="is not a readable npz"):
        read_npz(tmp_path / "y.npz.npy")


def test_statistics_are_the_pixels(tmp_path):  # noqa: ARG001
    images = torch.randint(0, 256, (5, 2, 7, 7), dtype=torch.uint8)
    images[:, 1] = 9
    mean, std = channel_statistics(images)
    pixels = images[:, 0].double() / 255
    assert mean[0] == pytest.approx(pixels.mean().item(), abs=1e-6)
    assert std[0] == pytest.approx(pixels.std(correction=0).item(), abs=1e-6)
    assert std[1] == 1.0


def test_take_selects_rows():
    split = ArraySplit(torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1), torch.arange(4))
    part = split.take(torch.tensor([2, 0]))
    assert part.images.flatten().tolist() == part.labels.tolist() == [2, 0]
