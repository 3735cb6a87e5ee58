"""The journal survives what kills and full disks do to its last line and to its lock."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage

from lit_cnn.sweeps.journal import TORN, cut_torn_end, open_journal

TORN_LINE = b'{"op_code":4,"worker_id":"killed","study_id":0,"datetime_st'


def journal_of(storage: JournalStorage, name: str = "s") -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(storage=storage, study_name=name, load_if_exists=True)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal with two trials."""
    path = tmp_path / "journal.log"
    study = journal_of(open_journal(path, [].append))
    study.tell(study.ask(), 1.0)
    study.ask()
    return path


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_a_torn_last_line_is_cut_at_opening_and_kept_and_told_in_one_line(journal: Path) -> None:
    whole = journal.read_bytes()
    append(journal, TORN_LINE)
    lines: list[str] = []
    study = journal_of(open_journal(journal, lines.append))
    assert [trial.value for trial in study.trials] == [1.0, None]
    assert journal.read_bytes().startswith(whole)
    assert (journal.parent / f"journal.log{TORN}").read_bytes() == TORN_LINE + b"\n"
    assert len(lines) == 1
    assert "cut 59 bytes off" in lines[0]
    assert "\n" not in lines[0]


def test_a_process_that_has_the_journal_open_cuts_what_another_tears_before_it_writes(journal: Path) -> None:
    lines: list[str] = []
    study = journal_of(open_journal(journal, lines.append))
    append(journal, TORN_LINE)
    study.tell(study.ask(), 2.0)
    assert [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert len(lines) == 1
    assert [trial.value for trial in journal_of(open_journal(journal, [].append)).trials] == [1.0, None, 2.0]


def test_a_line_that_was_glued_to_a_torn_one_is_read_again(journal: Path) -> None:
    study = journal_of(open_journal(journal, [].append))
    before = journal.read_bytes()
    study.tell(study.ask(), 3.0)
    added = journal.read_bytes()[len(before) :]
    journal.write_bytes(before + TORN_LINE + added)
    assert [trial.value for trial in journal_of(open_journal(journal, [].append)).trials] == [1.0, None, 3.0]
    assert (journal.parent / f"journal.log{TORN}").read_bytes() == TORN_LINE + b"\n"


@pytest.mark.parametrize("content", [b"", b"a\n", b"a\nb\n"])
def test_a_whole_journal_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(content)
    cut_torn_end(path, lambda line: pytest.fail(line))
    assert path.read_bytes() == content


@pytest.mark.parametrize("length", [10, 65_535, 65_536, 200_000])
def test_a_torn_line_of_any_length_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(b"whole\n" + b"x" * length)
    cut_torn_end(path, [].append)
    assert path.read_bytes() == b"whole\n"
    path.write_bytes(b"x" * length)
    cut_torn_end(path, [].append)
    assert path.read_bytes() == b""


def test_a_lock_file_left_by_a_kill_is_taken_over_at_once(journal: Path) -> None:
    lock = journal.with_name("journal.log.lock")
    lock.unlink()
    os.close(os.open(lock, os.O_CREAT | os.O_EXCL))  # as Optuna's own lock leaves it
    started = time.monotonic()
    journal_of(open_journal(journal, [].append)).ask()
    assert time.monotonic() - started < 5.0


HOLDER = """
import sys, time
from pathlib import Path
from lit_cnn.sweeps.journal import JournalLock
JournalLock(Path(sys.argv[1]), print).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_the_lock_of_a_process_that_is_killed_while_it_writes_is_free(journal: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(journal)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        append(journal, TORN_LINE)
        holder.send_signal(signal.SIGKILL)
    started = time.monotonic()
    journal_of(open_journal(journal, [].append)).ask()
    assert time.monotonic() - started < 5.0
