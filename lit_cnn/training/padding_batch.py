"""A micro-batch that holds one padding sample: a rank without images of an incomplete global batch computes it, so that
all ranks take part in the step, and nothing may learn from it."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from lit_cnn.data.batch import PADDING, Batch
from lit_cnn.training.freezing import batch_norms


def is_padding(batch: Batch) -> bool:
    """Whether the batch holds nothing else; a device is waited for only where a batch has a single sample."""
    return len(batch.index) == 1 and int(batch.index[0]) == PADDING


@contextmanager
def uncounted_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch norms normalize by their running statistics, and not count the batch in them.

    Norms that are synchronized over ranks go on as the others' do, which wait for them, without counting.
    """
    norms = [norm for norm in batch_norms(network) if norm.training and norm.track_running_stats]
    for norm in norms:
        if isinstance(norm, nn.SyncBatchNorm):
            norm.track_running_stats = False
        else:
            norm.training = False
    try:
        yield
    finally:
        for norm in norms:
            norm.training = norm.track_running_stats = True
