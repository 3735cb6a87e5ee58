"""What holds for every command."""

import json
import os
import subprocess
import sys

import pytest

from lit_cnn.cli.main import COMMANDS, FIRST_OF_GROUP, main, usage
from lit_cnn.cli.unknown_command import MEANT

WORKER = "'lit_cnn.data.loading.datasets' in __import__('sys').modules"
HEAVY = ("torch", "lightning", "torchvision", "numpy", "matplotlib", "jsonargparse", "optuna", "timm", "wandb")
HELPS = (
    *((command, "--help") for command in COMMANDS),
    *(("models", "show", "--help"), ("config", "show", "--help"), ("config", "diff", "--help")),
    *(("data", "show", "--help"), ("data", "pack", "--help")),
)
QUICK = (
    *((), ("--help",), ("-h",), ("help",), ("help", "fit"), ("--version",), ("train",), ("modles",), ("quickstart",)),
    *(("validate",), ("validate", "a", "--vies", "ten"), ("predict", "a"), ("models", "--sort", "size"), ("config",)),
    *(("completion", "--words", "recipes"), ("completion", "--words", "architectures"), ("sweep",), ("tune",)),
    *(("fit", "quickstrat"), ("fit", "--config", "nowhere.yaml"), ("bench",), ("recipes", "--batch-size", "0")),
    *(("fit",), ("fit", "--epochs", "3"), ("data", "show"), ("tune", "quickstrat")),
)
"""What a terminal answers before anything is computed."""

LISTEN = """
import contextlib, io, json, sys
from lit_cnn.cli.main import main
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as stop:
            code = stop.code
    heavy = [name for name in json.loads(sys.argv[2]) if name in sys.modules]
    print(json.dumps([code, out.getvalue(), err.getvalue(), heavy]))
"""


def answers(commands: tuple[tuple[str, ...], ...]) -> list[tuple[int, str, str, list[str]]]:
    """Exit code, output, errors and the heavy modules imported so far, of commands in one new process."""
    lists = [json.dumps(words) for words in (commands, HEAVY)]
    done = subprocess.run([sys.executable, "-c", LISTEN, *lists], capture_output=True, text=True, check=True)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_a_help_imports_nothing_heavy_and_shows_an_example_without_backticks() -> None:
    for words, (code, text, _, heavy) in zip(HELPS, answers(HELPS), strict=True):
        command = " ".join(words[:-1])
        assert (code, heavy) == (0, []), command
        assert "usage: lit-cnn" in text, command
        assert "``" not in text, command
        example = text[text.index("example: ") :]
        assert f"lit-cnn {command}" in example, command


def test_wrong_and_short_commands_are_answered_before_anything_heavy_is_imported() -> None:
    for words, (code, text, error, heavy) in zip(QUICK, answers(QUICK), strict=True):
        assert heavy == [], words
        assert text or error, words
        assert "Traceback" not in error, words
        assert code in (0, 1, 2), words


def test_the_commands_stand_in_groups(capsys: pytest.CaptureFixture) -> None:
    assert main(["help"]) == 0
    text = capsys.readouterr().out
    assert text == usage() + "\n"
    headings = [line for line in text.splitlines() if line in FIRST_OF_GROUP.values()]
    assert headings == [*FIRST_OF_GROUP.values()]
    assert headings[:3] == ["Train", "Evaluate", "Compare"]
    assert set(FIRST_OF_GROUP) <= set(COMMANDS)
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert all(len(line) < 100 for line in text.splitlines())


def test_help_of_a_command_is_its_help(capsys: pytest.CaptureFixture) -> None:
    shown = []
    for words in (["help", "models", "show"], ["models", "show", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


@pytest.mark.parametrize("word", ["--version", "version", "-V"])
def test_the_version_names_what_it_trains_with(word: str, capsys: pytest.CaptureFixture) -> None:
    from importlib.metadata import version

    assert main([word]) == 0
    text = capsys.readouterr().out
    assert text.startswith("lit-cnn 0.1.0 (")
    assert f"torch {version('torch')}" in text
    assert f"lightning {version('lightning')}" in text


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("train", "'train': lit-cnn fit RECIPE trains a recipe"),
        ("Eval", "'Eval': lit-cnn validate CKPT evaluates a checkpoint"),
        ("quantize", "lit-cnn export CKPT --int8 writes"),
        ("benchmrk", "did you mean 'bench'?"),
        ("modles", "did you mean 'models'?"),
        ("small/resnet50", "'small/resnet50': lit-cnn fit small/resnet50 trains this recipe"),
        ("--config", "a command stands first, as in lit-cnn fit --config"),
        ("qqq", "'qqq'; there are fit, "),
    ],
)
def test_a_word_that_is_not_a_command_gets_what_was_meant(word: str, said: str, capsys: pytest.CaptureFixture) -> None:
    assert main([word, "x"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_what_is_suggested_exists() -> None:
    for sentence in MEANT.values():
        for part in sentence.split("lit-cnn ")[1:]:
            assert part.split()[0] in COMMANDS, sentence


@pytest.mark.slow
def test_workers_of_a_fork_server_need_not_import_torch_each() -> None:
    program = (
        "import multiprocessing; from lit_cnn.cli.main import main; main(['--help'])\n"
        f'with multiprocessing.get_context("forkserver").Pool(1) as pool: print(pool.apply(eval, ("{WORKER}",)))'
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"


OWN_WARNINGS = """
import warnings
from lit_cnn.cli.main import main
main()
ours = main.__code__.co_filename
for category, file in ((UserWarning, ours), (RuntimeWarning, ours), (UserWarning, "/elsewhere/their.py")):
    print(warnings.formatwarning("skipped: the image a\x1b.jpg", category, file, 1, ""), end="")
"""


def test_warnings_of_ours_are_their_sentence_alone() -> None:
    words = [sys.executable, "-c", OWN_WARNINGS, "--version"]
    _, own, *others = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    assert own == r"skipped: the image a\x1b.jpg"
    assert [line.split(": ")[1] for line in others] == ["RuntimeWarning", "UserWarning"]


@pytest.mark.slow
@pytest.mark.parametrize("words", [["models"], ["models", "--json"], ["--help"], ["fit", "--help"]])
def test_a_reader_that_has_seen_enough_is_no_mistake(words: list[str]) -> None:
    """As head after its lines: what rich prints and what Python prints both end with 0, and say nothing."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run([sys.executable, "-m", "lit_cnn", *words], stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")
