import subprocess
import sys
from pathlib import Path

import pytest

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
