"""The tables are the published ones."""

import pytest
from timm.data.auto_augment import auto_augment_policy_v0
from torchvision.transforms import AutoAugmentPolicy, v2

from lit_cnn.data.augmentation.policies import POLICIES


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
