"""File systems and times by which a kept list of files cannot be trusted."""

import numpy as np
import pytest

from lit_cnn.data.sources import mounts
from lit_cnn.data.sources.mounts import EARLIEST, plausible_times, user_space_mount

LINES = """/dev/sda / ext4 rw 0 0
remote: /mnt/with\\040blank fuse.rclone rw 0 0
bucket /mnt/s3 fuse rw 0 0
/dev/sdb /mnt/s3/local xfs rw 0 0
/dev/sdc /mnt/ntfs fuseblk rw 0 0
server:/x /mnt/nfs nfs4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", None),
        ("/mnt/with blank/images", "fuse.rclone"),
        ("/mnt/s3", "fuse"),
        ("/mnt/s3/images", "fuse"),
        ("/mnt/s3x", None),
        ("/mnt/s3/local/images", None),
        ("/mnt/ntfs/images", None),
        ("/mnt/nfs/images", None),
    ],
)
def test_file_systems_in_user_space_are_found(tmp_path, monkeypatch, path, kind):
    (tmp_path / "mounts").write_text(LINES)
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mounts")
    assert user_space_mount(path) == kind


def test_without_the_kernels_table_none_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "gone")
    assert user_space_mount(tmp_path) is None


@pytest.mark.parametrize(
    ("times", "plausible"),
    [
        ([[EARLIEST + 1, EARLIEST + 2], [EARLIEST + 1, EARLIEST + 3]], True),
        ([[EARLIEST + 1, EARLIEST + 2]], True),
        ([[EARLIEST + 1, EARLIEST + 1], [EARLIEST + 1, EARLIEST + 1]], False),
        ([[0, EARLIEST + 2], [EARLIEST + 1, EARLIEST + 3]], False),
        ([[EARLIEST + 1, EARLIEST - 1], [EARLIEST + 1, EARLIEST + 3]], False),
    ],
)
def test_times_that_say_nothing(times, plausible):
    assert plausible_times(np.array(times)) is plausible
