import subprocess
import sys
from pathlib import Path

import pytest

from lit_cnn.run_folder.lock import locked

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
        with pytest.raises(ValueError, match=f"^process {process.pid} on .* is training the run .*: wait until"):
            locked(tmp_path).__enter__()
        process.kill()
    with locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
