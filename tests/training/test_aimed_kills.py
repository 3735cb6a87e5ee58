"""A run that dies in a validation, while a checkpoint is written or between two renames ends as if it had not."""

from pathlib import Path

import pytest
from aimed_kills import MOMENTS, compare


@pytest.mark.slow
def test_kills_at_the_worst_moments_leave_a_run_that_ends_bit_equal(tmp_path: Path) -> None:
    """Each kill is shown, by what is on the disk, to have hit its moment (``Moment.evidence`` raises otherwise)."""
    ends = compare(tmp_path)
    assert list(ends.kills) == [moment.name for moment in MOMENTS]
    assert ends.killed == ends.undisturbed
