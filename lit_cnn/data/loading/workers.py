"""The processes that prepare images: how many where a recipe does not say, and what signals do to them."""

import math
import os
import signal
from pathlib import Path

MOST = 8
"""Default number of worker processes for images of files where there are as many cores."""
TERM_SECONDS = 60.0
"""How long a worker of a training outlives SIGTERM."""
_CGROUP = Path("/sys/fs/cgroup")


def available_cores() -> int:
    """Processor cores that this process may use: those it is bound to, or the share that its container is limited to
    (``docker run --cpus``, a Kubernetes limit), whichever is less; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = container_limit(_CGROUP)
    return max(1, cores if limit is None else min(cores, math.ceil(limit)))


def container_limit(root: Path) -> float | None:
    """Cores to which a control group (version 2, or 1) mounted at ``root`` is limited; None without a limit."""
    try:
        if (root / "cpu.max").is_file():
            quota, period = (root / "cpu.max").read_text().split()
        else:
            quota, period = ((root / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return float(quota) / float(period) if float(quota) > 0 else None
    except (OSError, ValueError):  # no control group, or the quota "max"
        return None


def default_workers(*, in_memory: bool, cores: int) -> int:
    """None for images in memory, which are augmented as whole batches; else up to ``MOST`` of the ``cores`` of one
    training process."""
    return 0 if in_memory else min(MOST, cores)


def leave_interrupts_to_the_parent(_: int) -> None:
    """Ctrl-C reaches every process of a terminal; the one that started the workers ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave_signals_to_the_parent(number: int) -> None:
    """Let a worker live on when a terminal, timeout(1) or a scheduler signals the whole process group, so that the
    parent can finish its step, save, and end the worker. SIGTERM, by which the parent itself ends one that hangs, does
    so after ``TERM_SECONDS``."""
    leave_interrupts_to_the_parent(number)
    for name in ("SIGUSR1", "SIGUSR2", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, TERM_SECONDS))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
