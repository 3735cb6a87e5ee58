"""The task of a recipe, which decides what its sections model and data hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

Task = Literal["classification", "detection"]
TASKS: tuple[Task, ...] = get_args(Task)
MONITORS: dict[Task, str] = {"classification": "val/acc1", "detection": "val/map"}
"""Metric by which the best epoch is chosen where the recipe does not say."""


def task_of(recipes: Mapping[Any, Mapping[str, Any]], words: Sequence[str]) -> Task:
    """The task that files or the command line state; classification where none does.

    Args:
        recipes: What each file holds, by its name.
        words: The command line.

    Raises:
        ValueError: If it is unknown, or two of them state different ones.
    """
    stated = {str(file): recipe["task"] for file, recipe in recipes.items() if "task" in recipe}
    for value in typed_tasks(words):
        stated["the command line"] = value
    for place, task in stated.items():
        if task not in TASKS:
            raise ValueError(f"{place}: task must be {' or '.join(TASKS)}, got {task!r}")
    first, *others = [*stated.items()] or [("", TASKS[0])]
    for place, task in others:
        if task != first[1]:
            raise ValueError(
                f"{first[0]} is a recipe of the task {first[1]}, {place} one of the task {task}: merge recipes of one "
                "task"
            )
    return first[1]


def typed_tasks(words: Sequence[str]) -> Iterable[str]:
    """The values of ``--task=VALUE`` and ``--task VALUE``."""
    for place, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag == "--task":
            yield value if equals or place + 1 == len(words) else words[place + 1]


def require_classification(task: str) -> None:
    """Refuse a recipe of another task where only networks that name what an image shows make sense.

    Raises:
        ValueError: Naming the recipe's task.
    """
    if task != "classification":
        raise ValueError(f"this works with recipes of the task classification only, and this one's task is {task}")
