"""A mutant is tried in a copy: it dies, lives or hangs there, and the project stays as it is."""

import subprocess
from pathlib import Path

import pytest
from running import Copies

CODE = "def double(number):\n    return number * 2\n"
TEST = "from lit_cnn.code import double\n\n\ndef test_double():\n    assert double(3) == 6\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for file, text in {
        "lit_cnn/code.py": CODE,
        "lit_cnn/__init__.py": "",
        "tests/test_code.py": TEST,
        "tests/test_slow.py": "import pytest\n\n@pytest.mark.slow\ndef test_slow(): pass",
        "pyproject.toml": "[tool.pytest.ini_options]\nmarkers = ['slow']\naddopts = '-ra'",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


@pytest.mark.slow
def test_a_mutant_dies_lives_or_hangs(project: Path, tmp_path: Path) -> None:
    copies = Copies(project, tmp_path / "copies", 1)
    seconds, problem = copies.measure(["tests/test_code.py", "tests/test_slow.py"], 1)
    assert not problem
    assert seconds["tests/test_code.py"] > 0
    assert seconds["tests/test_slow.py"] == 0

    def outcome(line: str, timeout: float = 60) -> tuple[str, str]:
        source = CODE.replace("return number * 2", line)
        tried = copies.try_mutant("lit_cnn/code.py", source, ["tests/test_code.py"], timeout)
        assert (project / "lit_cnn/code.py").read_text() == CODE
        return tried.verdict, tried.test

    assert outcome("return number * 3") == ("killed", "tests/test_code.py::test_double")
    assert outcome("return number + number") == ("survived", "")
    assert outcome("while True: pass", 5) == ("timeout", "")
    assert outcome("return number * 2") == ("survived", "")


@pytest.mark.slow
def test_tests_that_fail_without_a_mutant_are_shown_and_have_no_time(project: Path, tmp_path: Path) -> None:
    (project / "tests/test_broken.py").write_text("import nowhere")
    (project / "tests/test_wrong.py").write_text("def test_wrong(): assert False")
    copies = Copies(project, tmp_path / "copies", 1)
    tests = ["tests/test_code.py", "tests/test_wrong.py"]
    seconds, problem = copies.measure(tests, 1)
    assert list(seconds) == ["tests/test_code.py"]
    assert "test_wrong" in problem
    seconds, problem = copies.measure([*tests, "tests/test_broken.py"], 1)
    assert not seconds
    assert "nowhere" in problem
