from dataclasses import replace
from pathlib import Path

import pytest

from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.commented import recipe_text, values_of
from lit_cnn.choosing.trainings import Trained, full_epochs, recipe_of
from lit_cnn.experiment.parser import RecipeCLI

LITE = Candidate("a", "efficientnet_lite0", 160, "timm:tf_efficientnet_lite0.in1k")
RANDOM = Candidate("b", "resnet18", 128)
SMALL = Candidate("c", "cifar_resnet8", 32)
FRESH = Candidate("d", "efficientnet_b0", 128)
PHOTOS, DIGITS = Trained("imagefolder", "photos", 400, 248, 3), Trained("npz", "a.npz", 45_000, 32, 1)


@pytest.mark.parametrize(
    ("candidate", "data"), [(LITE, PHOTOS), (RANDOM, PHOTOS), (FRESH, PHOTOS), (SMALL, DIGITS), (LITE, DIGITS)]
)
@pytest.mark.parametrize("compared", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_each_recipe_resolves(candidate: Candidate, data: Trained, compared: bool, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe_text([], recipe_of(candidate, data, 4, compared=compared, device="cpu")))
    config = RecipeCLI(["--config", str(file)]).config
    assert config.model.architecture == candidate.architecture
    assert config.data.image_size == candidate.image_size
    assert config.model.initial.checkpoint == candidate.weights
    assert config.model.schedule.name == ("constant" if compared else "cosine")
    assert config.model.schedule.warmup_epochs <= 4
    if candidate.weights:
        assert tuple(config.data.normalize.mean) == (0.5, 0.5, 0.5)


def test_compared_trainings_can_be_judged_at_any_epoch() -> None:
    """At a constant rate, and by averaged weights, a training says the same however long it is going to be."""
    short, long = (values_of(recipe_of(RANDOM, PHOTOS, epochs, compared=True)) for epochs in (4, 30))
    short["trainer"].pop("max_epochs"), long["trainer"].pop("max_epochs")
    assert short == long
    assert 0 < short["ema"]["decay"] < 1


def test_short_trainings_from_random_weights_have_statistics_that_follow() -> None:
    """With the papers' momentum of 0.01 an EfficientNet is still judged by its first statistics after 100 steps."""
    assert values_of(recipe_of(FRESH, PHOTOS, 4, compared=True))["model"]["options"] == {"norm_momentum": 0.1}
    assert "options" not in values_of(recipe_of(RANDOM, PHOTOS, 4, compared=True))["model"]
    assert "options" not in values_of(recipe_of(LITE, PHOTOS, 4, compared=True))["model"]


def test_gray_images_become_what_the_weights_expect() -> None:
    assert values_of(recipe_of(LITE, DIGITS, 4, compared=True))["data"]["in_channels"] == 3
    assert "in_channels" not in values_of(recipe_of(SMALL, DIGITS, 4, compared=True))["data"]


def test_losses_are_weighted_where_classes_differ_in_size() -> None:
    for counts, weighted in (((), False), ((10, 30), False), ((10, 31), True), ((0, 31), False)):
        model = values_of(recipe_of(LITE, replace(PHOTOS, class_counts=counts), 4, compared=True))["model"]
        assert (model["loss"].get("class_weights") == "balanced") == weighted


def test_a_training_runs_on_the_gpu_that_was_measured() -> None:
    for device, trainer in (("cuda:1", ("gpu", [1])), ("cuda", ("gpu", 1)), ("cpu", ("cpu", 1)), ("auto", (None, 1))):
        held = values_of(recipe_of(LITE, PHOTOS, 4, compared=True, device=device))["trainer"]
        assert (held.get("accelerator"), held["devices"]) == trainer


def test_the_reason_of_an_image_size_fits_it() -> None:
    reasons = []
    for side in (160, 248, 64):
        keys = recipe_of(LITE, replace(PHOTOS, side=side), 4, compared=False)
        reasons.append(next(each.why for each in keys if each.key == "data.image_size"))
    assert reasons == [
        "as the images are",
        "half of the images have a shorter side of 248 px or more",
        "enlarged: half of the images have a shorter side of 64 px at most",
    ]


def test_a_batch_is_never_larger_than_the_set() -> None:
    assert Trained("imagefolder", "x", 10, 100, 3).batch_size == 10
    assert (PHOTOS.batch_size, DIGITS.batch_size) == (32, 128)


def test_a_full_training_is_no_shorter_than_the_comparison() -> None:
    assert [full_epochs(LITE, PHOTOS, 3), full_epochs(LITE, PHOTOS, 20)] == [8, 20]
    assert [full_epochs(RANDOM, PHOTOS, 3), full_epochs(SMALL, DIGITS, 3)] == [60, 30]


def test_a_fitted_classifier_is_trained_in_small_steps_and_a_fresh_one_alone_first() -> None:
    fresh, fitted, alone = (
        values_of(recipe_of(LITE, PHOTOS, 8, compared=False, head=head))["model"]
        for head in ("fresh", "fitted", "alone")
    )
    assert (fresh["initial"]["freeze_epochs"], alone["initial"]["freeze_epochs"]) == (1, "all")
    assert "freeze_epochs" not in fitted["initial"]
    assert fresh["optimizer"]["head_factor"] == 5
    for model in (fitted, alone):
        assert "head_factor" not in model["optimizer"]
        assert model["optimizer"]["learning_rate"] == fresh["optimizer"]["learning_rate"] / 10
        assert model["initial"]["batch_norm"] == "frozen"
