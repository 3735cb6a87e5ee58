from lit_cnn.reports.pareto import pareto_front


def test_what_another_row_beats_is_left_out() -> None:
    assert pareto_front([(1, 5), (2, 4), (2, 5), (3, 1), (3, 4)]) == [0, 1, 3]


def test_three_axes_and_one() -> None:
    assert pareto_front([(1, 1, 9), (1, 2, 8), (2, 2, 8), (1, 1, 10)]) == [0, 1]
    assert pareto_front([(3,), (1,), (2,)]) == [1]


def test_of_equal_rows_the_first_is_kept() -> None:
    assert pareto_front([(1, 2), (2, 1), (1, 2)]) == [0, 1]
    assert pareto_front([]) == []
