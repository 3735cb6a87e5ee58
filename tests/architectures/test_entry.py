"""What a row of the catalog says of its network, and the options that a recipe may set."""

import dataclasses
import inspect
from typing import get_args, get_type_hints

import pytest
from one_in import one_in

import lit_cnn
from lit_cnn.architectures.catalog import CATALOG, find_entry
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.meta import on_meta
from lit_cnn.experiment.parser import RecipeCLI


def test_differences_are_percent_of_the_papers_figure() -> None:
    figures = find_entry("resnet50").against_paper()
    assert figures["params"]["difference_percent"] is None
    assert figures["madds"]["difference_percent"] == pytest.approx(100 * (4089.184256 / 3800 - 1))


def test_options_are_what_a_caller_may_set() -> None:
    defaults = find_entry("cifar_plain20").option_defaults()
    assert "shortcut" not in defaults  # it makes this variant
    assert defaults["num_classes"] == 10
    assert list(defaults) == find_entry("cifar_plain20").options()


@pytest.mark.parametrize("option", [field.name for field in dataclasses.fields(NetworkOptions)])
def test_a_recipes_option_is_one_of_a_builder_with_the_same_choices(option: str) -> None:
    builders = {entry.build for entry in CATALOG if option in entry.options()}
    assert builders
    stated = {value for kind in get_args(get_type_hints(NetworkOptions)[option]) for value in get_args(kind)}
    taken = [get_type_hints(build)[option] for build in builders]
    choices = {value for kind in taken for value in get_args(kind)}
    if all(isinstance(value, str) for value in choices):
        assert stated == choices
    assert all(option in inspect.signature(build).parameters for build in builders)


@pytest.mark.parametrize(
    ("name", "stated"),
    one_in(
        3,
        [
            ("vgg16", {"head": "global_average"}),
            ("googlenet", {"head": "fully_connected", "inception": "naive"}),
            ("cifar_resnet20", {"shortcut": "zero_pad_both", "widths": "[8, 16, 32]"}),
            ("nfnet_f0", {"widths": "[32, 64, 128]", "depths": "[1, 2, 1]"}),
            ("cell_network", {"normal": "identity@0 + conv_1x1@1 > 0 2", "reduction": "max_pool_3x3@0 + conv_1x1@1"}),
            ("mbconv_chain", {"stages": "fused e1 k3 c24; mbconv e6 k5 s2 c40 n3 se0.25 skip=none"}),
            ("block_network", {"blocks": "plain c16 n2; inception s2 c32"}),
        ],
    ),
)
def test_a_recipe_states_options_and_the_network_has_them(name: str, stated: dict[str, str]) -> None:
    arguments = [f"--model.options.{option}={value}" for option, value in stated.items()]
    cli = RecipeCLI([f"--model.architecture={name}", "--data.source=digits", *arguments])
    options = cli.parser.instantiate(cli.config).model.options.chosen()
    assert {option: list(value) if isinstance(value, tuple) else value for option, value in options.items()} == {
        option: [int(number) for number in value.strip("[]").split(",")] if value.startswith("[") else value
        for option, value in stated.items()
    }
    with on_meta():
        network, default = lit_cnn.create_model(name, **options), lit_cnn.create_model(name)
    assert str(network) != str(default)


def test_an_options_bad_value_is_one_sentence_with_the_choices() -> None:
    arguments = ["--model.architecture=vgg16", "--data.source=digits", "--model.options.head=average"]
    with pytest.raises(ValueError, match=r"model\.options\.head.*fully_connected.*global_average"):
        RecipeCLI(arguments)
