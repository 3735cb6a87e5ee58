"""The policies are the published ones; draws select a pair, and whether each of its operations applies."""

import pytest
import torch
from timm.data.auto_augment import auto_augment_policy_v0
from torchvision.transforms import AutoAugmentPolicy, v2
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.auto_augment import (
    POLICIES,
    POLICY_DRAWS,
    auto_augment_batch,
    auto_augment_fill,
    auto_augment_steps,
    auto_augment_transforms,
    fast_policy,
)
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.operations import PAPER_FILL, RELEASED_OPERATIONS, Step, apply

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("name", ["imagenet", "cifar10", "svhn"])
def test_policies_are_the_published_ones(name):
    published = v2.AutoAugment(AutoAugmentPolicy(name))._policies
    ours = [tuple((operation, share, level) for operation, share, level in pair) for pair in POLICIES[name]]
    assert ours == [tuple((operation, share, level or 0) for operation, share, level in pair) for pair in published]


def test_imagenet_v0_is_timms_copy_of_efficientnets_policy():
    published = [
        [(operation.name.removesuffix("Rel"), operation.prob, operation.magnitude) for operation in pair]
        for pair in auto_augment_policy_v0({})
    ]
    ours = [list(pair) for pair in POLICIES["imagenet_v0"]]
    for pair, reference in zip(ours, published, strict=True):
        for (name, probability, level), (other, share, magnitude) in zip(pair, reference, strict=True):
            assert (name, probability) == (other, share)
            assert level == (0 if name in ("Equalize", "AutoContrast", "Invert") else magnitude)


@pytest.mark.parametrize(("name", "pairs"), [("fast_cifar10", 493), ("fast_imagenet", 498)])
def test_fast_policies_are_whole_and_legal(name, pairs):
    policy = fast_policy(name)
    assert len(policy) == len(set(policy)) == pairs
    operations = [operation for pair in policy for operation in pair]
    assert {operation for operation, _, _ in operations} == set(RELEASED_OPERATIONS) - {"SolarizeAdd"}
    assert all(0 <= probability <= 1 and 0 <= level <= 1 for _, probability, level in operations)


def test_ends_of_the_fast_policies_are_the_authors():
    """First and last pairs as printed in FastAutoAugment/archive.py."""
    assert fast_policy("fast_cifar10")[0] == (
        ("Contrast", 0.8320659688593578, 0.49884310562180767),
        ("TranslateX", 0.41849883971249136, 0.394023086494538),
    )
    assert fast_policy("fast_cifar10")[-1] == (
        ("Cutout", 0.7550520024859294, 0.08982367300605598),
        ("ShearX", 0.5844942417320858, 0.36051195083380105),
    )
    assert fast_policy("fast_imagenet")[0] == (
        ("ShearY", 0.14143816458479197, 0.513124791615952),
        ("Sharpness", 0.9290316227291179, 0.9788406212603302),
    )
    assert fast_policy("fast_imagenet")[-1] == (
        ("AutoContrast", 0.5404508567155423, 0.7472387762067986),
        ("Equalize", 0.05649876539221024, 0.5628180219887216),
    )


def test_policies_draw_pair_and_whether_each_operation_applies():
    draws = [0.0, 0.39, 0.9, 0, 0, 0.61, 0.9, 0, 0]
    assert auto_augment_steps(draws, "imagenet", 24, 20) == [Step("Posterize", 4.0)]
    assert auto_augment_steps([0.0] * POLICY_DRAWS, "trivial", 24, 20) == [Step("Identity", 0.0)]
    draws = [6.5 / 25, 0.3, 0, 0, 0, 0.7, 0, 0, 0]
    assert auto_augment_steps(draws, "imagenet_v0", 24, 20) == [Step("Equalize", 0.0), Step("SolarizeAdd", 33.0)]


@pytest.mark.parametrize("name", ["fast_cifar10", "fast_imagenet"])
def test_fast_policies_draw_every_pair_and_keep_the_squares_corner_inside(name):
    policy = fast_policy(name)
    for number, pair in enumerate(policy):
        draws = [(number + 0.5) / len(policy)] + [0.0, 0.9, 0.0, 0.0] * 2
        steps = auto_augment_steps(draws, name, 100, 100)
        assert [step.name for step in steps] == [operation for operation, _, _ in pair]
        for step in steps:
            if step.name == "Cutout":
                assert min(step.center) == step.value / 2 / 100


def test_fills():
    assert auto_augment_fill("imagenet_v0") == PAPER_FILL
    assert auto_augment_fill("fast_cifar10") is None


@pytest.mark.parametrize("policy", ["imagenet_v0", "fast_cifar10", "trivial"])
def test_a_batch_and_a_file_get_the_operations_of_their_draws(policy):
    draws = Draws(0, 0, torch.arange(8), torch.zeros(8, dtype=torch.int64))
    rows, fill = draws("auto_augment", POLICY_DRAWS).tolist(), auto_augment_fill(policy)
    out = auto_augment_batch(IMAGES, policy, draws)
    for image, result, row in zip(IMAGES, out, rows, strict=True):
        for step in auto_augment_steps(row, policy, 16, 16):
            image = apply(image, step, fill)
        assert (image.int() - result.int()).abs().max() <= 1
    (transform,) = auto_augment_transforms(policy)
    torch.manual_seed(1)
    expected = functional.to_pil_image(IMAGES[0])
    for step in auto_augment_steps(torch.rand(POLICY_DRAWS).tolist(), policy, 16, 16):
        expected = apply(expected, step, fill)
    torch.manual_seed(1)
    assert transform(functional.to_pil_image(IMAGES[0])) == expected


def test_no_policy_does_nothing():
    assert auto_augment_transforms("none") == []
    draws = Draws(0, 0, torch.arange(8), torch.zeros(8, dtype=torch.int64))
    assert auto_augment_batch(IMAGES, "none", draws) is IMAGES
