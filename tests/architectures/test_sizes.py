import math

import pytest

from lit_cnn.architectures.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("written", "size"),
    [(6, 6e6), ("6", 6e6), ("6M", 6e6), ("6m", 6e6), (0.27, 2.7e5), ("400k", 4e5), ("1.5G", 1.5e9), ("2 B", 2e9)],
)
def test_a_number_without_a_unit_means_millions(written: float | str, size: float) -> None:
    assert parse_size(written) == pytest.approx(size)


@pytest.mark.parametrize("written", ["six", "", "M", "6T", "1.2.3", 0, -1, "0", math.inf, math.nan, True])
def test_what_is_no_size_is_refused(written: float | str) -> None:
    with pytest.raises(ValueError, match="a size must be a positive number of millions, such as 6 or 6M"):
        parse_size(written)


def test_a_whole_number_of_parameters_is_taken_for_a_mistake() -> None:
    with pytest.raises(ValueError, match="6000000 would be millions: write 6M"):
        parse_size(6_000_000)


@pytest.mark.parametrize(("size", "written"), [(6e6, "6M"), (4.1e8, "410M"), (1.5e9, "1.5G"), (269_722, "269.7k")])
def test_sizes_are_written_as_they_are_read(size: float, written: str) -> None:
    assert format_size(size) == written
    assert parse_size(written) == pytest.approx(size, rel=1e-3)
