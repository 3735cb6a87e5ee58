"""What becomes of each kind of wrong annotation, and that whatever a file states, what is left can be trained on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.detection.annotations import packed
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.findings import LEAST_SIDE, RULES, StatedBox, StatedImage, StatedSplit, plural, settle

WIDTH, HEIGHT = 100, 50


def settled(*boxes: StatedBox) -> AnnotatedSplit:
    image = StatedImage("folder/one.jpg", WIDTH, HEIGHT, list(boxes))
    return settle(StatedSplit([image]), "root", ("cat", "dog"), (1, 2), "object")


@pytest.mark.parametrize(
    ("corners", "kind", "kept"),
    [
        ((1, 2, 30, 40), None, [1, 2, 30, 40]),
        ((0, 0, WIDTH, HEIGHT), None, [0, 0, WIDTH, HEIGHT]),
        ((-1, -0.5, 101, 51), None, [0, 0, WIDTH, HEIGHT]),  # rounding
        ((-1.5, 2, 30, 40), "box over the edge", [0, 2, 30, 40]),
        ((80, 2, 130, 90), "box over the edge", [80, 2, WIDTH, HEIGHT]),
        ((5, 5, 6, 40), "degenerate box", None),
        ((5, 5, 6.01, 40), None, [5, 5, 6.01, 40]),
        ((30, 40, 1, 2), "degenerate box", None),
        ((5, 5, 5, 5), "degenerate box", None),
        ((120, 5, 140, 9), "outside box", None),
        ((99.5, 5, 140, 9), "outside box", None),
        ((math.nan, 5, 6, 40), "not finite box", None),
        ((5, 5, math.inf, 40), "not finite box", None),
    ],
)
def test_what_becomes_of_a_box(corners: tuple[float, ...], kind: str | None, kept: list[float] | None) -> None:
    split = settled(StatedBox(corners, "cat", 7))  # type: ignore[arg-type]
    assert list(split.findings) == ([] if kind is None else [kind])
    np.testing.assert_allclose(split.images[0].boxes, np.array([kept] if kept else []).reshape(-1, 4), rtol=1e-6)
    if kind is not None:
        (sentence,) = split.findings[kind]
        assert sentence.startswith(f"folder/one.jpg, object 7 (cat), {kind} [")
        assert sentence.endswith(": clipped" if kept else ": left out")


def test_a_class_without_a_name_is_left_out() -> None:
    split = settled(StatedBox((1, 2, 30, 40), "wolf", 1), StatedBox((1, 2, 30, 40), "dog", 2))
    assert split.images[0].labels.tolist() == [1]
    assert "object 1 (wolf)" in split.findings["unknown class"][0]


def test_the_same_box_twice_is_named_and_kept() -> None:
    twice = [StatedBox((1, 2, 30, 40), "cat", number) for number in (1, 2)]
    split = settled(*twice, StatedBox((1, 2, 30, 40), "dog", 3), StatedBox((1, 2, 30, 41), "cat", 4))
    assert len(split.images[0].boxes) == 4
    assert [text.partition(" (")[0] for text in split.findings["doubled box"]] == ["folder/one.jpg, object 2"]


def test_a_stated_area_is_kept_and_others_are_those_of_the_boxes() -> None:
    split = settled(StatedBox((0, 0, 10, 10), "cat", 1, area=42.0), StatedBox((0, 0, 10, 20), "cat", 2))
    assert split.images[0].areas.tolist() == [42, 200]


def test_flags_stay_with_their_boxes() -> None:
    gone = StatedBox((5, 5, 5, 5), "cat", 1, difficult=True, crowd=True)
    split = settled(gone, StatedBox((0, 0, 9, 9), "cat", 2, crowd=True), StatedBox((0, 0, 8, 9), "cat", 3, True))
    assert split.images[0].crowd.tolist() == [True, False]
    assert split.images[0].difficult.tolist() == [False, True]


def test_results_name_images_by_their_files_or_where_these_are_equal_by_their_paths() -> None:
    def ids(*paths: str) -> list[int | str]:
        stated = StatedSplit([StatedImage(path, 9, 9) for path in paths])
        return [image.image_id for image in settle(stated, "root", ("cat",), (1,), "line").images]

    assert ids("a/1.jpg", "b/2.jpg") == ["1", "2"]
    assert ids("a/1.jpg", "b/1.jpg") == ["a/1", "b/1"]


numbers = st.one_of(st.floats(-200, 300), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 50.0, 100.0]))
boxes = st.builds(StatedBox, st.tuples(*[numbers] * 4), st.sampled_from(["cat", "dog", "wolf"]), st.integers(1, 9))
images = st.lists(st.lists(boxes, max_size=4), max_size=4)


@settings(max_examples=60, deadline=None)
@given(images)
def test_what_is_left_can_be_trained_on_and_what_is_not_is_named(stated: list[list[StatedBox]]) -> None:
    split = StatedSplit([StatedImage(f"{row}.jpg", WIDTH, HEIGHT, own) for row, own in enumerate(stated)])
    result = settle(split, "root", ("cat", "dog"), (1, 2), "object")
    left_out = sum(len(texts) for kind, texts in result.findings.items() if RULES[kind].left_out)
    kept = packed(result)
    assert len(kept) == len(stated)
    assert len(kept.boxes) + left_out == sum(map(len, stated))
    assert np.isfinite(kept.boxes).all()
    assert (kept.boxes >= 0).all()
    assert (kept.boxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()
    assert ((kept.boxes[:, 2:] - kept.boxes[:, :2]) > LEAST_SIDE - 1e-3).all()
    assert set(kept.labels.tolist()) <= {0, 1}
    assert (kept.areas > 0).all()


@pytest.mark.parametrize("kind", RULES)
def test_every_kind_has_its_line_in_the_table(kind: str) -> None:
    import lit_cnn.detection.findings as module

    (line,) = [line for line in (module.__doc__ or "").splitlines() if line.startswith(f"{kind}  ")]
    assert ("left out" in line) == bool(RULES[kind].left_out)


def test_kinds_are_counted_in_words() -> None:
    assert [plural("degenerate box", 1), plural("degenerate box", 2)] == ["1 degenerate box", "2 degenerate boxes"]
    assert plural("missing image", 1234) == "1,234 missing images"
    assert plural("box over the edge", 3) == "3 boxes over the edge"
