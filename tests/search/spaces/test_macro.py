"""NAS-Bench-Macro's space: every network of the published table, with its counts to the unit."""

import csv
import os
from itertools import product
from pathlib import Path

import pytest

from lit_cnn.architectures.chain_counts import count_chain
from lit_cnn.search.spaces.macro import SETTINGS, MacroSpace

SPACE = MacroSpace()


def rows_of_the_table() -> list[dict[str, str]]:
    folder = Path(os.environ.get("LIT_CNN_REFERENCE", Path(__file__).parents[4] / "shared" / "reference"))
    table = folder / "nasbench_extract.macro.csv"
    if not table.is_file():
        pytest.skip("the table is not here: LIT_CNN_REFERENCE must name a folder with nasbench_extract.macro.csv")
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_networks_of_the_table_have_its_parameters_and_multiply_adds() -> None:
    rows = rows_of_the_table()
    assert len(rows) == 3969
    for row in rows:
        counts = count_chain(
            SPACE.rows(SPACE.decode(row["code"])),
            32,
            stem_width=SETTINGS.stem_width,
            final_width=SETTINGS.final_width,
            stem=SETTINGS.stem,
            num_classes=10,
        )
        assert counts == (int(row["params"]), int(row["madds"])), row["code"]


def test_codes_are_3969_networks() -> None:
    assert len({SPACE.encode(point) for point in product(range(3), repeat=8)}) == 3969


def test_codes_are_those_of_the_table() -> None:
    codes = {row["code"] for row in rows_of_the_table()}
    assert codes == {SPACE.encode(point) for point in product(range(3), repeat=8)}


def test_identities_of_a_stage_move_to_its_end_except_the_first_slots() -> None:
    assert SPACE.canonical((0, 1, 0, 0, 2, 1, 0, 2)) == (0, 1, 0, 2, 0, 1, 2, 0)
    assert SPACE.encode((2, 2, 2, 0, 1, 0, 0, 0)) == "22210000"


def test_the_network_is_stated_slot_by_slot_without_what_does_nothing() -> None:
    options = SPACE.candidate(SPACE.decode("02100000")).options
    assert options["stages"] == (
        "identity s2 c64 n1; mbconv e6 k5 s1 c64 n1; mbconv e3 k3 s2 c128 n1; identity s2 c256 n1"
    )
    assert (options["activation"], options["stem"], options["stem_width"]) == ("relu", "small", 32)


@pytest.mark.parametrize("text", ["2221222", "222122203", "2221222x", "22212223"])
def test_what_is_not_a_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"a code must have 8 digits of 012, got '{text}'"):
        SPACE.decode(text)


def test_each_stage_has_a_width_and_slots() -> None:
    with pytest.raises(ValueError, match="for each stage, got 2 widths and 3 slots"):
        MacroSpace(widths=(64, 128))
