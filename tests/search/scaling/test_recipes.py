"""A scaled network as a recipe."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lit_cnn.experiment.files import overlaid
from lit_cnn.experiment.identity import nested
from lit_cnn.experiment.jsonargparse_internals import described_keys
from lit_cnn.experiment.parser import RecipeCLI, recipe_parser
from lit_cnn.search.scaling.networks import Base
from lit_cnn.search.scaling.recipes import (
    base_of,
    family_recipe,
    read_recipes,
    scaled_lengths,
    scaled_recipe,
    write_recipe,
)
from lit_cnn.search.scaling.released import released_factors
from lit_cnn.search.scaling.rules import Factors


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        *(("efficientnet_b0", "efficientnet_b0"), ("efficientnet_b4", "efficientnet_b0"), ("resnet50", "resnet50")),
        *(("efficientnet_v2_b0", "efficientnet_v2_s"), ("mobilenet_v1_0.5", "mobilenet_v1"), ("resnet34", "resnet50")),
        *(("cifar_resnet56", "cifar10_resnet20"), ("resnet152", "resnet152")),
    ],
)
def test_a_network_without_a_recipe_takes_its_familys(name: str, recipe: str) -> None:
    assert family_recipe(name) == recipe


def test_the_recipe_has_the_network_and_every_length_in_pixels() -> None:
    stated = read_recipes(["efficientnet_v2_s"])
    network = base_of("efficientnet_v2_s", stated).scaled(Factors(1.1, 1.2, 1.25))
    recipe = scaled_recipe(network, stated)
    assert network.image_size == 480
    assert recipe["data"]["image_size"] == 375
    assert recipe["data"]["evaluation"]["image_size"] == 480
    assert recipe["progressive_learning"]["image_size"] == 160
    assert recipe["model"]["options"].items() >= {"width_multiplier": 1.1, "depth_multiplier": 1.2}.items()
    assert recipe["model"]["optimizer"] == stated["model"]["optimizer"]
    assert stated == read_recipes(["efficientnet_v2_s"])  # untouched


def test_a_recipe_that_is_scaled_already_is_scaled_further() -> None:
    options = {"width_multiplier": 1.4, "depth_multiplier": 1.5, "depth_rounding": "nearest"}
    stated = {"model": {"options": options}, "data": {"image_size": 128}}
    network = base_of("mobilenet_v2", stated).scaled(Factors(1.1, 1, 1.5), "up")
    recipe = scaled_recipe(network, stated)
    assert recipe["model"]["options"] == {"width_multiplier": 1.54, "depth_multiplier": 1.5}
    assert recipe["data"]["image_size"] == 192
    assert recipe["about"]["title"] == "mobilenet_v2, width × 1.54, depth × 1.5 (rounded up), 192 px"


def test_a_recipes_crop_grows_with_its_images() -> None:
    stated = read_recipes(["resnet50"])
    recipe = scaled_recipe(Base("resnet34").scaled(Factors(resolution=1.5)), stated)
    assert recipe["data"]["crop"]["shorter_side"] == [384, 720]
    assert recipe["model"]["architecture"] == "resnet34"


def test_every_key_that_is_documented_as_a_length_in_pixels_is_scaled() -> None:
    lengths = re.compile(r"\b(size|length|side)\b[^.;]*\bin pixels|^pixels added", re.IGNORECASE)
    keys = [key.name for key in described_keys(recipe_parser()) if lengths.search(key.meaning)]
    recipe: dict[str, Any] = {}
    for key in keys:
        recipe = overlaid(recipe, nested({key: 8}))
    assert scaled_lengths(recipe, 2) == dict.fromkeys(keys, 16)
    assert "data.cutout.size" in keys


def test_empty_sections_are_as_if_they_were_not_there() -> None:
    stated: dict[str, Any] = {"about": None, "model": {"architecture": "cifar_resnet8", "options": None}, "data": None}
    base = base_of("cifar_resnet8", stated)
    assert base == Base("cifar_resnet8")
    assert scaled_recipe(base.scaled(Factors(resolution=1.5)), stated)["data"] == {"image_size": 48}
    assert scaled_recipe(base.scaled(), {"model": None})["model"]["architecture"] == "cifar_resnet8"


def test_the_base_of_a_recipe_has_its_image_size_and_options() -> None:
    stated = {"model": {"options": {"widths": [8, 16, 32], "padding": "symmetric"}}, "data": {"image_size": 16}}
    base = base_of("cifar_resnet20", stated)
    assert (base.pixels, base.options) == (16, {"widths": [8, 16, 32]})
    with pytest.raises(ValueError, match="only square images are scaled"):
        base_of("cifar_resnet20", {"data": {"image_size": [16, 32]}})


@pytest.mark.slow
def test_fit_takes_what_is_written_and_builds_the_released_network(tmp_path: Path) -> None:
    network = Base("efficientnet_b0").scaled(released_factors("efficientnet_b1"))
    write_recipe(network, ["efficientnet_b0"], tmp_path / "b1.yaml")
    text = (tmp_path / "b1.yaml").read_text()
    assert text.startswith(
        "# efficientnet_b0 scaled: width × 1, depth × 1.1 (rounded up), 240 px; 7,794,184 parameters"
    )
    assert f"#   lit-cnn fit --config {tmp_path / 'b1.yaml'}\n" in text
    stated = yaml.safe_load(text)
    assert (stated["data"]["image_size"], stated["model"]["options"]["depth_multiplier"]) == (240, 1.1)
    cli = RecipeCLI(["--config", str(tmp_path / "b1.yaml")])
    assert cli.config.model.options.depth_multiplier == 1.1
