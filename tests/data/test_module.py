"""ImageData under a trainer: resume, accumulation, the device side, and its refusals."""

import dataclasses
import inspect
from pathlib import Path

import lightning
import pytest
import torch
from PIL import Image
from torch import nn

from lit_cnn.data.augmentation import pipeline
from lit_cnn.data.augmentation.color_jitter import ColorJitter
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.erasing import Cutout
from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup
from lit_cnn.data.augmentation.pipeline import Augmentation
from lit_cnn.data.augmentation.plan import Stage
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.batch import Batch
from lit_cnn.data.loading.datasets import ArrayBatches
from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import Evaluation, Normalize
from lit_cnn.data.sources.load import load_source
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS

SMALL = {"image_size": 8, "evaluation": Evaluation(crop_ratio=1.0), "workers": 0}


class Recorder(lightning.LightningModule):
    """A linear net that notes what it is given."""

    def __init__(self, channels=1):
        super().__init__()
        self.net = nn.Linear(64 * channels, 10)
        self.seen, self.val_rows = [], []

    def training_step(self, batch, batch_idx):
        self.seen.append(
            (self.trainer.current_epoch, batch.index.tolist(), batch.images.clone(), batch.targets.clone())
        )
        loss = nn.functional.cross_entropy(self.net(batch.images.flatten(1)), batch.targets)
        return loss * batch.weight

    def validation_step(self, batch, batch_idx):
        assert batch.targets.dtype == torch.int64
        self.val_rows += batch.index.tolist()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class SaveAt(lightning.Callback):
    """Saves at one hook's n-th call."""

    def __init__(self, hook, call, path):
        self.hook, self.call, self.path, self.calls = hook, call, path, 0
        setattr(self, hook, self._save)

    def _save(self, trainer, *_):
        if not trainer.sanity_checking:
            self.calls += 1
            if self.calls == self.call:
                trainer.save_checkpoint(self.path)


def _trainer(tmp_path, epochs=2, **options):
    return lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        default_root_dir=tmp_path,
        **options,
    )


def _digits(**options):
    return ImageData("digits", **{**SMALL, "batch_size": 240, "crop": Crop("pad", padding=1), **options})


def _equal(actual, expected):
    assert [entry[:2] for entry in actual] == [entry[:2] for entry in expected]
    for ours, theirs in zip(actual, expected, strict=True):
        assert torch.equal(ours[2], theirs[2])
        assert torch.equal(ours[3], theirs[3])


pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),  # Lightning 2.6's own use of torch
]


@pytest.mark.parametrize(
    ("hook", "call", "done"),
    [
        ("on_train_batch_end", 3, 3),  # in the middle of the first epoch (5 batches each)
        ("on_train_batch_end", 5, 5),  # in its last batch, before it is counted
        pytest.param("on_train_batch_end", 7, 7, marks=pytest.mark.slow),
        ("on_validation_end", 1, 5),
        pytest.param("on_train_epoch_end", 1, 5, marks=pytest.mark.slow),
    ],
)
def test_resume_continues_with_the_very_next_micro_batch(tmp_path, hook, call, done):
    data = {"mixup": Mixup(0.5), "rand_augment": RandAugment(1, 5)}
    whole = Recorder()
    _trainer(tmp_path, 3, callbacks=[SaveAt(hook, call, tmp_path / "x.ckpt")]).fit(whole, datamodule=_digits(**data))
    assert len(whole.seen) == 15
    rest = Recorder()
    _trainer(tmp_path, 3).fit(rest, datamodule=_digits(**data), ckpt_path=tmp_path / "x.ckpt", weights_only=False)
    _equal(rest.seen, whole.seen[done:])


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_resume_between_epochs_may_accumulate_otherwise(tmp_path, before, after):
    """The other epochs have the same global batches, in other parts."""
    whole, rest = Recorder(), Recorder()
    save = SaveAt("on_train_epoch_end", 1, tmp_path / "x.ckpt")
    _trainer(tmp_path, 3, callbacks=[save], accumulate_grad_batches=before).fit(whole, datamodule=_digits())
    trainer = _trainer(tmp_path, 3, accumulate_grad_batches=after)
    trainer.fit(rest, datamodule=_digits(), ckpt_path=tmp_path / "x.ckpt", weights_only=False)
    rows = [row for entry in rest.seen for row in entry[1]]
    assert rows == [row for entry in whole.seen[5 * before :] for row in entry[1]]
    assert len(rest.seen) == 10 * after
    assert trainer.global_step == 15


@pytest.mark.parametrize(
    ("hook", "call"),
    [("on_train_batch_end", 2), ("on_train_batch_end", 5), ("on_validation_end", 1)],  # the last two: not counted yet
)
def test_resume_inside_an_epoch_with_another_accumulation_is_refused(tmp_path, hook, call):
    save = SaveAt(hook, call, tmp_path / "x.ckpt")
    _trainer(tmp_path, 1, callbacks=[save]).fit(Recorder(), datamodule=_digits())
    other = _trainer(tmp_path, 1, accumulate_grad_batches=2)
    with pytest.raises(ValueError, match=r"trainer\.accumulate_grad_batches 1, and cannot go on with 2: keep 1"):
        other.fit(Recorder(), datamodule=_digits(), ckpt_path=tmp_path / "x.ckpt", weights_only=False)


@pytest.mark.parametrize("known", [True, False])
def test_resume_with_other_images_is_refused_where_the_checkpoint_tells_them(tmp_path, known):
    """A folder whose validation images are held out loses a file; checkpoints written before they told it go on."""
    fit = _fit_of_files(tmp_path)
    fit(trainer={"callbacks": [SaveAt("on_train_batch_end", 2, tmp_path / "x.ckpt")]})
    _training_files(tmp_path)[0].unlink()
    resume = {"ckpt_path": tmp_path / "x.ckpt", "weights_only": True}
    if known:
        with pytest.raises(ValueError, match=r"(\d+) training images instead of \d+, so"):
            fit(**resume)
        return
    checkpoint = torch.load(tmp_path / "x.ckpt", weights_only=True)
    assert set(checkpoint.pop("ImageData")) == {"train", "val", "train_size", "val_size", "class_names", "accumulation"}
    torch.save(checkpoint, tmp_path / "x.ckpt")
    fit(**resume)


def _fit_of_files(folder):
    """A function that fits on class folders in ``folder / "images"``, whose files are made here."""
    for name in ("cat", "dog"):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(10):
            Image.effect_noise((8, 8), 10 * number).save(folder / "images" / name / f"{number}.png")

    def fit(**options):
        data = ImageData("imagefolder", str(folder / "images"), batch_size=4, **SMALL)
        _trainer(folder, 2, **options.pop("trainer", {})).fit(Recorder(3), datamodule=data, **options)

    return fit


def _training_files(folder):
    return [Path(path) for path in load_source("imagefolder", str(folder / "images")).train.paths]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("rename", r"it has 1 training image not in it before \((cat|dog)/new\d\.png\), so order and held-out"),
        ("overwrite", r"it has 1 training image of another size in bytes \((cat|dog)/\d\.png\), so"),
    ],
)
def test_resume_with_as_many_other_images_is_refused_where_the_checkpoint_tells_them(tmp_path, change, words):
    """Another name or another content; checkpoints written before they told single images go on."""
    fit = _fit_of_files(tmp_path)
    fit(trainer={"callbacks": [SaveAt("on_train_batch_end", 2, tmp_path / "x.ckpt")]})
    fit(ckpt_path=tmp_path / "x.ckpt", weights_only=True)  # the same images go on
    before = _training_files(tmp_path)
    path = before[0]
    if change == "overwrite":
        Image.new("L", (64, 64)).save(path)
    else:
        candidates = (path.with_name(f"new{number}.png") for number in range(10))
        for candidate in candidates:  # one that the hash does not hold out
            path = path.rename(candidate)
            if len(_training_files(tmp_path)) == len(before):
                break
    with pytest.raises(ValueError, match=words):
        fit(ckpt_path=tmp_path / "x.ckpt", weights_only=True)
    checkpoint = torch.load(tmp_path / "x.ckpt", weights_only=True)
    checkpoint["ImageData"] = {key: checkpoint["ImageData"][key] for key in ("train_size", "val_size", "class_names")}
    torch.save(checkpoint, tmp_path / "x.ckpt")
    fit(ckpt_path=tmp_path / "x.ckpt", weights_only=True)


@pytest.mark.parametrize("drop_last", [True, False])
def test_accumulation_sees_the_same_global_batches_and_mixes_alike(tmp_path, drop_last):
    """1438 images: with drop_last false the sixth global batch has 238 images, 119 in each half.

    An odd half pairs its last image otherwise, so there the weights may differ; everywhere else all is equal.
    """
    whole, parts = Recorder(), Recorder()
    parts.load_state_dict(whole.state_dict())
    data = {"cutmix": CutMix(1.0), "drop_last": drop_last}
    _trainer(tmp_path, 1).fit(whole, datamodule=_digits(**data))
    _trainer(tmp_path, 1, accumulate_grad_batches=2).fit(parts, datamodule=_digits(**data))
    assert (len(whole.seen), len(parts.seen)) == ((5, 10) if drop_last else (6, 12))
    for step, (_, rows, images, targets) in enumerate(whole.seen):
        first, second = parts.seen[2 * step : 2 * step + 2]
        assert first[1] + second[1] == rows
        if len(first[1]) % 2 == 0:
            assert torch.equal(torch.cat([first[2], second[2]]), images)
            assert torch.equal(torch.cat([first[3], second[3]]), targets)
    if drop_last:
        torch.testing.assert_close(whole.net.weight, parts.net.weight, atol=1e-5, rtol=0)


def test_repeats_put_differently_augmented_copies_into_each_batch_and_keep_the_steps():
    data = _digits(repeats=3)
    assert data.steps_per_epoch == _digits().steps_per_epoch == 5
    loader = data.train_dataloader()
    assert len(loader) == 5
    batch = next(iter(loader))
    rows, copies = batch.index.unique(return_counts=True)
    assert (len(rows), set(copies.tolist())) == (80, {3})
    first, second, third = batch.images.split(80)
    assert torch.equal(batch.index[:80], batch.index[80:160])
    for one, other in ((first, second), (second, third)):
        assert (one != other).flatten(1).any(1).float().mean() > 0.5  # of 9 places and 2 flips some are the same


@pytest.mark.parametrize("mixing", [Mixing(first=True), Mixing(per_image=True)])
def test_resume_mixes_on_with_the_same_keys(tmp_path, mixing):
    data = {"mixup": Mixup(0.5), "cutmix": CutMix(1.0), "mixing": mixing}
    whole, rest = Recorder(), Recorder()
    saver = SaveAt("on_train_batch_end", 7, tmp_path / "x.ckpt")
    _trainer(tmp_path, 2, callbacks=[saver]).fit(whole, datamodule=_digits(**data))
    _trainer(tmp_path, 2).fit(rest, datamodule=_digits(**data), ckpt_path=tmp_path / "x.ckpt", weights_only=False)
    assert (len(whole.seen), len(rest.seen)) == (10, 3)
    assert all(((targets > 0) & (targets < 1)).any() for _, _, _, targets in whole.seen)
    _equal(rest.seen, whole.seen[7:])


STAGES = (Stage(0, 6, 2, mixup_alpha=0.1, cutmix_alpha=0.0), Stage(2, 8, 9, mixup_alpha=0.0, cutmix_alpha=0.5))


def test_resume_in_the_second_stage_continues_as_if_never_interrupted(tmp_path):
    """The first two epochs of 5 steps have 6x6 images, the third 8x8."""

    class AnySize(Recorder):
        def training_step(self, batch, batch_idx):
            self.seen.append((self.trainer.current_epoch, batch.index.tolist(), batch.images, batch.targets))
            return self.net.weight.sum() * 0.0

        def validation_step(self, batch, batch_idx):
            assert batch.images.shape[-2:] == (8, 8)

    def fit(model, workers=0, **options):
        data = _digits(rand_augment=RandAugment(1, 9), workers=workers)
        data.stages = STAGES
        callbacks = [SaveAt("on_train_batch_end", 12, tmp_path / "x.ckpt")] if not options else []
        _trainer(tmp_path, 3, callbacks=callbacks).fit(model, datamodule=data, **options)
        return model.seen

    whole = fit(AnySize())
    assert [entry[2].shape[-1] for entry in whole] == [6] * 10 + [8] * 5
    _equal(fit(AnySize(), workers=2, ckpt_path=tmp_path / "x.ckpt", weights_only=False), whole[12:])


def test_the_epoch_plan_is_the_recipes_own_without_stages_and_theirs_with_them():
    data = _digits(rand_augment=RandAugment(1, 9), mixup=Mixup(0.2))
    own = Stage(0, 8, 9, mixup_alpha=0.2, cutmix_alpha=0.0)
    assert [data.epoch_plan.at(epoch) for epoch in (0, 7)] == [own, own]
    data.stages = STAGES
    assert [data.epoch_plan.at(epoch) for epoch in (0, 1, 2, 3)] == [STAGES[0], STAGES[0], STAGES[1], STAGES[1]]
    assert data.preprocessing.image_size == (8, 8)


def test_the_device_mixes_with_the_alphas_of_the_stage(monkeypatch):
    seen = []
    monkeypatch.setattr(pipeline, "mix", lambda _b, _k, key, mixup, cutmix, *_: seen.append((key, mixup, cutmix)))
    data = _digits(mixup=Mixup(0.2, 0.7), mixing=Mixing(stop_epoch=3))
    data.stages = STAGES
    batch = next(iter(data.val_dataloader()))
    for epoch in (1, 2, 3):
        data.prepare(batch, training=True, step=10 * epoch, epoch=epoch)
    assert seen == [
        ((0, 10), Mixup(0.1, 0.7), CutMix(0.0)),
        ((0, 20), Mixup(0.0, 0.7), CutMix(0.5)),
        ((0, 30), Mixup(0.0, 0.7), CutMix(0.0)),
    ]


def test_stages_in_a_wrong_order_are_refused():
    data = _digits()
    data.stages = STAGES[::-1]
    with pytest.raises(ValueError, match=r"epochs \[2, 0\]"):
        data.train_dataloader()


@pytest.mark.parametrize("accumulation", [1, 3])
def test_plans_know_the_optimizer_step_of_the_trainer(tmp_path, monkeypatch, accumulation):
    """With accumulation, in every epoch, and after resuming in the middle of the second."""
    planned, steps = [], []

    class Steps(Recorder):
        def training_step(self, batch, batch_idx):
            steps.append(self.trainer.global_step)
            return super().training_step(batch, batch_idx)

    original = ArrayBatches.__getitem__

    def noted(self, plan):
        if self.training is not None:
            planned.append(plan.step)
        return original(self, plan)

    monkeypatch.setattr(ArrayBatches, "__getitem__", noted)
    saver = SaveAt("on_train_batch_end", 7 * accumulation, tmp_path / "x.ckpt")
    options = {"accumulate_grad_batches": accumulation}
    _trainer(tmp_path, 3, callbacks=[saver], **options).fit(Steps(), datamodule=_digits(workers=0))
    assert planned == steps == [step for step in range(15) for _ in range(accumulation)]
    planned.clear()
    steps.clear()
    rest = _trainer(tmp_path, 3, **options)
    rest.fit(Steps(), datamodule=_digits(workers=0), ckpt_path=tmp_path / "x.ckpt", weights_only=False)
    assert planned == steps == [step for step in range(7, 15) for _ in range(accumulation)]


@pytest.mark.parametrize("per_image", [False, True])
def test_mixing_first_mixes_in_the_loader_as_the_usual_order_does_on_the_device(tmp_path, per_image):
    """With nothing between the two places, pixels agree up to the rounding of mixed uint8 levels; targets are equal."""
    usual, first = Recorder(), Recorder()
    for model, mixing in ((usual, Mixing(per_image=per_image)), (first, Mixing(first=True, per_image=per_image))):
        data = _digits(mixup=Mixup(1.0), cutmix=CutMix(1.0), mixing=mixing)
        _trainer(tmp_path, accumulate_grad_batches=2).fit(model, datamodule=data)
    level = 0.5 / 255 / data.preprocessing.std[0]
    for theirs, ours in zip(usual.seen, first.seen, strict=True):
        assert torch.equal(ours[3], theirs[3])
        assert ours[3].dtype == torch.float32
        assert (ours[2] - theirs[2]).abs().max() <= level + 1e-5


def test_mixing_first_is_followed_by_the_rest_of_the_augmentation():
    """Cutout's black square survives whole only if nothing is mixed into it afterwards."""
    options = {"mixup": Mixup(1.0), "cutout": Cutout(4), "normalize": Normalize((1.0,), (1.0,))}
    for first in (False, True):
        data = _digits(mixing=Mixing(first=first), **options)
        batch = next(iter(data.train_dataloader()))
        assert batch.targets.is_floating_point() == first
        images = data.denormalize(data.prepare(batch, training=True, step=0, epoch=0).images)
        squares = (images == 255).float().unfold(2, 4, 1).unfold(3, 4, 1).flatten(4).amin(4).flatten(1).amax(1)
        whole = squares.mean().item()
        assert whole > 0.3 if first else whole < 0.1


@pytest.mark.parametrize("first", [False, True])
def test_epochs_differ_and_mixing_stops(tmp_path, first):
    model = Recorder()
    _trainer(tmp_path).fit(model, datamodule=_digits(mixup=Mixup(1.0), mixing=Mixing(stop_epoch=1, first=first)))
    first, second = model.seen[:5], model.seen[5:]
    assert first[0][1] != second[0][1]
    assert all(entry[3].shape == (240, 10) for entry in first)
    assert all(entry[3].dtype == torch.int64 for entry in second)
    assert sorted(model.val_rows[:359]) == list(range(359))


def test_normalization_and_its_undoing():
    data = _digits()
    batch = next(iter(data.val_dataloader()))
    moved = data.on_after_batch_transfer(batch, 0)
    assert isinstance(moved, Batch)
    assert moved.images.dtype == torch.float32
    assert moved.images.is_contiguous(memory_format=torch.channels_last)
    mean, std = data.preprocessing.mean[0], data.preprocessing.std[0]
    torch.testing.assert_close(moved.images, (batch.images / 255 - mean) / std, atol=1e-5, rtol=1e-5)
    assert torch.equal(data.denormalize(moved.images), batch.images)
    assert data.on_after_batch_transfer(moved, 0) is moved


def test_properties_without_a_trainer():
    data = _digits(normalize=Normalize((0.5,), (0.25,)), evaluation=Evaluation(1.0, "bicubic", 16))
    assert (data.num_classes, data.in_channels, data.train_size) == (10, 1, 1438)
    assert data.preprocessing.image_size == (16, 16)
    assert data.preprocessing.mean == (0.5,)
    assert data.pipeline.fill == (128,)
    assert next(iter(data.val_dataloader())).images.shape[-2:] == (16, 16)


def test_height_and_width_reach_training_evaluation_and_the_preprocessing():
    data = _digits(image_size=(8, 12), evaluation=Evaluation(0.8, image_size=(10, 16)))
    assert next(iter(data.train_dataloader())).images.shape[-2:] == (8, 12)
    assert next(iter(data.val_dataloader())).images.shape[-2:] == (10, 16)
    assert data.training_images(3).shape[-2:] == (10, 16)
    known = data.preprocessing
    assert (known.image_size, known.resize, known.box) == ((10, 16), 12, (12, 19))
    squashed = _digits(evaluation=Evaluation(resize=9, resize_mode="squash")).preprocessing
    assert (squashed.resize, squashed.resize_mode) == (9, "squash")


def test_settings_can_be_shared_between_modules_since_none_can_be_changed():
    data = ImageData("digits")
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.rand_augment.magnitude = 3
    assert hash(data) != hash(ImageData("digits"))
    assert data != ImageData("digits")


def test_every_augmentation_is_a_keyword_and_reaches_the_pipeline():
    """An augmentation is one field of ``Augmentation``: key of recipes, keyword in Python, part of the pipeline."""
    changed = {"flip": Flip(0.1), "auto_augment": "cifar10", "mixing": Mixing(0.3), "cutout": Cutout(2)}
    data = _digits(**changed)
    assert {name: getattr(data.pipeline.augmentation, name) for name in changed} == changed
    keywords = set(inspect.signature(ImageData).parameters)
    assert {field.name for field in dataclasses.fields(Augmentation)} < keywords


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, r"data\.batch_size is 0"),
        ({"image_size": 0}, r"data\.image_size is 0"),
        ({"image_size": (8, 0)}, r"data\.image_size is \(8, 0\) but must be at least 1"),
        ({"evaluation": Evaluation(resize=7)}, r"data\.evaluation\.resize is 7 but must be null or at least 8"),
        ({"workers": -1}, r"data\.workers is -1"),
        ({"repeats": 0}, r"data\.repeats is 0"),
        ({"crop": Crop("shorter_side", shorter_side=(7, 9))}, r"crop\.shorter_side begins at 7 .* image_size 8"),
    ],
)
def test_impossible_numbers_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        _digits(**options)


def test_refusals_that_need_the_data(tmp_path):
    with pytest.raises(ValueError, match="larger than the training set of 1438 images"):
        _digits(batch_size=2000).train_dataloader()
    with pytest.raises(ValueError, match="no test split"):
        _digits().test_dataloader()
    with pytest.raises(ValueError, match=r"normalize\.mean has 3 numbers"):
        _digits(normalize=Normalize((0.5,) * 3, (0.5,) * 3)).setup()
    with pytest.raises(ValueError, match=r"color_jitter\.lighting .* are gray"):
        _digits(color_jitter=ColorJitter(lighting=0.1)).setup()
    data = _digits(crop=Crop("shorter_side", shorter_side=(9, 9)))
    data.stages = (Stage(0, 10, 9, 0.0, 0.0),)
    with pytest.raises(ValueError, match=r"shorter_side begins at 9 .* image_size 10"):
        data.train_dataloader()
    with pytest.raises(ValueError, match="multiple of 7"):
        _trainer(tmp_path, accumulate_grad_batches=7).fit(Recorder(), datamodule=_digits())


def test_dotted_options_reach_single_fields():
    from jsonargparse import ArgumentParser

    parser = ArgumentParser()
    parser.add_class_arguments(ImageData, "data")
    config = parser.parse_args(
        ["--data.source", "digits", "--data.rand_augment.magnitude", "5", "--data.crop.kind=pad"]
    )
    assert config.data.rand_augment.magnitude == 5
    assert config.data.rand_augment.layers == 0
    assert config.data.crop.kind == "pad"
    for stated, size in (("12", 12), ("[8, 12]", (8, 12))):
        config = parser.parse_args(["--data.source=digits", f"--data.image_size={stated}"])
        assert (config.data.image_size, config.data.in_channels) == (size, None)


def test_what_files_become_reaches_batches_and_checkpoints(tmp_path):
    for name, color in (("cat", (255, 0, 0, 0)), ("dog", (0, 255, 0, 0))):
        (tmp_path / "train" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("RGBA", (8, 8), color).save(tmp_path / "train" / name / f"{number}.png")

    def pixels(**settings):
        data = ImageData("imagefolder", str(tmp_path), batch_size=2, crop=Crop("resize"), **SMALL, **settings)
        assert data.preprocessing.pixel_format == dataclasses.replace(data.pixel_format, max_pixels=MAX_PIXELS)
        batches = [next(iter(loader())).images for loader in (data.train_dataloader, data.val_dataloader)]
        return data.preprocessing, {tuple(pixel) for batch in batches for pixel in batch[..., 0, 0].tolist()}

    assert pixels()[1] == {(255, 255, 255)}
    assert pixels(background="black")[1] == {(0, 0, 0)}
    preprocessing, shown = pixels(background=[9, 8, 7], color_profile="ignore", levels=[0, 200])
    assert shown == {(9, 8, 7)}
    assert preprocessing.as_dict()["background"] == [9, 8, 7]
    assert (preprocessing.levels, preprocessing.color_profile) == ((0, 200), "ignore")
    assert pixels(background=None)[1] == {(255, 0, 0), (0, 255, 0)}


def test_levels_are_refused_for_arrays_of_8_bits():
    with pytest.raises(ValueError, match=r"^data\.levels is \[0, 4095\], but the images of scikit-learn's digits"):
        ImageData("digits", levels=(0, 4095), **SMALL).setup()
    ImageData("digits", levels="clip", background="black", **SMALL).setup()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"levels": (3, 2)}, r"data\.levels is \(3, 2\)"),
        ({"background": "pink"}, r"data\.background is 'pink'"),
        ({"color_profile": "drop"}, r"data\.color_profile is 'drop' but must be convert or ignore"),
        ({"max_pixels": 0}, r"data\.max_pixels is 0 but must be at least 1"),
    ],
)
def test_what_files_cannot_become_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        ImageData("digits", **SMALL, **settings)
