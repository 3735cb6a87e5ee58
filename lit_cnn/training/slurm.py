"""Jobs of the SLURM scheduler that are stopped and put back into the queue.

With ``sbatch --requeue --signal=USR1@90`` SLURM signals a job's steps 90 s before its time ends. The run then saves its
state, asks for the same job again and stops; when the job starts again, the same command continues the same run.
"""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from lightning.fabric.plugins.environments import ClusterEnvironment, SLURMEnvironment, TorchElasticEnvironment

from lit_cnn.run_folder.folder import ENVIRONMENT


def job_id() -> str | None:
    """The id that ``scontrol requeue`` takes: of a job, or of a task of an array; None outside a job."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")


def take_over_requeueing(settings: dict[str, Any]) -> int | None:
    """The signal that asks for requeueing: SIGUSR1 unless the environment plugin says otherwise.

    None outside a SLURM job started with srun, and where ``SLURMEnvironment(auto_requeue=False)`` forbids it.
    Lightning's own answer, which saves in the middle of a step, is switched off.

    Args:
        settings: Arguments of Lightning's Trainer; a plugin for SLURM is added to them where Lightning would make it.
    """
    if job_id() is None:
        return None
    given = settings.get("plugins") or []
    plugins = list(given) if isinstance(given, (list, tuple)) else [given]
    candidates = [*plugins, getattr(settings.get("strategy"), "cluster_environment", None)]
    environment = next((each for each in candidates if isinstance(each, ClusterEnvironment)), None)
    if environment is None and SLURMEnvironment.detect() and not TorchElasticEnvironment.detect():
        environment = SLURMEnvironment()
        settings["plugins"] = [*plugins, environment]
    if not isinstance(environment, SLURMEnvironment) or not environment.auto_requeue:
        return None
    environment.auto_requeue = False
    return environment.requeue_signal


def requeue() -> str:
    """Put this job back into the queue; a sentence that says whether SLURM did so."""
    job = job_id()
    command = ["scontrol", "requeue", str(job)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return f"SLURM did not requeue the job {job} ({said[0] if said else 'no reason given'}): submit it again"
    return f"requeued the SLURM job {job}: it continues this run"


def requeued_run(root: Path, command: list[str]) -> Path | None:
    """The run below ``root`` that ``command`` began before this job was requeued; None in a job's first life."""
    if int(os.environ.get("SLURM_RESTART_COUNT", "0")) == 0:
        return None
    for path in sorted(root.glob(f"*/*/{ENVIRONMENT}"), reverse=True):
        made = json.loads(path.read_text())
        same = made["command"] in (shlex.join(command), command)  # a list, of older versions
        if made.get("slurm_job") == job_id() and same:
            return path.parent
    return None
