"""Loaders: the same batches for any number of worker processes, and errors that survive them."""

import re
import warnings

import pytest
import torch
from PIL import Image

from lit_cnn.data import image_size
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.erasing import Cutout
from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup
from lit_cnn.data.augmentation.plan import Stage
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.batch import SKIPPED
from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import Evaluation
from lit_cnn.data.sources.decoding import TooManyPixels, UnknownLevels


@pytest.fixture
def folder(tmp_path):
    for split, count in (("train", 6), ("val", 2)):
        for label, name in enumerate(("cat", "dog")):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count):
                noise = Image.effect_noise((20, 24), 90 + label).convert("RGB")
                noise.save(tmp_path / split / name / f"{number}.png")
    return tmp_path


def _data(source, path=None, workers=0, **options):
    return ImageData(
        source,
        path,
        image_size=8,
        batch_size=4,
        workers=workers,
        evaluation=Evaluation(crop_ratio=1.0),
        **{"crop": Crop("random_resized"), "rand_augment": RandAugment(2, 9), "cutout": Cutout(4), **options},
    )


def _content(loader, count=3):
    batches = [batch for _, batch in zip(range(count), loader, strict=False)]
    return [
        torch.cat([getattr(batch, name) for batch in batches]) for name in ("images", "targets", "index", "position")
    ]


def test_a_broken_file_is_skipped_where_the_recipe_says_so(folder):
    path = folder / "train" / "dog" / "1.png"
    whole = _content(_data("imagefolder", str(folder)).train_dataloader())
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"1\.png cannot be decoded"):
        list(_data("imagefolder", str(folder)).train_dataloader())
    with pytest.warns(UserWarning, match=r"skipped: .*1\.png cannot be decoded"):
        part = _content(_data("imagefolder", str(folder), on_error="skip").train_dataloader())
    kept = part[2] >= 0
    assert part[2][~kept].tolist() == [SKIPPED]
    for ours, theirs in zip(part, whole, strict=True):
        assert torch.equal(ours[kept], theirs[kept])


def test_a_skipped_file_is_no_black_image_in_the_statistics(folder):
    path = folder / "train" / "dog" / "1.png"
    whole = _data("imagefolder", str(folder)).training_images(12)
    path.write_bytes(path.read_bytes()[:60])
    data = _data("imagefolder", str(folder), on_error="skip")
    with pytest.warns(UserWarning, match="skipped"):
        part = data.training_images(12)
    assert torch.equal(part, whole[[row for row in range(12) if row != 7]])


def test_a_skipped_file_is_blank_at_a_size_that_is_no_square(folder):
    path = folder / "train" / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    data = ImageData("imagefolder", str(folder), image_size=(8, 12), batch_size=12, workers=0, on_error="skip")
    with pytest.warns(UserWarning, match="skipped"):
        assert next(iter(data.train_dataloader())).images.shape == (12, 3, 8, 12)


@pytest.mark.parametrize("kind", ["random_resized", "pad", "shorter_side", "resize"])
def test_a_thin_file_is_trained_and_validated_on_and_named_once(folder, kind, monkeypatch):
    monkeypatch.setattr(image_size, "_named", [])
    for number in range(2):
        Image.new("RGB", (30_000, 1), (200, 0, 0)).save(folder / "train" / "cat" / f"line{number}.png")
        Image.new("RGB", (1, 30_000), (200, 0, 0)).save(folder / "val" / "cat" / f"line{number}.png")
    data = _data("imagefolder", str(folder), crop=Crop(kind, shorter_side=(9, 12)), rand_augment=RandAugment())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(list(data.train_dataloader())) == 3
        (batch, *_) = list(data.val_dataloader())
    assert (batch.images[2:, 0] == 200).all()
    (only,) = caught
    assert re.search(r"cat/line\d\.png has 30000x1 pixels, one side over 50 times the other", str(only.message))


def test_a_file_of_another_size_is_named_under_no_crop(folder):
    Image.new("RGB", (9, 8)).save(folder / "train" / "cat" / "0.png")
    data = ImageData("imagefolder", str(folder), image_size=(24, 20), batch_size=12, workers=0, crop=Crop("none"))
    with pytest.raises(ValueError, match=r"needs images of 20x24 pixels .* the image .*cat/0\.png has 9x8; choose"):
        list(data.train_dataloader())


def test_another_word_for_on_error_is_refused():
    with pytest.raises(ValueError, match=r"data\.on_error is 'ignore' but must be stop or skip"):
        _data("digits", on_error="ignore")


def test_another_word_for_decode_is_refused():
    with pytest.raises(ValueError, match=r"data\.decode is 'half' but must be full or reduced"):
        _data("digits", decode="half")


def test_reduced_decoding_reaches_training_alone(tmp_path):
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(4):
                noise = Image.effect_noise((64, 64), 90).convert("RGB")
                noise.save(tmp_path / split / name / f"{number}.jpg")
    full, reduced = (_data("imagefolder", str(tmp_path), decode=decode) for decode in ("full", "reduced"))
    ours, theirs = _content(full.train_dataloader()), _content(reduced.train_dataloader())
    assert not torch.equal(ours[0], theirs[0])
    assert all(torch.equal(one, other) for one, other in zip(ours[1:], theirs[1:], strict=True))
    assert torch.equal(_content(full.val_dataloader())[0], _content(reduced.val_dataloader())[0])


@pytest.mark.slow
@pytest.mark.parametrize("source", ["digits", "imagefolder"])
@pytest.mark.parametrize("workers", [1, 2])
def test_batches_do_not_depend_on_workers(source, workers, folder):
    path = str(folder) if source == "imagefolder" else None
    expected = _content(_data(source, path).train_dataloader())
    actual = _content(_data(source, path, workers).train_dataloader())
    for ours, theirs in zip(actual, expected, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["digits", "imagefolder"])
def test_stages_reach_the_worker_processes_with_the_epoch(source, folder):
    """One loader, the same for both stages: the crop itself has the stage's size."""
    path = str(folder) if source == "imagefolder" else None
    content = []
    for workers in (0, 2):
        data = _data(source, path, workers)
        data.stages = (Stage(0, 6, 1, 0.0, 0.0), Stage(2, 12, 9, 0.0, 0.0))
        loader = data.train_dataloader()
        for epoch, size in ((1, 6), (2, 12)):
            loader.sampler.set_epoch(epoch)
            content.append(_content(loader))
            assert content[-1][0].shape[-2:] == (size, size)
    for alone, worked in zip(content[:2], content[2:], strict=True):
        for ours, theirs in zip(worked, alone, strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["digits", "imagefolder"])
def test_mixing_first_happens_in_the_worker_processes(source, folder):
    path = str(folder) if source == "imagefolder" else None
    options = {"mixup": Mixup(1.0), "cutmix": CutMix(1.0), "mixing": Mixing(first=True, per_image=True)}
    alone, worked = (_content(_data(source, path, workers, **options).train_dataloader()) for workers in (0, 2))
    assert alone[1].dtype == torch.float32
    torch.testing.assert_close(alone[1].sum(1), torch.ones(12))
    assert alone[1].amax(1).min() < 0.99
    for ours, theirs in zip(worked, alone, strict=True):
        assert torch.equal(ours, theirs)


def test_mixing_first_keeps_the_crops_of_the_usual_order(folder):
    """Without mixing and without anything after the flips both ways give the same images."""
    plain = {"rand_augment": RandAugment(), "cutout": Cutout()}
    first = {**plain, "mixup": Mixup(1.0, probability=0.0), "mixing": Mixing(first=True)}
    for source in ("digits", "imagefolder"):
        path = str(folder) if source == "imagefolder" else None
        ours, theirs = (_content(_data(source, path, **options).train_dataloader()) for options in (first, plain))
        assert torch.equal(ours[0], theirs[0])


@pytest.mark.slow
def test_workers_can_be_spawned(folder):
    options = {"mixup": Mixup(1.0), "mixing": Mixing(first=True)}
    loader = _data("imagefolder", str(folder), 1, **options).train_dataloader()
    loader.multiprocessing_context = "spawn"
    expected = _content(_data("imagefolder", str(folder), **options).train_dataloader())
    for ours, theirs in zip(_content(loader), expected, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("workers", [0, 1])
def test_unreadable_file_is_named_from_any_process(folder, workers):
    for name in (folder / "train" / "cat").iterdir():
        name.write_bytes(name.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"cat/\d\.png cannot be decoded") as caught:
        _content(_data("imagefolder", str(folder), workers).train_dataloader())
    assert str(caught.value).strip().endswith("replace or remove the file, or set data.on_error to skip")


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_training_says_which_keys_help(folder, workers):
    with pytest.raises(TooManyPixels, match=r"20 x 24 = 480 px, more than the 479 px") as caught:
        _content(_data("imagefolder", str(folder), workers, max_pixels=479).train_dataloader())
    assert str(caught.value).strip().endswith("remove it, or raise data.max_pixels, or set data.on_error to skip")
    for path in (folder / "train").rglob("*.png"):
        Image.new("F", (8, 8)).save(path, "TIFF")
    with pytest.raises(UnknownLevels, match="floating-point") as caught:
        _content(_data("imagefolder", str(folder), workers).train_dataloader())
    assert "or set data.levels to the numbers [low, high] that are black and white, or data.on_e" in str(caught.value)
    assert len(_content(_data("imagefolder", str(folder), workers, levels=(0, 1)).train_dataloader())) == 4


def test_too_large_files_can_be_skipped_or_allowed(folder):
    Image.new("RGB", (40, 40)).save(folder / "val" / "cat" / "0.png")
    with pytest.warns(UserWarning, match=r"skipped: .*has 40 x 40 = 1,600 px, more than the 500 px allowed"):
        batch = next(iter(_data("imagefolder", str(folder), max_pixels=500, on_error="skip").val_dataloader()))
    assert batch.index.tolist() == [SKIPPED, 1, 2, 3]
    batch = next(iter(_data("imagefolder", str(folder), max_pixels=1600).val_dataloader()))
    assert batch.index.tolist() == [0, 1, 2, 3]


def test_evaluation_batches_are_uint8_in_the_order_of_the_split(folder):
    data = _data("imagefolder", str(folder))
    batch = next(iter(data.val_dataloader()))
    assert batch.images.shape == (4, 3, 8, 8)
    assert batch.images.dtype == torch.uint8
    assert batch.index.tolist() == [0, 1, 2, 3]
    assert batch.weight.shape == ()


def test_workers_default_to_none_in_memory_and_some_for_files(folder):
    assert _data("digits", workers=None).train_dataloader().num_workers == 0
    loader = _data("imagefolder", str(folder), workers=None).train_dataloader()
    assert 1 <= loader.num_workers <= 8
    assert loader.persistent_workers


def test_loader_satisfies_lightnings_stateful_protocol():
    from lightning.fabric.utilities.types import _Stateful

    loader = _data("digits").train_dataloader()
    assert isinstance(loader, _Stateful)
    loader.load_state_dict(loader.state_dict())
