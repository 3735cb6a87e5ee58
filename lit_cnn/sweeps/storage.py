"""Where a sweep keeps its trials: a journal file in its folder, or a database that several machines share."""

import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path

try:
    import optuna
except ModuleNotFoundError:
    raise ValueError("lit-cnn sweep needs Optuna: pip install 'lit-cnn[search]'") from None
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.pool import NullPool

from lit_cnn.sweeps.journal import JOURNAL, open_journal

OPENING_TRIES = 4
HEARTBEAT_SECONDS = 60
STALE_SECONDS = 300
"""Without a sign of life for that long, a trial of another machine counts as dead."""
DRIVERS = {
    "postgresql": "its driver psycopg: pip install 'lit-cnn[postgres]'",
    "postgresql+psycopg": "its driver psycopg: pip install 'lit-cnn[postgres]'",
    "mysql": "a driver: pip install pymysql, and write mysql+pymysql://",
}
"""Kind of database -> what a URL of this kind needs."""
EXAMPLES = "postgresql+psycopg://user@host/name or sqlite:///file.db"


def open_storage(folder: Path, url: str | None, say: Callable[[str], None]) -> BaseStorage:
    """The journal file in the sweep's folder, or a database.

    Args:
        folder: The sweep's.
        url: Of a database; None for the journal.
        say: Gets one line on what had to be repaired.

    Raises:
        ValueError: If the database cannot be opened; a password in the URL is not repeated.
    """
    if url is None:
        return open_journal((folder / JOURNAL).resolve(), say)
    _check_kind(url)
    for remaining in reversed(range(OPENING_TRIES)):
        try:
            return _open_database(url)
        except Exception as error:
            if remaining and type(error).__name__ in ("IntegrityError", "OperationalError", "ProgrammingError"):
                time.sleep(0.5)  # another process may be making the tables of a new database
                continue
            raise ValueError(f"cannot open the storage {without_password(url)}: {_reason(error, url)}") from None
    raise AssertionError("unreachable: the last try returns or raises")


def _open_database(url: str) -> RDBStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return RDBStorage(
            url,
            engine_kwargs={"poolclass": NullPool},  # a trial takes hours: no connection waits open for its end
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=STALE_SECONDS,
        )


def _check_kind(url: str) -> None:
    """Refuse servers that keep no heartbeats: a killed machine's trials would run for ever there."""
    kind = url.partition("://")[0]
    if kind in ("grpc", "grpcs", "http", "https", "redis", "rediss"):
        raise ValueError(
            f"the storage {without_password(url)} keeps no heartbeats, so the trials of a machine that dies would "
            f"never be taken over: pass the URL of a database, such as {EXAMPLES}"
        )


def _reason(error: Exception, url: str) -> str:
    kind = url.partition("://")[0]
    if isinstance(error, ImportError):
        module = getattr(error.__cause__, "name", None) or getattr(error.__context__, "name", None)
        return f"{kind} needs {DRIVERS.get(kind, f'the Python package {module or kind}: install it with pip')}"
    said = re.sub(r"^\(\w+(\.\w+)*\) ", "", str(error).strip().splitlines()[0]).rstrip(".")
    return f"{said.replace(url, without_password(url))}; expected a database URL such as {EXAMPLES}"


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
