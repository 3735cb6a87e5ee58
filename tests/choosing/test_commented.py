import yaml

from lit_cnn.choosing.commented import Stated, flow, recipe_text, values_of

KEYS = [
    Stated("about.title", "a: b"),
    Stated("data.size", 3, "why"),
    Stated("model.name", "x", "a reason that is far too long to stand behind its key " * 3),
    Stated("data.list", [1, 2]),
    Stated("data.size", 4, "better"),
    Stated("data.none", None),
]


def test_the_text_is_the_yaml_of_the_values() -> None:
    text = recipe_text(["first line", "second"], KEYS)
    assert yaml.safe_load(text) == values_of(KEYS)
    assert text.startswith("# first line\n# second\nabout:\n")


def test_reasons_stand_behind_their_keys_or_above_them_if_they_are_long() -> None:
    lines = recipe_text([], KEYS).splitlines()
    assert "  size: 4  # better" in lines
    assert lines[lines.index("  name: x") - 1].startswith("  # a reason that is")


def test_values_stay_on_one_line() -> None:
    assert flow({"kind": "pad", "padding": 4}) == "{kind: pad, padding: 4}"
    assert flow("x" * 200) == "x" * 200
    assert yaml.safe_load(flow(1e-5)) == 1e-5
