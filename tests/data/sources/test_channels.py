"""Arrays and files with the number of channels that a recipe states."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import Normalize
from lit_cnn.data.sources.arrays import channel_statistics
from lit_cnn.data.sources.channels import convert_channels


def npz(path, channels, count=8):
    random = np.random.default_rng(0)
    shape = (count, 6, 6) if channels == 1 else (count, 6, 6, channels)
    labels = np.arange(count) % 2
    images = random.integers(0, 256, shape, dtype=np.uint8)
    np.savez(path, train_images=images, train_labels=labels, val_images=images[:4], val_labels=labels[:4])
    return str(path)


@pytest.fixture
def folder(tmp_path):
    """RGBA files, of which one class has no alpha channel."""
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for name, mode in (("cat", "RGBA"), ("dog", "RGB")):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(3):
                pixels = random.integers(0, 256, (9, 7, len(mode)), dtype=np.uint8)
                Image.fromarray(pixels, mode).save(tmp_path / split / name / f"{number}.png")
    return tmp_path


def data(source, path, **options):
    return ImageData(source, str(path), image_size=6, batch_size=4, workers=0, **options)


def test_gray_is_copied_and_color_becomes_its_luma_as_pillow_rounds_it():
    colors = torch.randint(0, 256, (2000, 3, 2, 2), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    gray = convert_channels(colors, 1)
    for one, other in zip(gray[:50], colors[:50], strict=True):
        assert torch.equal(one, functional.pil_to_tensor(functional.to_pil_image(other).convert("L")))
    assert gray.shape == (2000, 1, 2, 2)
    assert torch.equal(convert_channels(gray, 3), gray.repeat(1, 3, 1, 1))
    assert convert_channels(colors, 3) is colors
    with pytest.raises(ValueError, match="images of 4 channels cannot become images of 3"):
        convert_channels(torch.zeros(1, 4, 2, 2, dtype=torch.uint8), 3)


def test_an_array_is_read_with_the_stated_channels_and_statistics_of_its_own(tmp_path):
    gray, color = npz(tmp_path / "gray.npz", 1), npz(tmp_path / "color.npz", 3)
    copied = data("npz", gray, in_channels=3)
    assert copied.in_channels == 3
    assert copied.loaded.train.images.shape == (8, 3, 6, 6)
    assert copied.loaded.val.images.shape == (4, 3, 6, 6)
    own = data("npz", gray).loaded
    assert copied.preprocessing.mean == own.mean * 3
    assert copied.preprocessing.std == own.std * 3
    luma = data("npz", color, in_channels=1)
    assert luma.loaded.train.images.shape == (8, 1, 6, 6)
    assert (luma.preprocessing.mean, luma.preprocessing.std) == channel_statistics(luma.loaded.train.images)
    assert luma.preprocessing.in_channels == luma.in_channels == 1
    assert next(iter(luma.train_dataloader())).images.shape == (4, 1, 6, 6)


def test_null_takes_the_sources_channels(tmp_path):
    assert [data("npz", npz(tmp_path / f"{count}.npz", count)).in_channels for count in (1, 3, 4)] == [1, 3, 4]


def test_four_channels_of_an_array_are_its_own_and_nothing_else(tmp_path):
    four = data("npz", npz(tmp_path / "four.npz", 4))
    batch = next(iter(four.train_dataloader()))
    assert batch.images.shape == (4, 4, 6, 6)
    assert len(four.preprocessing.mean) == 4
    for channels, stated in ((4, 3), (4, 1), (3, 4), (1, 4)):
        with pytest.raises(ValueError, match=rf"data\.in_channels is {stated}, but the images of .*have {channels}"):
            data("npz", npz(tmp_path / "x.npz", channels), in_channels=stated).setup()


@pytest.mark.parametrize(("channels", "mean", "std"), [(1, (0.449,), (0.226,)), (3, (0.485, 0.456, 0.406), None)])
def test_files_become_gray_or_color_with_the_customary_statistics(folder, channels, mean, std):
    files = data("imagefolder", folder, in_channels=channels)
    assert next(iter(files.val_dataloader())).images.shape == (4, channels, 6, 6)
    assert files.preprocessing.mean == mean
    assert std is None or files.preprocessing.std == std
    own = data("imagefolder", folder, in_channels=channels, normalize=Normalize((0.5,) * channels, (0.2,) * channels))
    assert own.preprocessing.mean == (0.5,) * channels


def test_files_with_alpha_are_measured_and_opaque_where_they_have_none(folder):
    files = data("imagefolder", folder, in_channels=4)
    pixels = [np.asarray(Image.open(path).convert("RGBA")) / 255 for path in sorted(folder.glob("train/*/*.png"))]
    every = np.concatenate([image.reshape(-1, 4) for image in pixels])
    assert files.preprocessing.mean == pytest.approx(every.mean(0), abs=1e-6)
    assert files.preprocessing.std == pytest.approx(every.std(0), abs=1e-6)
    batch = next(iter(files.val_dataloader()))
    assert batch.images.shape == (4, 4, 6, 6)
    assert (batch.images[batch.targets == 1, 3] == 255).all()
    assert (batch.images[batch.targets == 0, 3] < 255).any()


def test_alpha_that_no_file_has_is_refused(folder):
    for path in folder.glob("*/cat/*.png"):
        Image.open(path).convert("RGB").save(path)
    with pytest.raises(
        ValueError, match=r"in_channels is 4, but none of 6 images of .* has a transparent pixel; set it to 3"
    ):
        data("imagefolder", folder, in_channels=4).setup()


def test_broken_files_are_left_out_of_the_sample_and_named_where_there_are_no_others(folder):
    paths = sorted(folder.glob("train/*/*.png"))
    paths[0].write_bytes(paths[0].read_bytes()[:60])
    assert len(data("imagefolder", folder, in_channels=4).preprocessing.mean) == 4
    for path in paths:
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"\.png cannot be decoded"):
        data("imagefolder", folder, in_channels=4).setup()


def test_other_numbers_are_refused():
    with pytest.raises(ValueError, match=r"data\.in_channels is 2 but must be null, 1 \(gray\), 3 \(RGB\) or 4"):
        data("digits", "", in_channels=2)
