"""What races against what."""

import pytest

from lit_cnn.benchmarking.contestants import TABLE, catalog_races


def test_without_names_there_is_a_race_for_each_network_of_the_table() -> None:
    assert [(name, size) for name, size, _ in catalog_races([], [])] == list(TABLE)
    with_rivals = catalog_races([], ["timm"], image_size=64)
    assert {size for _, size, _ in with_rivals} == {64}
    assert any(rivals for *_, rivals in with_rivals)
    assert not all(rivals for *_, rivals in with_rivals)  # some have no counterpart and are benched alone


def test_a_named_network_races_at_its_own_size_and_needs_a_rival_where_one_is_asked_for() -> None:
    assert catalog_races(["cifar_resnet20"], []) == [("cifar_resnet20", 32, [])]
    ((name, size, rivals),) = catalog_races(["resnet18"], ["torchvision"])
    assert (name, size, [rival.other for rival in rivals]) == ("resnet18", 224, ["resnet18"])
    with pytest.raises(ValueError, match="cifar_resnet20 has no counterpart in timm or torchvision"):
        catalog_races(["cifar_resnet20"], ["timm", "torchvision"])
