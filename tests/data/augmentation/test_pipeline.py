"""The two pipelines: a batch gives each image what it would get alone, an image is a function of its key, and all of it
is what it was when runs that are resumed today were begun."""

import dataclasses
import hashlib
import pickle

import pytest
import torch
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.color_jitter import ColorJitter
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.erasing import Cutout, RandomErasing
from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup
from lit_cnn.data.augmentation.pipeline import Augmentation, Pipeline, TrainingSettings, TrainingTransform
from lit_cnn.data.augmentation.plan import EpochPlan, Stage
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.augmentation.shear import Shear

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
PIXELS = torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
IMAGE = functional.to_pil_image(PIXELS)
PLAIN = {"crop": Crop("none"), "flip": Flip(0.0)}
VARIANTS = {
    "pad": {"crop": Crop("pad"), "flip": Flip(0.5, 0.5)},
    "random_resized": {"crop": Crop()},
    "shorter_side": {"crop": Crop("shorter_side", shorter_side=(12, 20)), "image_size": 12},
    "central": {"crop": Crop("shorter_side", shorter_side=(12, 14), central=True), "image_size": 10},
    "lighting": {"color_jitter": ColorJitter(lighting=0.1)},
    "resize": {"crop": Crop("resize"), "image_size": 12},
    "color_jitter": {"color_jitter": ColorJitter(0.4, 0.4, 0.4, 0.1)},
    "shear": {"shear": Shear(20)},
    "imagenet": {"auto_augment": "imagenet"},
    "imagenet_v0": {"auto_augment": "imagenet_v0"},
    "fast": {"auto_augment": "fast_imagenet"},
    "rand_augment_increasing": {"rand_augment": RandAugment(3, 7, "increasing", "released", 0.5, 0.5)},
    "trivial": {"auto_augment": "trivial"},
    "rand_augment": {"rand_augment": RandAugment(2, 9)},
    "rand_augment_torchvision": {"rand_augment": RandAugment(3, 9, "torchvision")},
    "cutout": {"cutout": Cutout(6, 0.7)},
    "random_erasing": {"random_erasing": RandomErasing(0.8)},
}
ALL = {
    "crop": Crop(),
    "flip": Flip(0.5, 0.5),
    "color_jitter": ColorJitter(0.4, 0.4, 0.4, 0.1),
    "shear": Shear(10),
    "auto_augment": "cifar10",
    "rand_augment": RandAugment(2, 15),
    "cutout": Cutout(8),
    "random_erasing": RandomErasing(1.0),
}


def _pipeline(image_size=16, fill=(10, 20, 30), **fields):
    return Pipeline(Augmentation(**{**PLAIN, **fields}), image_size, fill)


def _draws(rows, seed=0, epoch=0, repeat=0):
    return Draws(seed, epoch, torch.as_tensor(rows), torch.full((len(rows),), repeat))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_batch_equals_its_images_alone_bit_for_bit(name):
    pipeline = _pipeline(**VARIANTS[name])
    before = IMAGES.clone()
    whole = pipeline.augment_batch(IMAGES, _draws(range(8)))
    assert whole.dtype == torch.uint8
    assert whole.shape == (8, 3, pipeline.image_size, pipeline.image_size)
    alone = torch.cat([pipeline.augment_batch(IMAGES[i : i + 1], _draws([i])) for i in range(8)])
    assert torch.equal(whole, alone)
    assert torch.equal(IMAGES, before)
    if name != "resize":
        for other in ({"seed": 1}, {"epoch": 1}, {"repeat": 1}):
            assert not torch.equal(pipeline.augment_batch(IMAGES, _draws(range(8), **other)), whole), other


@pytest.mark.parametrize("name", VARIANTS)
def test_images_that_are_no_squares_keep_their_height_and_width_from_memory_and_from_files(name):
    pipeline = _pipeline(**{**VARIANTS[name], "image_size": (12, 20)})
    images = torch.randint(0, 256, (8, 3, 12, 20), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    whole = pipeline.augment_batch(images, _draws(range(8)))
    assert whole.shape == (8, 3, 12, 20)
    assert torch.equal(whole, torch.cat([pipeline.augment_batch(images[i : i + 1], _draws([i])) for i in range(8)]))
    transform = TrainingTransform(pipeline, 0)
    assert all(transform(functional.to_pil_image(image), 0, 0, 0).shape == (3, 12, 20) for image in images)


def test_four_channels_are_cropped_flipped_sheared_and_erased_from_memory_and_from_files():
    fields = {"shear": Shear(20), "cutout": Cutout(6), "random_erasing": RandomErasing(1.0), "crop": Crop("pad")}
    pipeline = _pipeline(fill=(10, 20, 30, 40), **fields)
    pipeline.augmentation.require_channels(4, "x")
    images = IMAGES[:, [0, 1, 2, 0]]
    out = pipeline.augment_batch(images, _draws(range(8)))
    assert out.shape == (8, 4, 16, 16)
    assert ((out == torch.tensor([10, 20, 30, 40]).view(4, 1, 1)).all(1).sum((1, 2)) >= 9).all()  # the squares
    one = TrainingTransform(_pipeline(fill=(10, 20, 30, 10), shear=Shear(20)), 0)(images[0], 0, 0, 0)
    assert torch.equal(one[0], one[3])  # a channel of alpha is sheared like the others, which it does not weight
    assert not torch.equal(one, images[0])


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"color_jitter": ColorJitter(hue=0.1)}, r"data\.color_jitter changes the colors of gray and RGB"),
        ({"color_jitter": ColorJitter(lighting=0.1)}, r"lighting is noise of RGB colors, but .* have 4 channels"),
        ({"auto_augment": "svhn"}, r"data\.auto_augment changes"),
        ({"rand_augment": RandAugment(1)}, r"data\.rand_augment changes .* \(data\.in_channels 3\)"),
    ],
)
def test_changes_of_color_are_refused_for_four_channels(fields, key):
    with pytest.raises(ValueError, match=key):
        Augmentation(**fields).require_channels(4, "x.npz")


@pytest.mark.parametrize("name", ["rand_augment", "random_erasing", "cutout", "pad"])
def test_gray_images_pass(name):
    pipeline = _pipeline(fill=(10,), **VARIANTS[name])
    assert pipeline.augment_batch(IMAGES[:, :1], _draws(range(8))).shape == (8, 1, 16, 16)


def test_switched_off_changes_nothing():
    assert torch.equal(_pipeline().augment_batch(IMAGES, _draws(range(8))), IMAGES)


def test_result_follows_from_the_key_alone_and_leaves_the_ambient_generator():
    transform = pickle.loads(pickle.dumps(TrainingTransform(_pipeline(24, **ALL), seed=3)))
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = transform(IMAGE, epoch=1, index=2, repeat=0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    assert torch.equal(transform(IMAGE, 1, 2, 0), first)
    assert first.shape == (3, 24, 24)
    assert first.dtype == torch.uint8
    for key in ((0, 2, 0), (1, 3, 0), (1, 2, 1)):
        assert not torch.equal(transform(IMAGE, *key), first), key
    assert not torch.equal(TrainingTransform(_pipeline(24, **ALL), seed=4)(IMAGE, 1, 2, 0), first)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "changes",
    [
        {"auto_augment": "fast_imagenet"},
        {"auto_augment": "imagenet_v0"},
        {"rand_augment": RandAugment(4, 9, "increasing", "released", magnitude_std=0.5)},
    ],
)
def test_every_policy_applies_to_pil_images(changes, mode):
    fill = (9,) if mode == "L" else (1, 2, 3)
    transform = TrainingTransform(_pipeline(24, fill, crop=Crop(), **changes), 0)
    plain = TrainingTransform(_pipeline(24, fill, crop=Crop()), 0)
    image = IMAGE.convert(mode)
    outs = [transform(image, 0, row, 0) for row in range(60)]
    assert {out.shape for out in outs} == {(len(mode), 24, 24)}
    assert sum(torch.equal(out, plain(image, 0, row, 0)) for row, out in enumerate(outs)) < 40


def test_switched_off_with_no_crop_is_the_image():
    square = IMAGE.crop((0, 0, 40, 40))
    transform = TrainingTransform(_pipeline(40), 0)
    assert torch.equal(transform(square, 0, 0, 0), functional.pil_to_tensor(square))
    with pytest.raises(ValueError, match="needs images of 40x40 pixels"):
        transform(IMAGE, 0, 0, 0)


def test_a_stage_changes_image_size_magnitude_and_alphas_and_nothing_else():
    own = _pipeline(16, **{**ALL, "mixup": Mixup(0.2, 0.5), "cutmix": CutMix(0.4), "crop": Crop("pad")})
    staged = own.at(Stage(3, 12, magnitude=4, mixup_alpha=0.1, cutmix_alpha=0.0))
    assert (staged.image_size, staged.fill) == (12, own.fill)
    assert dataclasses.asdict(staged.augmentation) == dataclasses.asdict(own.augmentation) | {
        "rand_augment": dataclasses.asdict(RandAugment(2, 4)),
        "mixup": {"alpha": 0.1, "probability": 0.5},
        "cutmix": {"alpha": 0.0, "probability": 1.0},
    }
    assert own.augmentation.rand_augment.magnitude == 15


def test_a_stage_too_large_for_the_crop_is_refused():
    own = _pipeline(16, crop=Crop("shorter_side", shorter_side=(18, 20)))
    with pytest.raises(ValueError, match=r"shorter_side begins at 18 .* image_size 19"):
        own.at(Stage(0, 19, 9, 0.0, 0.0))


def test_training_settings_survive_a_spawned_worker():
    plan = EpochPlan((Stage(0, 12, 1, 0.0, 0.0), Stage(2, 16, 9, 0.3, 0.0)))
    pipeline = _pipeline(16, **{**ALL, "mixing": Mixing(first=True)})
    settings = TrainingSettings(pipeline, plan, seed=1, num_classes=5)
    copy = pickle.loads(pickle.dumps(settings))
    assert copy.mixes
    assert [stage.first_epoch for stage in copy.pipelines()] == [0, 2]
    for stage, ours in copy.pipelines().items():
        theirs = settings.pipelines()[stage]
        assert torch.equal(ours.augment_batch(IMAGES, _draws(range(8))), theirs.augment_batch(IMAGES, _draws(range(8))))


def _digest(images):
    return hashlib.sha256(b"".join(image.contiguous().numpy().tobytes() for image in images)).hexdigest()[:16]


def test_draws_and_pixels_are_those_of_runs_begun_before():
    """A resumed run goes on with the very next batch only if no version changes a draw or the order of the techniques.

    Only what moves or fills whole pixels is pinned, since no rounding decides on it.
    """
    pipeline = _pipeline(
        crop=Crop("pad"), flip=Flip(0.5, 0.5), cutout=Cutout(6, 0.7), random_erasing=RandomErasing(0.8)
    )
    in_memory = pipeline.augment_batch(IMAGES, _draws(range(8), seed=3, epoch=2, repeat=1))
    transform = TrainingTransform(pipeline, 3)
    files = [transform(functional.to_pil_image(image), 2, row, 1) for row, image in enumerate(IMAGES)]
    assert (_digest(in_memory), _digest(files)) == ("76041e31d5dd24b7", "6b6b79d8deca3155")


@pytest.mark.parametrize("first", [False, True])
def test_alternating_flips_of_files_are_those_of_memory_and_come_before_what_follows(first):
    """Under mixing.first, too, where the data set flips and mixes before it changes colors."""
    fields = {"flip": Flip(0.5, alternating=True), "cutout": Cutout(6), "mixing": Mixing(first=first)}
    pipeline = _pipeline(**fields)
    transform = TrainingTransform(pipeline, 0)
    for epoch in range(2):
        framed = pipeline.frame_batch(IMAGES, _draws(range(8), epoch=epoch))
        for row in range(8):
            assert torch.equal(transform.frame(IMAGES[row], epoch, row, 0), framed[row])
            whole = transform(IMAGES[row], epoch, row, 0)
            same = (whole == framed[row]).all(0)
            assert same.sum() >= 16 * 16 - 36
            assert not same.all()
