"""One line to the person who runs a training, from rank 0 alone."""

from lightning.pytorch.utilities import rank_zero_only

from lit_cnn.printable import printable_lines


@rank_zero_only
def announce(line: str) -> None:
    print(printable_lines(line), flush=True)  # noqa: T201
