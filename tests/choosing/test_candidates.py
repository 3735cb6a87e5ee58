from lit_cnn.architectures.catalog import list_models
from lit_cnn.choosing.candidates import (
    NETWORKS,
    SMALL_NETWORKS,
    Candidate,
    Start,
    by_priority,
    count_reasons,
    list_candidates,
    networks_for,
    sizes_for,
)


def test_every_network_is_tried_at_every_size_and_with_weights_where_there_are_some() -> None:
    found = list_candidates(["a", "b"], [64, 32], [Start("a", "w.ckpt", (("padding", "same"),))], [96])
    assert found == [
        Candidate("a-96-pretrained", "a", 96, "w.ckpt", (("padding", "same"),)),
        Candidate("b-64", "b", 64),
        Candidate("b-32", "b", 32),
    ]


def test_two_weights_of_one_network_have_two_names() -> None:
    names = [each.name for each in list_candidates([], [], [Start("a", "one"), Start("a", "two")], [96, 64])]
    assert names == ["a-96-pretrained", "a-64-pretrained", "a-96-pretrained-2", "a-64-pretrained-2"]


def test_weights_come_first_and_then_the_largest_size_of_each_network() -> None:
    made = list_candidates(["b", "c"], [128, 224], [Start("a", "w")], [128, 224])
    names = [each.name for each in by_priority(each for each in made if each.name != "c-224")]
    assert names == ["a-224-pretrained", "a-128-pretrained", "b-224", "c-128", "b-128"]


def test_small_images_get_networks_for_small_images() -> None:
    assert networks_for(32, None) == SMALL_NETWORKS
    assert sizes_for(32, None) == ((32,), (128, 96))
    assert networks_for(240, None) == NETWORKS
    assert sizes_for(240, None) == ((224, 160, 128), (224, 160, 128))
    assert sizes_for(70, None)[0] == (128,)


def test_what_is_stated_holds() -> None:
    assert networks_for(32, ["resnet18"]) == ("resnet18",)
    assert sizes_for(32, [64]) == ((64,), (64,))


def test_the_networks_are_in_the_catalog() -> None:
    assert {*NETWORKS, *SMALL_NETWORKS} <= set(list_models("*"))


def test_reasons_are_counted_the_most_frequent_first() -> None:
    assert count_reasons({"a": "params", "b": "latency", "c": "latency"}) == {"latency": 2, "params": 1}
