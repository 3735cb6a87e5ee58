"""Predictions as rows and objects: empty where a file is broken, without an answer below a probability."""

from pathlib import Path

from lit_cnn.evaluation.predict import Prediction
from lit_cnn.evaluation.prediction_file import answer, prediction_file, prediction_record

SURE = Prediction("a.png", ["cat", "dog"], [0.9, 0.1])
UNSURE = Prediction("c.png", ["dog", "cat"], [0.6, 0.4])
BROKEN = Prediction("d.png", [], [], "d.png cannot be read")


def test_a_prediction_has_a_row_of_pairs_and_a_broken_file_a_reason() -> None:
    assert prediction_file(Path("p.csv"), 2).columns == [
        *("file", "class1", "probability1", "class2", "probability2", "error")
    ]
    assert prediction_record(SURE, 2).cells == ["a.png", "cat", 0.9, "dog", 0.1, None]
    assert prediction_record(BROKEN, 2).cells == ["d.png", None, None, None, None, "d.png cannot be read"]
    assert prediction_record(SURE, 2).fields == {
        "file": "a.png",
        "classes": ["cat", "dog"],
        "probabilities": [0.9, 0.1],
        "error": None,
    }


def test_an_answer_is_given_from_the_least_probability_on() -> None:
    assert [answer(each, None) for each in (SURE, UNSURE, BROKEN)] == ["cat", "dog", None]
    assert [answer(each, 0.6) for each in (SURE, UNSURE, BROKEN)] == ["cat", "dog", None]
    assert [answer(each, 0.61) for each in (SURE, UNSURE, BROKEN)] == ["cat", None, None]


def test_answers_are_written_where_they_are_asked_for() -> None:
    assert prediction_file(Path("p.csv"), 1, 0.5).columns == ["file", "class1", "probability1", "answer", "error"]
    assert prediction_record(UNSURE, 2, 0.61).cells[-2:] == [None, None]
    assert prediction_record(UNSURE, 2, 0.6).cells[-2:] == ["dog", None]
    assert prediction_record(UNSURE, 2, 0.61).fields["answer"] is None
    assert "answer" not in prediction_record(UNSURE, 2).fields
