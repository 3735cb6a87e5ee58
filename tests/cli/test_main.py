"""What holds for every command."""

import subprocess
import sys

import pytest

WORKER = "'lit_cnn.data.loading.datasets' in __import__('sys').modules"


@pytest.mark.slow
def test_workers_of_a_fork_server_need_not_import_torch_each() -> None:
    program = (
        "import multiprocessing; from lit_cnn.cli.main import main; main(['--help'])\n"
        f'with multiprocessing.get_context("forkserver").Pool(1) as pool: print(pool.apply(eval, ("{WORKER}",)))'
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"
