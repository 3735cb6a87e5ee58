"""Tables fit the terminal and lose columns, but never a part of a number or a name."""

import itertools
import random
from pathlib import Path

import pytest
from nasty_names import ESCAPED, NASTY, SHOWN_AS_THEY_ARE
from rich.cells import cell_len

from lit_cnn.cli.tables import ELSEWHERE, Column, Table, lines, markdown, print_tables

COLUMNS = (Column("name", "name"), Column("px", rank=1), Column("images seen (M)", rank=2), Column("why", "prose", 3))


def shown(table: Table, width: int | None) -> list[str]:
    return [line.text for line in lines(table, width)]


def random_table(seed: int) -> Table:
    """Nasty names, long numbers and prose, with a third of the columns that have to stay."""
    draw = random.Random(seed)
    kinds = [draw.choice(("number", "name", "prose")) for _ in range(draw.randint(1, 9))]
    columns = [
        Column(draw.choice(("px", "images seen (M)", "training images/s", "")) + str(place), kind, draw.randint(0, 5))
        for place, kind in enumerate(kinds)
    ]
    names = [*NASTY, "a/b.png", "x", "photos/3667366832_7a8017c528_m.jpg"]
    words = ["the", "machine", "was", "busy", "12.5 %", "is", "above", "model.optimizer.learning_rate"]

    def cell(kind: str) -> str:
        if kind == "number":
            return f"{draw.random() * 10 ** draw.randint(0, 12):,.2f}"
        return draw.choice(names) if kind == "name" else " ".join(draw.choices(words, k=draw.randint(1, 30)))

    rows = [[cell(kind) for kind in kinds] for _ in range(draw.randint(1, 6))]
    return Table(columns, rows, title="a title of many words " * 6, notes=["a note of many words " * 9], marked=[0])


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_longer_than_the_terminal_and_no_number_or_name_is_cut(width: int) -> None:
    for seed in range(150):
        table = random_table(seed)
        whole = shown(Table(table.columns, table.rows), None)
        cells = {cell for row in table.rows for cell in row}
        printed = {ESCAPED.get(cell, cell) for cell in cells}
        for line in shown(table, width):
            assert cell_len(line) <= width or line.strip() in printed, (seed, line)
        text = "\n".join(shown(table, width))
        dropped = text.partition("not shown: ")[2]
        for place, column in enumerate(table.columns):
            for row in table.rows:
                name = ESCAPED.get(row[place], row[place])
                assert name in "\n".join(whole)
                if column.kind != "prose" and (not column.rank or not dropped):
                    assert name in text, (seed, name)


def test_columns_are_dropped_by_their_rank_and_named_below() -> None:
    table = Table(COLUMNS, [["resnet50", "224", "153.6", "as its paper says of all its networks"]])
    assert "not shown" not in "\n".join(shown(table, 80))
    header, rule, row, *below = shown(table, 20)
    assert (header, rule, row) == ("name       px", "─" * 13, "resnet50  224")
    assert " ".join(below) == f"not shown: images seen (M); why ({ELSEWHERE})"


def test_a_heading_is_wrapped_before_a_column_is_dropped() -> None:
    table = Table((Column("name", "name"), Column("images seen (M)", rank=1)), [["resnet50", "153.6"]])
    assert shown(table, 16) == [
        "          images",
        "            seen",
        "name         (M)",
        "─" * 16,
        "resnet50   153.6",
    ]


def test_prose_is_wrapped_at_words_and_keeps_numbers_with_their_sign() -> None:
    table = Table(
        (Column("key", "name"), Column("why", "prose")), [["alpha", "the share of images is about 12.5 % of them"]]
    )
    text = shown(table, 32)
    assert max(map(len, text)) <= 32
    assert " ".join(line[7:].strip() for line in text[2:]) == "the share of images is about 12.5 % of them"
    assert not any(line.endswith("12.5") for line in text)


def test_names_too_long_for_the_table_stand_above_their_numbers() -> None:
    name = "runs/quickstart/20261129-111346-1cabfe/checkpoints/best.ckpt"
    table = Table((Column("member", "name"), Column("top-1")), [[name, "18.66 %"], ["mean", "18.66 %"]])
    assert shown(table, 60)[2:] == [name, " " * 53 + "18.66 %", "mean" + " " * 49 + "18.66 %"]


def test_rows_that_cannot_stand_in_columns_become_lines_of_their_cells() -> None:
    table = Table([Column(name, "name") for name in "abc"], [["x" * 30, "y" * 30, "z" * 45], ["1", "2", "3"]])
    assert shown(table, 40) == ["a  " + "x" * 30, "b  " + "y" * 30, "c", "z" * 45, "", "a  1", "b  2", "c  3"]


def test_without_a_terminal_all_is_whole_on_one_line_each(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    prose = "word " * 60
    print_tables([Table(COLUMNS, [["n" * 90, "1", "2", prose.strip()]], title="t", notes=["note " * 40])])
    title, header, rule, row, note = capsys.readouterr().out.splitlines()
    assert (title, header.split(), row.split()[0]) == ("t", ["name", "px", "images", "seen", "(M)", "why"], "n" * 90)
    assert row.endswith(prose.strip())
    assert len(rule) == len(row)
    assert note.split() == ["note"] * 40


def test_numbers_stand_on_the_right_and_totals_below_a_rule() -> None:
    table = Table((Column("name", "name"), Column("px")), [["a", "1"], ["long", "224"]], totals=[["sum", "225"]])
    assert shown(table, 80) == ["name   px", "─" * 9, "a       1", "long  224", "─" * 9, "sum   225"]


def test_marked_rows_are_red() -> None:
    table = Table((Column("name", "name"),), [["a"], ["b"]], marked=[1])
    assert [line.style for line in lines(table, 80)] == ["bold", "", "", "red"]


def test_wide_letters_count_as_two() -> None:
    table = Table((Column("name", "name"), Column("n")), [["猫猫", "1"], ["cats", "2"]])
    assert shown(table, 80)[2:] == ["猫猫  1", "cats  2"]


@pytest.mark.parametrize(("name", "as_shown"), [*ESCAPED.items(), *((name, name) for name in SHOWN_AS_THEY_ARE)])
def test_names_are_plain_text(name: str, as_shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    tables = [Table((Column("name", "name"), Column("n")), [[name, "1"]], title=f"of {name}", notes=[f"in {name}"])]
    print_tables(tables, f"line {name}")
    print_tables(tables, in_markdown=True)
    out = capsys.readouterr().out
    assert f"\n{as_shown}  " in out
    assert "\x1b" not in out
    broken = as_shown.replace(r"\n", "\n")  # lines stay lines outside of cells
    assert all(f"{before} {broken}" in out for before in ("of", "in", "line"))


def test_a_markdown_table_is_whole_with_numbers_on_the_right() -> None:
    table = Table((Column("name", "name"), Column("px")), [["a | b\nc", "1"]], "sizes", ["of images"], [["all", "1"]])
    assert markdown(table).splitlines() == [
        *("sizes", "", "| name | px |", "|---|---:|"),
        *(r"| a \| b\nc | 1 |", "| all | 1 |", "", "of images"),
    ]


def test_an_ascii_terminal_gets_ascii_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as out:
        monkeypatch.setattr("sys.stdout", out)
        assert shown(Table((Column("name", "name"),), [["a"]]), 80) == ["name", "----", "a"]


def test_several_tables_have_an_empty_line_between(capsys: pytest.CaptureFixture[str]) -> None:
    one = Table((Column("a", "name"),), [["1"]])
    for form in (False, True):
        print_tables([one, one], in_markdown=form)
        text = capsys.readouterr().out
        blocks = [list(group) for empty, group in itertools.groupby(text.splitlines(), bool) if empty]
        assert [len(block) for block in blocks] == [3, 3]
