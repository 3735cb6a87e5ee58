import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from lit_cnn.run_folder.lock import is_locked, locked

HOLD = """
import sys, time
from pathlib import Path
from lit_cnn.run_folder.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        with pytest.raises(ValueError, match=f"^process {process.pid} on .* is training the run .*: wait until"):
            locked(tmp_path).__enter__()
        process.kill()
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_folder_that_was_never_locked_is_not_and_stays_as_it_is(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def fail(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FileLock, "acquire", acquire)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP])
def test_without_locks_on_the_file_system_it_goes_on_with_a_warning(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(number, monkeypatch)
    with pytest.warns(UserWarning, match=f"the file system of {tmp_path} has no locks"), locked(tmp_path):
        pass
    assert not is_locked(tmp_path)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_folder_that_cannot_be_written_is_refused(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(number, monkeypatch)
    with pytest.raises(ValueError, match=r"cannot write into the run folder .*: make it writable"), locked(tmp_path):
        pass
