"""Which test files are near a module: its mirror, those that import it, and for commands those that run them."""

import ast
from collections.abc import Mapping
from pathlib import PurePosixPath

MAIN = "lit_cnn/cli/main.py"
NEAR = 5
"""Test files beside the mirror; those that import few files of the package tell most about each of them."""


class Nearest:
    """Finds the tests of a file of the package.

    Args:
        package: The text of every file of the package, by its path in the project.
        tests: The same of the tests, helpers beside them included.
    """

    def __init__(self, package: Mapping[str, str], tests: Mapping[str, str]) -> None:
        modules = {module_name(file): file for file in package}
        helpers = {PurePosixPath(file).stem: file for file in tests}
        trees = {file: ast.parse(text) for file, text in {**package, **tests}.items()}
        self._imports = {file: {modules[name] for name in imported(trees[file]) & set(modules)} for file in trees}
        self._words = {file: strings(trees[file]) for file in tests}
        for file in tests:
            used = {helpers[name] for name in imported(trees[file]) & set(helpers)}
            self._imports[file] = self._imports[file].union(*(self._imports[helper] for helper in used))
            self._words[file] = self._words[file].union(*(strings(trees[helper]) for helper in used))
        self._package = set(package)
        self._tests = [file for file in sorted(tests) if PurePosixPath(file).name.startswith("test_")]
        self._commands = commands(trees[MAIN]) if MAIN in trees else {}

    def mirrors(self, file: str) -> list[str]:
        """The test files named after a file, in the room of tests that has the name of the file's room."""
        room, name = PurePosixPath(file).parts[1], f"test_{PurePosixPath(file).stem}.py"
        tests = map(PurePosixPath, self._tests)
        return [str(test) for test in tests if test.name == name and test.parts[1] in (room, name)]

    def near(self, file: str) -> list[str]:
        """The other near test files: ``NEAR`` at most, those of the file's room first, then those with few imports.

        They import the file; or run a command that it is, or helps; where none does, they import a file that uses it.
        """
        users = {user for user in self._package if file in self._imports[user]}
        found = {test for test in self._tests if file in self._imports[test]}
        if not found and not self.mirrors(file):
            found |= {test for test in self._tests if users & self._imports[test]}
            found.update(*(self.mirrors(user) for user in users))
        found |= {test for user in {file, *users} for test in self._running(user) if in_cli(file) or not found}
        room = PurePosixPath(file).parts[1]
        order = sorted(found - set(self.mirrors(file)))
        return sorted(order, key=lambda test: (PurePosixPath(test).parts[1] != room, len(self._imports[test])))[:NEAR]

    def _running(self, file: str) -> set[str]:
        """The test files that call the command line and name one of the file's commands."""
        names = {name for name, module in self._commands.items() if module == module_name(file)}
        return {test for test in self._tests if MAIN in self._imports[test] and names & self._words[test]}


def in_cli(file: str) -> bool:
    return file.startswith("lit_cnn/cli/")


def module_name(file: str) -> str:
    """``lit_cnn.cli.main`` for ``lit_cnn/cli/main.py``; a package is named by its folder."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(tree: ast.AST) -> set[str]:
    """Every module that a file may import: of ``from a import b`` both ``a`` and ``a.b``."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def strings(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def commands(main: ast.Module) -> dict[str, str]:
    """Command -> module, from the table in the command line's own file."""
    for node in main.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "COMMANDS":
            return {name: module for name, (module, _) in ast.literal_eval(node.value).items()}
    return {}


def affordable(mirrors: list[str], near: list[str], seconds: Mapping[str, float], budget: float) -> list[str]:
    """The mirrors and, the fastest first, as many of the near test files as stay within ``budget`` seconds in all.

    At least one file, however slow. Those that take 0 seconds have slow tests only, and are left out.
    """
    kept = [test for test in mirrors if seconds[test]]
    spent = sum(seconds[test] for test in kept)
    for test in sorted((test for test in near if seconds[test]), key=lambda test: seconds[test]):
        spent += seconds[test]
        if kept and spent > budget:
            break
        kept.append(test)
    return kept
