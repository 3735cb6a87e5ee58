"""Order of class names, and which are easily confused."""

import os

import pytest

from lit_cnn.data.sources.class_names import (
    label_text,
    numbered,
    require_classes,
    require_text,
    similar_names,
    sorted_classes,
)


def test_numbers_are_sorted_by_value_and_texts_by_characters():
    assert sorted_classes(["10", "9", "-1"]) == ["-1", "9", "10"]
    assert sorted_classes(["1.5", "10.0", "2.0"]) == ["1.5", "2.0", "10.0"]
    assert sorted_classes(["10", "9", "b"]) == ["10", "9", "b"]
    assert numbered(["b", "a"]) == {"b": 0, "a": 1}


def test_a_whole_number_is_one_class_in_each_column_and_a_missing_value_none():
    values = [3, 3.0, -0.0, 2.5, True, "3.0", "cat", float("inf")]
    assert [label_text(value) for value in values] == ["3", "3", "0", "2.5", "True", "3.0", "cat", "inf"]
    assert [label_text(value) for value in (None, float("nan"), "")] == ["", "", ""]


def test_names_that_differ_in_capitals_blanks_or_accents_are_told():
    assert similar_names(["Cat", "cat", "dog"]) == [
        "the classes 'Cat' and 'cat' differ only in capitals, blanks or accents; are they one?"
    ]
    for first, second in (("a b", "a_b"), ("dog", "dog "), ("caf\u00e9", "cafe\u0301")):
        assert len(similar_names([first, second])) == 1
    assert similar_names(["cat", "cats", "1", "10"]) == []


def test_names_that_are_one_number_are_told():
    assert similar_names(["1", "1.0", "nan"]) == ["the classes '1' and '1.0' are the same number; are they one?"]
    for first, second in (("007", "7"), ("+1", "1"), ("1 ", "1"), ("0", "-0.0")):
        assert len(similar_names([first, second])) == 1
    assert similar_names(["9007199254740993", "9007199254740992", "1.5", "-1", "v1", "1"]) == []


def test_one_class_is_refused():
    require_classes(["a", "b"], "x holds")
    with pytest.raises(ValueError, match=r"x holds one class only \(a\)"):
        require_classes(["a"], "x holds")


def test_a_name_that_is_not_text_is_named_in_escaped_form():
    require_text("图", "place/图")
    name = os.fsdecode(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"class folder place/\\xff\\xfe is not valid UTF-8; rename it"):
        require_text(name, f"place/{name}")
