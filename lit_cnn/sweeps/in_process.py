"""A trial in the process of its sweep, which saves a start of several seconds, as if it ran in one of its own.

What a trial sets for its whole process is put back behind it: the next one starts from what the sweep's process was.
"""

import atexit
import contextlib
import gc
import logging
import os
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from lit_cnn.run_folder.folder import RUN_DIR_VARIABLE
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.tracking import finish
from lit_cnn.training.trainer import end_launched

LOG = "fit.log"
"""File of a run folder with what its trial has printed."""


def run_in_process(main: Callable[[list[str]], int], arguments: list[str], run_dir: Path, stop: StopSignals) -> int:
    """Run a command in this process.

    Args:
        main: Takes the arguments and returns the exit code.
        arguments: Those of the command.
        run_dir: The run folder; what the command prints goes to ``fit.log`` in it.
        stop: Gets the signals that come meanwhile, and sees to it that the command obeys them.

    Returns:
        The exit code, 1 where the command raised an error.
    """
    try:
        with unchanged_process(), printing_to(run_dir / LOG), stop.interrupting():
            os.environ[RUN_DIR_VARIABLE] = str(run_dir)
            return _exit_code(main, arguments)
    except KeyboardInterrupt:  # in the moment before or after the command
        return 128 + (stop.number or signal.SIGINT)


def _exit_code(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Exception:
        traceback.print_exc()
        return 1


@contextlib.contextmanager
def printing_to(path: Path) -> Iterator[None]:
    """Append to a file what this process, and those it starts, print within the block."""
    sys.stdout.flush()
    sys.stderr.flush()
    shown = sys.stdout, sys.stderr
    with path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1) as log:
        kept = {number: os.dup(number) for number in (1, 2)}
        try:
            for number in kept:
                os.dup2(log.fileno(), number)
            sys.stdout = sys.stderr = log
            yield
        finally:
            for stream in shown:
                stream.flush()  # such as of a logging handler that was made before
            sys.stdout, sys.stderr = shown
            for number, copy in kept.items():
                os.dup2(copy, number)
                os.close(copy)


@contextlib.contextmanager
def unchanged_process() -> Iterator[None]:
    """Put back behind the block what a training sets for its whole process, and let go of its memory."""
    environment, requeue_handler = dict(os.environ), signal.getsignal(signal.SIGUSR1)
    levels = {logger: logger.level for logger in _loggers()}
    put_back = [_torch_settings(), _random_states()]
    try:
        with warnings.catch_warnings():
            yield
    finally:
        finish(1)  # W&B's run, where an error came before its own end
        atexit.unregister(end_launched)  # it holds the trainer of a trial that failed
        signal.signal(signal.SIGUSR1, requeue_handler)
        for logger, level in levels.items():
            logger.setLevel(level)
        for restore in put_back:
            restore()
        os.environ.clear()
        os.environ.update(environment)
        _free_memory()


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logging.root, *(logger for logger in known if isinstance(logger, logging.Logger))]


def _torch_settings() -> Callable[[], None]:
    """What puts torch's settings of the whole process back to what they are now."""
    threads, number_format = torch.get_num_threads(), torch.get_default_dtype()
    matmul, anomaly = torch.get_float32_matmul_precision(), torch.is_anomaly_enabled()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    grad = torch.is_grad_enabled()
    cudnn = torch.backends.cudnn
    flags = {name: getattr(cudnn, name) for name in ("benchmark", "deterministic", "allow_tf32")}

    def restore() -> None:
        torch.set_num_threads(threads)
        torch.set_default_dtype(number_format)
        torch.set_float32_matmul_precision(matmul)
        torch.set_anomaly_enabled(anomaly)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.set_grad_enabled(grad)
        for name, value in flags.items():
            setattr(cudnn, name, value)

    return restore


def _random_states() -> Callable[[], None]:
    """What puts the ambient random generators back; on GPUs each trial seeds its own before every step."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def restore() -> None:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])

    return restore


def _free_memory() -> None:
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()  # or each trial's network counts against the limit of recompilations
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
