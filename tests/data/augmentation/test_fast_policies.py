"""The file holds both policies whole, with legal operations, probabilities and levels."""

import pytest

from lit_cnn.data.augmentation.fast_policies import fast_policy
from lit_cnn.data.augmentation.operations import RELEASED_OPERATIONS


@pytest.mark.parametrize(("name", "pairs"), [("fast_cifar10", 493), ("fast_imagenet", 498)])
def test_policies_are_whole_and_legal(name, pairs):
    policy = fast_policy(name)
    assert len(policy) == len(set(policy)) == pairs
    operations = [operation for pair in policy for operation in pair]
    assert {operation for operation, _, _ in operations} == set(RELEASED_OPERATIONS) - {"SolarizeAdd"}
    assert all(0 <= probability <= 1 and 0 <= level <= 1 for _, probability, level in operations)


def test_ends_are_the_authors():
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
