import pytest

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.benchmarking.cost import cost_of, forward_madds, images_seen, stage_sizes


def recipe(**data: object) -> dict:
    return {
        "trainer": {"max_epochs": 90},
        "model": {"architecture": "resnet50"},
        "data": {"source": "imagefolder", "path": "imagenet", "image_size": 224, "batch_size": 256, **data},
    }


def test_images_are_epochs_times_training_images() -> None:
    assert images_seen(recipe()) == 90 * 1_281_167
    assert images_seen(recipe(path=None, source="cifar10")) == 90 * 45_000
    assert images_seen(recipe(path="my_own_images")) is None


def test_limited_epochs_count_their_batches() -> None:
    limited = recipe(batch_size=64) | {"trainer": {"max_epochs": 4, "limit_train_batches": 50}}
    assert images_seen(limited) == 4 * 50 * 64
    half = recipe() | {"trainer": {"max_epochs": 4, "limit_train_batches": 0.5}}
    assert images_seen(half) == 2 * 1_281_167


def test_a_limit_of_steps_ends_the_epochs_early() -> None:
    trainer = {"max_epochs": 4, "max_steps": 100, "accumulate_grad_batches": 2}
    assert images_seen(recipe(batch_size=64) | {"trainer": trainer}) == 100 * 2 * 64
    assert images_seen(recipe(batch_size=64) | {"trainer": trainer | {"max_steps": -1}}) == 4 * 1_281_167
    assert images_seen(recipe(batch_size=64) | {"trainer": trainer | {"max_steps": 10**9}}) == 4 * 1_281_167


def test_training_costs_three_forward_passes() -> None:
    cost = cost_of(recipe())
    assert (cost.madds, cost.how) == (find_entry("resnet50").madds, "catalog")
    assert cost.training_madds == 3 * 4_089_184_256 * 90 * 1_281_167


def test_sam_adds_its_ascent() -> None:
    plain, sharp = recipe(), recipe()
    sharp["model"] = {**sharp["model"], "sam": {"rho": 0.05, "ascent_fraction": 0.2}}
    assert cost_of(sharp).training_madds == pytest.approx(1.2 * cost_of(plain).training_madds)


def test_another_image_size_scales_by_area() -> None:
    madds, how = forward_madds("resnet50", {"dropout": 0.5}, [112])
    assert (madds, how) == (find_entry("resnet50").madds / 4, "by area")


def test_both_sides_of_an_image_that_is_no_square_count() -> None:
    madds, how = forward_madds("resnet50", {}, [(112, 224)])
    assert (madds, how) == (find_entry("resnet50").madds / 2, "by area")
    wide = recipe(image_size=[200, 300]) | {"progressive_learning": {"stages": 2, "image_size": 100}}
    assert stage_sizes(wide) == [(100, 150), (200, 300)]


def test_options_that_change_the_network_are_counted() -> None:
    madds, how = forward_madds("resnet50", {"stride_in": "1x1"}, [224])
    assert how == "counted"
    assert madds == 3_857_973_248  # the paper's net: 3.858 G
    assert madds < find_entry("resnet50").madds


def test_where_the_zeros_of_a_shortcut_go_costs_nothing() -> None:
    assert forward_madds("cifar_resnet20", {"shortcut": "zero_pad_both"}, [32]) == (40_551_040, "counted")
    assert forward_madds("vgg16", {"head": "global_average"}, [224]) == (15_347_142_656, "counted")


@pytest.mark.parametrize(("includes_start", "sizes"), [(True, [128, 185, 243, 300]), (False, [171, 214, 257, 300])])
def test_sizes_of_progressive_learning(includes_start: bool, sizes: list[int]) -> None:
    settings = {"stages": 4, "image_size": 128, "includes_start": includes_start}
    assert stage_sizes(recipe(image_size=300) | {"progressive_learning": settings}) == sizes
    plain = {"stages": 1, "image_size": None, "includes_start": includes_start}
    assert stage_sizes(recipe(image_size=300) | {"progressive_learning": plain}) == [300]


def test_progressive_learning_costs_the_mean_of_its_stages() -> None:
    madds, how = forward_madds("resnet50", {}, [112, 224])
    assert (madds, how) == (find_entry("resnet50").madds * 5 / 8, "by area")


def test_a_class_path_has_no_count() -> None:
    foreign = recipe() | {"model": {"architecture": {"class_path": "torchvision.models.resnet18"}}}
    assert cost_of(foreign)[1:] == (None, None, "")
