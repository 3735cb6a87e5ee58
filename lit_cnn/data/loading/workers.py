"""How many processes prepare images where a recipe does not say."""

import math
import os
from pathlib import Path

MOST = 8
"""Default number of worker processes for images of files where there are as many cores."""
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
