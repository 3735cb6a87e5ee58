"""Several nets that vote beat their mean."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from lit_cnn.claims.claim import Claim, Design, Published
from lit_cnn.claims.rules.measured import Measured
from lit_cnn.evaluation.ensemble import ensemble_scores
from lit_cnn.evaluation.logits import collect
from lit_cnn.evaluation.recorded_data import load_images, load_network
from lit_cnn.evaluation.scores import log_loss
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.run_folder.checkpoint import LAST

MEMBERS = 3


def count_on_runs(runs: Mapping[str, Sequence[Path]]) -> dict[str, float]:
    """Of the photographs' nets with flips and crops."""
    return gains(runs["flip_crop"])


def count_on_digits(runs: Mapping[str, Sequence[Path]]) -> dict[str, float]:
    """Of the digits' nets with shifts."""
    return gains(runs["crop"])


def gains(folders: Sequence[Path]) -> dict[str, float]:
    """Gain of several nets over their mean, in points with its interval over images; of every three, the range."""
    members = [load_network(str(folder / "checkpoints" / LAST), "ema", ()) for folder in folders]
    images = load_images(members[0], None, "val")
    outcomes = [collect(member, images, make_views("center", member.preprocessing)) for member in members]
    labels, each = outcomes[0].labels, [outcome.probabilities for outcome in outcomes]
    scores = ensemble_scores(each, labels)
    low, high = scores.gain_over_mean_interval
    threes = [ensemble_scores(chosen, labels).gain_over_mean for chosen in itertools.combinations(each, MEMBERS)]
    mean = torch.stack([probabilities.double() for probabilities in each]).mean(dim=0)
    own = statistics.fmean(log_loss(probabilities, labels) for probabilities in each)
    return {
        "gain": 100 * scores.gain_over_mean,
        "gain.low": 100 * low,
        "gain.high": 100 * high,
        "members": float(len(each)),
        "images": float(len(labels)),
        "smallest gain of three": 100 * min(threes),
        "largest gain of three": 100 * max(threes),
        "negative log-likelihood saved (nats)": own - log_loss(mean, labels),
    }


PARTS = (Measured("five nets gain over their mean", "gain", "images", unit="points"),)
CLAIM = Claim(
    name="ensembles",
    title="Ensembles",
    question="The mean of several nets' answers is more accurate than the nets are on average",
    slide="AlexNet, VGG, GoogLeNet, ResNet: ensembles of the challenge entries",
    published=(
        Published("ImageNet top-5 error", "AlexNet 18.2, five of them 16.4 %; ResNet-152 4.49 % on validation "
                  "images, six ResNets 3.57 % on test images", "Krizhevsky et al., 2012; He et al., 2015, Table 5"),
    ),
    designs={
        "digits": Design(
            PARTS,
            "the five nets of the arm crop of augmentation, on the images that judge it",
            uses="augmentation",
            count_on_runs=count_on_digits,
            core_minutes=0.1,
        ),
        "cpu": Design(
            PARTS,
            "the five nets of the arm flip_crop of augmentation, on the 5,000 images that judge it",
            uses="augmentation",
            count_on_runs=count_on_runs,
            core_minutes=1,
        ),
        "gpu": Design(
            (Measured("three nets gain over their mean", "gain", "images", unit="points"),),
            "the three nets of the arm flip_crop of augmentation, on the 5,000 images that judge it",
            uses="augmentation",
            count_on_runs=count_on_runs,
            core_minutes=1,
        ),
    },
    full_scale="lit-cnn ensemble CKPT CKPT CKPT --split test",
)  # fmt: skip
