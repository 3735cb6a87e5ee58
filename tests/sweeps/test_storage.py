"""Storages: what is refused in one sentence, and PostgreSQL with two workers of which one is killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_process import GRID

from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.storage import open_storage, without_password

PROGRAM = [sys.executable, str(Path(__file__).parent / "sweep_process.py")]


def refusal(url: str, folder: Path) -> str:
    with pytest.raises(ValueError, match="storage") as error:
        open_storage(folder, url, [].append)
    return str(error.value)


@pytest.mark.parametrize("url", ["postgresql://me:geheim@host/x", "postgresql+psycopg://me:geheim@host/x"])
def test_a_missing_driver_is_one_sentence_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    text = refusal(url, tmp_path)
    assert text.endswith("needs its driver psycopg: pip install 'lit-cnn[postgres]'")
    assert "geheim" not in text
    assert "\n" not in text


@pytest.mark.slow
def test_another_missing_driver_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncmy", None)
    assert "needs the Python package asyncmy: install it with pip" in refusal("mysql+asyncmy://host/x", tmp_path)


@pytest.mark.parametrize("kind", ["grpc", "redis", "http"])
def test_a_server_without_heartbeats_is_refused(tmp_path: Path, kind: str) -> None:
    assert "keeps no heartbeats" in refusal(f"{kind}://host:13000", tmp_path)


def test_a_password_is_never_shown() -> None:
    assert without_password("postgresql://me:a@b/c@host/x") == "postgresql://me:***@host/x"
    assert without_password("sqlite:///file.db") == "sqlite:///file.db"


def test_a_folder_without_a_url_has_a_journal(tmp_path: Path) -> None:
    open_storage(tmp_path, None, [].append)
    assert (tmp_path / "journal.log").is_file()


def tool(name: str) -> str | None:
    """A program of PostgreSQL, which Debian keeps out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def as_postgres(*command: str) -> None:
    """Run a program of PostgreSQL, which refuses to be root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    done = subprocess.run([*prefix, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """URL of a database in a server of its own."""
    pytest.importorskip("psycopg")
    initdb, control = tool("initdb"), tool("pg_ctl")
    if initdb is None or control is None:
        pytest.skip("needs PostgreSQL's initdb: apt-get install postgresql")
    import psycopg

    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    data = str(folder / "db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    as_postgres(initdb, "-D", data, "-A", "trust", "-U", "postgres")
    options = f"-p {port} -k {data} -c listen_addresses=127.0.0.1"
    as_postgres(control, "-D", data, "-o", options, "-l", f"{data}/server.log", "-w", "start")
    try:
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", autocommit=True) as server:
            server.execute("create role lit login password 'secret'")
            server.execute("create database litcnn owner lit")
        yield f"postgresql+psycopg://lit:secret@127.0.0.1:{port}/litcnn"
    finally:
        as_postgres(control, "-D", data, "-m", "fast", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path, url: str) -> subprocess.Popen:
    environment = {**os.environ, "FAKE_SECONDS": "0.5"}
    return subprocess.Popen([*PROGRAM, str(folder), url], env=environment, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_postgresql_serves_two_workers_of_which_one_is_killed(tmp_path: Path, postgresql: str) -> None:
    folder = tmp_path / "s"
    killed, other = start(folder, postgresql), start(folder, postgresql)
    while len(list(folder.glob("*/metrics.csv"))) < 2:
        time.sleep(0.05)
        assert killed.poll() is None
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert other.wait() == 0
    sweep = Sweep(folder, GRID, {}, postgresql)
    assert [(row.state, row.value) for row in sweep.results()] == [
        ("complete", value) for value in (22, 21, 20, 12, 11, 10)
    ]
    assert not (folder / "journal.log").exists()


@pytest.mark.slow
def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path, postgresql: str) -> None:
    text = refusal(postgresql.replace("/litcnn", "/nowhere"), tmp_path)
    assert "nowhere" in text
    assert "secret" not in text
    assert "\n" not in text
