"""Where a run starts: its folder, and the checkpoint from which it goes on, be it its own or that of another run."""

import os
from pathlib import Path
from typing import Any

from lightning.pytorch.utilities.rank_zero import rank_zero_only

from lit_cnn.experiment.extending import START, adopt, is_finished, start_of
from lit_cnn.experiment.identity import check_identity, describe_changes
from lit_cnn.experiment.parser import stored_values
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.folder import (
    RUN_DIR_VARIABLE,
    Resumable,
    create_run_dir,
    has_checkpoint,
    note_last,
    resumable_checkpoint,
)
from lit_cnn.training.announce import announce


class Start:
    """The state in which a run begins or goes on.

    Args:
        found: The checkpoint of that state; None where there is none.
        is_new: Whether the run has written no checkpoint of its own.
    """

    def __init__(self, found: Resumable | None, is_new: bool) -> None:
        self._found, self.is_new = found, is_new
        self.path = found.path if found else None
        self.step = found.checkpoint["global_step"] if found else 0
        """Optimizer steps done."""

    @property
    def extends(self) -> bool:
        """Whether the state is another run's."""
        return self.is_new and self.path is not None

    def hand_over(self) -> Resumable | None:
        """The checkpoint, once: what is held here would take memory for the whole run."""
        found, self._found = self._found, None
        return found

    def finished(self) -> dict[str, Any] | None:
        """The checkpoint of a run that has nothing left to train; None of another."""
        own = None if self.is_new or self._found is None else self._found.checkpoint
        return own if own is not None and is_finished(own) else None


def is_main_process() -> bool:
    """Whether this is the process that makes the run folder and prints: rank 0, known before any group is formed."""
    return getattr(rank_zero_only, "rank", 0) == 0


def check_same_run(folder: Path, wanted: dict[str, Any]) -> None:
    """Announce what changes about the machine of a run that is continued by the recipe ``wanted``.

    Raises:
        ValueError: If it would be another run.
    """
    stored = stored_values(folder)
    check_identity(stored, wanted, folder)
    if is_main_process() and (changes := describe_changes(stored, wanted)):
        announce(f"the run stays the same, but on other machine settings: {changes}")


def require_untrained(recipe: Recipe, resume: Path | None) -> None:
    """Refuse objects that have been trained, except for a run whose checkpoint takes the place of their state.

    Raises:
        ValueError: Naming the run that has trained them.
    """
    if recipe.trained_by is not None and not (resume is not None and has_checkpoint(resume)):
        raise ValueError(
            f"the run {recipe.trained_by} has trained the network of this recipe, and another run would begin with its "
            "weights: load the recipe again with Recipe.load"
        )


def goes_on(folder: Path) -> bool:
    """Whether a run has a state to go on from: its own, or that of the run which it extends."""
    return has_checkpoint(folder) or (folder / "checkpoints" / START).is_file()


def make_run_dir(runs: Path, name: str, resumed: Path | None) -> Path:
    """The run's folder: given by the starting process, or made by rank 0 and passed to the processes it launches."""
    if resumed:
        folder = resumed
        if is_main_process() and runs.resolve() in folder.resolve().parents:
            note_last(runs.resolve(), folder.resolve())
    elif RUN_DIR_VARIABLE in os.environ:
        folder = Path(os.environ[RUN_DIR_VARIABLE])
    elif is_main_process():
        folder = create_run_dir(runs, name)
        note_last(runs, folder)
    else:
        folder = runs / name / "unused"  # launched from outside: only rank 0 writes
    os.environ[RUN_DIR_VARIABLE] = str(folder)
    return folder


def find_start(folder: Path, recipe: Recipe, resuming: bool, source: Path | None) -> Start:
    """The run's newest checkpoint, or what it begins with.

    Args:
        folder: The run folder.
        recipe: What is trained.
        resuming: Whether the run was started before.
        source: Checkpoint of the run that this one extends.
    """
    if source is not None and is_main_process():
        adopt(source, folder, recipe.monitor)
    found, problem = resumable_checkpoint(folder) if resuming else (None, None)
    if found is None:
        copied = folder / "checkpoints" / START
        begun = copied if copied.is_file() else source  # which a process launched from outside reads itself
        if begun is not None:
            return Start(start_of(begun, recipe.monitor), is_new=True)
    if problem:
        announce(problem)
    return Start(found, is_new=found is None)
