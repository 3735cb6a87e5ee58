"""The flags of commands without a recipe mean what the recipe's keys do."""

import argparse

import pytest

from lit_cnn.cli.pixel_arguments import add_pixel_arguments, pixel_format_of
from lit_cnn.data.sources.decoding import PixelFormat


def parsed(*arguments: str) -> PixelFormat:
    parser = argparse.ArgumentParser()
    add_pixel_arguments(parser)
    return pixel_format_of(parser.parse_args(arguments))


def test_the_defaults_are_those_of_a_recipe() -> None:
    assert parsed() == PixelFormat()


def test_each_flag_is_read() -> None:
    stated = parsed("--levels", "-1000", "2000.5", "--background", "black", "--max-pixels", "5")
    assert stated == PixelFormat(3, (-1000.0, 2000.5), (0, 0, 0), "convert", 5)
    assert parsed("--background", "1,2,3", "--color-profile", "ignore") == PixelFormat(3, None, (1, 2, 3), "ignore")
    assert parsed("--background", "null").background is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--levels", "9", "1"], r"data\.levels is \[9\.0, 1\.0\]"),
        (["--background", "pink"], "--background is 'pink' but must be white, black, gray, R,G,B or null"),
        (["--background", "1,2"], "--background is '1,2' but"),
        (["--background", "1,2,256"], r"data\.background is \(1, 2, 256\)"),
    ],
)
def test_wrong_values_are_named(arguments: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parsed(*arguments)
