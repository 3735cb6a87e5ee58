"""The policies that Fast AutoAugment found (Lim et al. 2019, arXiv:1905.00397), read from ``fast_policies.csv``.

fast_cifar10 is the authors' ``fa_reduced_cifar10`` (493 pairs, found with a WideResNet on 4,000 images), fast_imagenet
their ``fa_resnet50_rimagenet`` (498 pairs, found with a ResNet-50 on 6,000 images of 120 classes), both from
kakaobrain/fast-autoaugment, FastAutoAugment/archive.py. Levels lie in [0, 1] (see ``magnitudes.fast_value``).
"""

import csv
from functools import cache
from importlib import resources
from typing import Literal

from lit_cnn.data.augmentation.policies import Policy


@cache
def fast_policy(name: Literal["fast_cifar10", "fast_imagenet"]) -> Policy:
    """The pairs of (operation, probability, level) of one of the two policies."""
    text = resources.files("lit_cnn.data.augmentation").joinpath("fast_policies.csv").read_text(encoding="utf-8")
    return tuple(
        ((row[1], float(row[2]), float(row[3])), (row[4], float(row[5]), float(row[6])))
        for row in csv.reader(text.splitlines()[1:])
        if row[0] == name
    )
