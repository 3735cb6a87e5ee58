"""What ranks have found, packed and brought together."""

import torch
from found_boxes import detections, nothing, random_set

from lit_cnn.detection.boxes import Detections
from lit_cnn.detection.gathering import pack, unpack


def same(one: Detections, other: Detections) -> bool:
    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


def test_unpacking_gives_back_what_was_packed_bit_for_bit_in_the_order_of_rows() -> None:
    _, found = random_set(5)
    found[2] = nothing()
    seen = [(row, found[row]) for row in (3, 0, 2, 4, 1)]
    result = unpack([pack(seen)])
    assert list(result) == [0, 1, 2, 3, 4]
    assert all(same(result[row], found[row]) for row in result)


def test_ranks_of_unequal_lengths_and_without_images_are_joined() -> None:
    _, found = random_set(4)
    parts = [pack([]), pack([(3, found[3]), (0, found[0]), (1, found[1])]), pack([(2, found[2])])]
    result = unpack(parts)
    assert list(result) == [0, 1, 2, 3]
    assert all(same(result[row], found[row]) for row in result)


def test_an_image_that_comes_several_times_counts_as_it_came_first() -> None:
    first, second = (detections([(0, 0, 9, 9)], [score], [0]) for score in (0.5, 0.25))
    result = unpack([pack([(7, first), (7, second)]), pack([(7, second)])])
    assert list(result) == [7]
    assert same(result[7], first)
    assert same(unpack([pack([(7, nothing())]), pack([(7, first)])])[7], nothing())


def test_nothing_at_all_is_an_empty_answer() -> None:
    assert unpack([pack([]), pack([])]) == {}
