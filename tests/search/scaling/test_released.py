"""EfficientNet's formula next to what was released."""

import re
from pathlib import Path

import pytest

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.search.scaling.networks import Base
from lit_cnn.search.scaling.recipes import base_of, read_recipes
from lit_cnn.search.scaling.released import PAIRS, PhiRow, phi_table, released_factors
from lit_cnn.search.scaling.rules import Factors, compound

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "scaling.md"
FORMULA = {
    0.5: (240, 8_441_486),
    1: (258, 9_109_994),
    2: (296, 12_255_408),
    3: (341, 16_350_296),
    4: (392, 25_916_448),
    5: (451, 33_726_740),
    6: (518, 45_464_648),
    7: (596, 68_741_810),
}
"""phi -> px and parameters of alpha^phi, counted before on the meta device."""
RELEASED = {
    "b1": (0.00, 0.52, 0.49, 7_794_184),
    "b2": (1.00, 1.00, 1.07, 9_109_994),
    "b3": (1.91, 1.85, 2.09, 12_233_232),
    "b4": (3.53, 3.22, 3.78, 19_341_616),
    "b5": (4.93, 4.32, 5.09, 30_389_784),
    "b6": (6.17, 5.24, 6.14, 43_040_704),
    "b7": (7.27, 6.21, 7.05, 66_347_960),
}
"""Name -> implied phi of width, depth and px, and parameters."""


@pytest.fixture(scope="module")
def table() -> list[PhiRow]:
    return phi_table(Base("efficientnet_b0"))


@pytest.mark.slow
def test_the_formula_has_the_counted_parameters(table: list[PhiRow]) -> None:
    assert {row.phi: (row.formula.image_size, row.formula.params) for row in table} == FORMULA


@pytest.mark.slow
def test_each_released_network_implies_another_phi_for_each_of_its_factors(table: list[PhiRow]) -> None:
    found = {row.released.name: (row.implied, row.released.params) for row in table if row.released and row.implied}
    assert {name.removeprefix("efficientnet_") for name in found} == set(RELEASED)
    for name, (*phis, params) in RELEASED.items():
        implied, counted = found[f"efficientnet_{name}"]
        assert [round(phi, 2) for phi in implied] == phis
        assert counted == params


@pytest.mark.slow
def test_only_b2_is_on_the_formula(table: list[PhiRow]) -> None:
    equal = [row.released.name for row in table if row.released and row.formula.params == row.released.params]
    assert equal == ["efficientnet_b2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "efficientnet_b1",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("efficientnet_b4", "efficientnet_v2_b2")),
    ],
)
def test_released_multipliers_make_the_catalogs_network(name: str) -> None:
    base = Base("efficientnet_v2_b0" if "v2" in name else "efficientnet_b0")
    network, entry = base.scaled(released_factors(name)), find_entry(name)
    assert (network.params, network.madds, network.image_size) == (entry.params, entry.madds, entry.image_size)


@pytest.mark.slow
def test_the_guide_shows_both(table: list[PhiRow]) -> None:
    lines = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if re.match(r"\| [\d.]+ \|", line)]
    assert len(lines) == len(table)
    for line, row in zip(lines, table, strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        width, depth, _ = row.formula.factors
        assert cells[:3] == [f"{row.phi:g}", f"{width:.3f}", f"{depth:.3f}"]
        assert cells[3:5] == [f"{row.formula.image_size}", f"{row.formula.params:,}"]
        if row.released and row.implied:
            assert cells[6] == row.released.name.removeprefix("efficientnet_")
            assert (cells[9], cells[10]) == (f"{row.released.image_size}", f"{row.released.params:,}")
            assert cells[12:] == [f"{phi:.2f}" for phi in row.implied]


@pytest.mark.slow
def test_the_guides_costs_of_rounding_are_counted() -> None:
    base, text = Base("efficientnet_b0"), GUIDE.read_text(encoding="utf-8")
    for rounding, said in (("up", "costs {:.2f} times"), ("nearest", "to the nearest it is {:.2f}")):
        assert said.format(base.scaled(compound(1), rounding).times) in " ".join(text.split())  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_base_by_its_recipe_is_the_released_one_and_scaled_it_is_not() -> None:
    recipe = base_of("efficientnet_b0", read_recipes(["efficientnet_b0"]))
    assert recipe != Base("efficientnet_b0")
    assert phi_table(recipe, pairs=PAIRS[1:2])[0].released == find_entry("efficientnet_b2")
    wider = Base("efficientnet_b0", options={"width_multiplier": 1.1})
    assert phi_table(wider, pairs=PAIRS[1:2])[0].released is None


def test_another_base_has_the_formula_alone() -> None:
    row = phi_table(Base("mobilenet_v2"), pairs=PAIRS[1:2])[0]
    assert (row.formula.factors, row.released) == (Factors(1.1, 1.2, 1.15), None)


def test_blocks_of_the_formula_are_rounded_as_asked() -> None:
    up, nearest = (
        phi_table(Base("cifar_resnet8"), pairs=PAIRS[1:2], rounding=rounding)[0].formula
        for rounding in (None, "nearest")
    )
    assert (up.rounding, up.blocks()["stage2"]) == ("up", 2)
    assert (nearest.rounding, nearest.blocks()["stage2"]) == ("nearest", 1)


def test_a_network_without_released_multipliers_is_refused() -> None:
    with pytest.raises(ValueError, match="no multipliers were released for 'resnet50'; there are those of"):
        released_factors("resnet50")
