"""The table of published weights is what the installed timm and torchvision say, and every row can be named."""

from importlib.resources import files

import imagenet_classes as imagenet_script
import published as published_script
import pytest

from lit_cnn.pretrained.imagenet import imagenet_classes, naming_of, namings
from lit_cnn.pretrained.proving import reference_of
from lit_cnn.pretrained.sources import find_published, is_published_spec, published, published_of, real_labels

DATA = files("lit_cnn.pretrained") / "data"


def test_the_table_is_what_the_installed_libraries_say() -> None:
    assert published_script.text() == (DATA / "published.csv").read_text(encoding="utf-8")
    assert len((DATA / "published.csv").read_bytes()) < 100_000


def test_the_class_names_are_what_the_installed_libraries_say() -> None:
    assert imagenet_script.text() == (DATA / "imagenet_classes.csv").read_text(encoding="utf-8")
    names = [row.name for row in imagenet_classes()]
    assert len(set(names)) == 1000
    assert imagenet_classes()[985] == (985, "n11939491", "daisy")


def test_every_row_has_its_own_name_a_pair_of_networks_and_an_accuracy() -> None:
    assert len({row.spec for row in published()}) == len(published()) > 190
    for row in published():
        assert find_published(row.spec) is row
        assert reference_of(row).name == row.architecture
        assert row.top1 is not None
        assert 50 < row.top1 < 90


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("timm:resnet50", "timm:resnet50.a1_in1k"),
        ("timm:resnet50.tv_in1k", "timm:resnet50.tv_in1k"),
        ("torchvision:ResNet50_Weights.IMAGENET1K_V1", "torchvision:resnet50.IMAGENET1K_V1"),
        ("torchvision:ResNet50_Weights.DEFAULT", "torchvision:resnet50.IMAGENET1K_V2"),
        ("torchvision:resnext101_64x4d", "torchvision:resnext101_64x4d.IMAGENET1K_V1"),
    ],
)
def test_weights_are_found_as_their_libraries_name_them(spec: str, found: str) -> None:
    assert is_published_spec(spec)
    assert find_published(spec).spec == found


def test_our_name_with_a_choice() -> None:
    assert published_of("resnet50", "timm:tv_in1k").spec == "timm:resnet50.tv_in1k"
    assert published_of("resnet50", "torchvision").tag == "IMAGENET1K_V2"
    assert published_of("efficientnet_lite0").spec == "timm:tf_efficientnet_lite0.in1k"
    with pytest.raises(ValueError, match="has no published weights 'timm:v9'; there are torchvision:resnet18"):
        published_of("resnet18", "timm:v9")
    with pytest.raises(ValueError, match="neither timm nor torchvision publishes weights for plain18"):
        published_of("plain18")
    with pytest.raises(ValueError, match="nearest are timm:resnet50"):
        find_published("timm:resnet5")


def test_traps_of_the_preprocessing_are_in_the_rows() -> None:
    """timm takes the floor, squashes for some, and torchvision's GoogLeNet changes its own input."""
    assert find_published("timm:resnet50.a3_in1k").preprocessing.resize == 235
    assert find_published("timm:dm_nfnet_f0").preprocessing.resize_mode == "squash"
    assert find_published("torchvision:googlenet").preprocessing.mean == (0.5, 0.5, 0.5)


def test_a_license_that_forbids_commercial_use_is_a_warning() -> None:
    warned = [row for row in published() if row.license_warning]
    assert {row.license for row in warned} == {"cc-by-nc-4.0"}
    assert "allows no commercial use" in str(warned[0].license_warning)


def test_folders_may_be_named_by_class_synset_or_index() -> None:
    names = [row.name for row in imagenet_classes()]
    assert naming_of({"n11939491", "n01440764"}, names)[985] == "n11939491"
    assert naming_of({"985", "0"}, names)[985] == "985"
    assert naming_of({"daisy"}, names) == names
    assert namings(["cat", "dog"]) == (["cat", "dog"],)


def test_real_labels_are_those_of_all_validation_images() -> None:
    assert len(real_labels()) == 50_000
    assert all(0 <= label < 1000 for found in real_labels().values() for label in found)
