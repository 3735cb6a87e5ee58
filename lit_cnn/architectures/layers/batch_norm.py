"""Which layers are batch norms, and what they cannot train on."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
"""torch's batch norms, whose common base class is private."""


@contextmanager
def explaining_single_values(what: str) -> Iterator[None]:
    """Let a batch norm that has one value per channel to train on end in a sentence of which batch that is ``what``.

    Raises:
        ValueError: If that is so.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ValueError(f"batch norm cannot train on one value per channel, which is what {what}") from None
