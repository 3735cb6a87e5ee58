"""What the tab key completes, in a real bash."""

import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from one_in import one_in

from lit_cnn.architectures.catalog import list_models
from lit_cnn.cli.completion import SHELLS, architectures
from lit_cnn.cli.main import COMMANDS, main
from lit_cnn.experiment.files import list_recipes, recipe_id

ROOT = Path(__file__).parents[2]


def test_the_names_are_those_of_the_catalog() -> None:
    assert architectures() == list_models()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command in script for command in COMMANDS)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program ``lit-cnn``."""
    folder = tmp_path_factory.mktemp("bin")
    file = folder / "lit-cnn"
    file.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}:$PYTHONPATH exec {sys.executable} -m lit_cnn "$@"\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return folder


def completed(line: str, program: Path, folder: Path) -> set[str]:
    """What bash offers after ``line``, whose last word is the one that is being typed."""
    words = [*shlex.split(line), *([""] if line.endswith(" ") else [])]
    typed = " ".join(map(shlex.quote, words))
    script = (
        f'eval "$(lit-cnn completion bash)"; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; '
        f'"$(complete -p lit-cnn | sed "s/.*-F \\([^ ]*\\) .*/\\1/")"; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    environment = {**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "offered"),
    one_in(
        2,
        [
            ("lit-cnn va", {"validate"}),
            ("lit-cnn validate --per", {"--per-class"}),
            ("lit-cnn validate --views t", {"ten"}),
            ("lit-cnn config ", {"show", "diff"}),
            ("lit-cnn config show mine", {"mine.yaml"}),
            ("lit-cnn fit quick", {"quickstart"}),
            ("lit-cnn fit --config nfnet", {"nfnet_f0"}),
            ("lit-cnn profile alexnet efficientnet_v2_x", {"efficientnet_v2_xl"}),
        ],
    ),
)
def test_bash_completes(line: str, offered: set[str], program: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("data: {}\n")
    found = completed(line, program, tmp_path)
    if line.endswith(" "):
        assert offered <= found
    else:
        assert found == offered


def test_recipes_of_the_working_folder_are_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("data: {}\n")
    assert main(["completion", "--words", "recipes"]) == 0
    words = capsys.readouterr().out.split()
    assert words[-1] == "mine.yaml"
    assert {recipe_id(file) for kind in ("", "small", "overlays") for file in list_recipes(kind)} < set(words)
