"""Private names of libraries are used in one file per library alone, whose tests say what to do at an upgrade."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

import lit_cnn

PACKAGE = Path(lit_cnn.__file__).parent
ADAPTERS = {
    "lightning_internals.py",
    "torch_internals.py",
    "torchmetrics_internals.py",
    "experiment/jsonargparse_internals.py",
    "sweeps/optuna_internals.py",
    "data/sources/litdata_internals.py",
    "detection/torchvision_internals.py",
}
ALLOWED = {
    "_foreach_": "torch's way of updating lists of tensors, which has no public equal",
    "_replace": "documented method of named tuples",
    "_asdict": "documented method of named tuples",
}
"""Beginnings of private names that are used anywhere, and why."""
WRITTEN = (FunctionType, property, classmethod, staticmethod)
"""What of a class a person has written, unlike what a metaclass adds."""
UNDOCUMENTED = ("fit_loop", "epoch_loop", "validate_loop", "procs", "_connector")
"""Names of Lightning's that have no underscore and are as little promised."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and not name.startswith(tuple(ALLOWED))


def is_name(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def assigned(tree: ast.AST) -> set[str]:
    """The names that a file gives to what it makes itself: functions, classes, variables, fields."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_name(node.value, "self"):
            names.add(node.attr)
    return names


def private_uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each private name that is not the file's own."""
    own = assigned(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (is_private(node.attr) or node.attr in UNDOCUMENTED):
            if node.attr not in own:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if any(map(is_private, alias.name.split("."))):
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            if any(map(is_private, parts)):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and is_name(node.func, "getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and (is_private(name.value) or name.value in UNDOCUMENTED):
                yield node.lineno, ast.unparse(node)


def test_private_names_of_libraries_are_used_in_the_adapters_alone() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place not in ADAPTERS:
            found += [f"{place}:{line} {text}" for line, text in private_uses(ast.parse(path.read_text()))]
    assert not found, f"use public API, or a function of {', '.join(sorted(ADAPTERS))}"


def test_every_adapter_has_its_tests() -> None:
    for place in ADAPTERS:
        assert (PACKAGE / place).is_file()
        path = Path(__file__).parent / place
        assert path.with_name(f"test_{path.name}").is_file()


@pytest.mark.parametrize(
    "text",
    [
        "trainer._timeout = 1",
        "self._trainer.ckpt_path",
        "trainer.fit_loop.epoch_progress",
        "from lightning.fabric.utilities.rank_zero import _get_rank",
        "from torch._inductor import config",
        "import torch._dynamo",
        "getattr(launcher, 'procs', [])",
        "isinstance(module, nn.modules.batchnorm._BatchNorm)",
    ],
)
def test_a_private_use_is_seen(text: str) -> None:
    assert list(private_uses(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["self._steps = 0\nself._steps += 1", "torch._foreach_add_(a, b)", "row._replace(x=1)"]
)
def test_what_is_ones_own_or_has_no_public_equal_is_not(text: str) -> None:
    assert not list(private_uses(ast.parse(text)))


def test_no_class_overrides_a_private_name_of_a_librarys_class() -> None:
    found = []
    for module in pkgutil.walk_packages([str(PACKAGE)], "lit_cnn."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ != module.name:
                continue
            foreign = [base for base in kind.__mro__ if not base.__module__.startswith("lit_cnn")]
            own = [key for key, value in vars(kind).items() if is_private(key) and isinstance(value, WRITTEN)]
            found += [f"{module.name}.{name}.{each}" for each in own if any(hasattr(base, each) for base in foreign)]
    assert not found
