"""Rows of stages as text: what is unknown is answered with the nearest name."""

import pytest

from lit_cnn.architectures.stage_text import Letters, TextRow, split_rows, whole_number

BLOCKS = {"wide": Letters(("c", "k"), ("s", "skip")), "none": Letters((), ())}


def test_letters_come_in_any_order_and_spaces_do_not_matter() -> None:
    rows = split_rows(" wide  k3 c16 skip=pool;none", BLOCKS)
    assert rows == [TextRow("wide", {"k": "3", "c": "16", "skip": "pool"}), TextRow("none", {})]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "stage 1 has the unknown block ''; choose one of wide, none"),
        ("none; wyde c1 k1", "stage 2 has the unknown block 'wyde'; did you mean 'wide'"),
        ("wide c1 k1 skp=pool", r"stage 1 \(wide\) has the unknown setting 'skp=pool'; did you mean 'skip'"),
        ("wide c1 k1 !", r"stage 1 \(wide\) has the unknown setting '!'; choose one of c, k, s, skip"),
        ("wide c1 c2 k1", r"stage 1 \(wide\) has c twice"),
        ("wide c1", r"stage 1 \(wide\) needs k and a number, such as k3"),
    ],
)
def test_a_wrong_row_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        split_rows(text, BLOCKS)


def test_whole_numbers_start_at_one() -> None:
    row = TextRow("wide", {"c": "12", "k": "0", "s": "1.5"})
    assert whole_number(1, row, "c") == 12
    assert whole_number(1, row, "n") == 1
    for letter, value in (("k", "0"), ("s", "1.5")):
        with pytest.raises(ValueError, match=f"stage 3 .* a whole number of at least 1 behind {letter}, got {value}"):
            whole_number(3, row, letter)
