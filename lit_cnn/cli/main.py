"""The command ``lit-cnn``: looks up a command, imports only what it needs, and turns errors into one sentence.

Exit codes: 0 done, 1 something is wrong with the input or the machine, 2 the command line is wrong; stopped with
the state saved: 75 by --pause-after, 124 by the time limit, 130 by SIGINT, 143 by SIGTERM, 138 by SLURM's SIGUSR1.
``LIT_CNN_DEBUG=1`` shows tracebacks.
"""

import importlib
import multiprocessing
import os
import re
import signal
import sys

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.cli.console import open_streams_to_all_text, say, show_own_warnings_plainly

COMMANDS = {
    "fit": ("lit_cnn.cli.fit", "train a recipe: lit-cnn fit RECIPE [--key value …] | --resume RUN"),
    "config": ("lit_cnn.cli.config", "what a recipe resolves to, and the keys in which two differ"),
    "data": ("lit_cnn.cli.data", "a picture of the batches that are trained on; a folder as shards"),
    "check": ("lit_cnn.cli.check", "whether a data folder, a checkpoint or a run can be trusted"),
    "validate": ("lit_cnn.cli.evaluate", "accuracy of a checkpoint on the validation images"),
    "test": ("lit_cnn.cli.evaluate", "accuracy of a checkpoint on the test images"),
    "predict": ("lit_cnn.cli.predict", "classes of image files, or objects: lit-cnn predict CKPT IMAGES…"),
    "ensemble": ("lit_cnn.cli.ensemble", "accuracy of several checkpoints together"),
    "calibrate": ("lit_cnn.cli.calibrate", "confidence against accuracy, and temperature scaling"),
    "corruptions": ("lit_cnn.cli.corruptions", "accuracy under noise, blur, fog, JPEG and other corruptions"),
    "explain": ("lit_cnn.cli.explain", "where in an image an answer comes from; filters; confused classes"),
    "localize": ("lit_cnn.cli.localize", "whether a classifier looks at the object: boxes from its maps"),
    "report": ("lit_cnn.cli.report", "one page of a run to hand over, as an HTML file"),
    "compare": ("lit_cnn.cli.compare", "runs and their seeds; published weights in our networks and in theirs"),
    "parity": ("lit_cnn.cli.parity", "our networks against torchvision's and timm's with the same weights"),
    "sweep": ("lit_cnn.cli.sweep", "try values of recipe keys, each in a run of its own"),
    "search": ("lit_cnn.cli.search", "find an architecture: spaces, strategies, winners retrained"),
    "reproduce": ("lit_cnn.cli.reproduce", "claims of the papers, examined by rules written down before the runs"),
    "import": ("lit_cnn.cli.import_weights", "weights of timm, torchvision, the hub or a file as a checkpoint"),
    "export": ("lit_cnn.cli.export", "a trained network as ONNX, torch.export or safetensors, verified"),
    "push": ("lit_cnn.cli.push", "a checkpoint as a folder that timm loads, with a model card; to the hub"),
    "pull": ("lit_cnn.cli.pull", "a folder or repository in timm's layout as a checkpoint"),
    "profile": ("lit_cnn.cli.profile", "parameters, multiply-adds, speed and memory of networks"),
    "bench": ("lit_cnn.cli.bench", "speed against other libraries and the machine's limit"),
    "tune": ("lit_cnn.cli.tune", "the fastest machine settings for a recipe, as an overlay"),
    "models": ("lit_cnn.cli.models", "the catalog of architectures"),
    "choose": ("lit_cnn.cli.choose", "which network suits these images, this device and this budget"),
    "init": ("lit_cnn.cli.init", "look at a folder of images and write a first recipe for it"),
    "scale": ("lit_cnn.cli.scale", "a network made larger by depth, width, resolution or all three"),
    "recipes": ("lit_cnn.cli.recipes", "the recipes, their targets, and what training them costs"),
    "completion": ("lit_cnn.cli.completion", "commands, flags and names completed by the tab key"),
}
"""Command -> module with ``run(arguments) -> exit code`` and its parser, and one line of help."""
FIRST_OF_GROUP = {
    "fit": "Train",
    "validate": "Evaluate",
    "compare": "Compare",
    "sweep": "Sweep and search",
    "import": "Weights in and out",
    "profile": "Speed",
    "models": "Choose",
    "completion": "Terminal",
}
"""Command with which a group of the help begins -> the group's heading."""

LOST_PROCESS = (
    r"(?i)connection (reset|closed) by peer|gloo.*timed? ?out|watchdog caught collective operation timeout"
    r"|timed out after .* waiting for clients"
)
"""What gloo, NCCL and the store where processes meet say when another process does not answer."""
MEMORY_ADVICE = (
    "lower data.batch_size or data.image_size; or raise trainer.accumulate_grad_batches, which keeps the batch and "
    "divides what is in memory at once"
)


def usage() -> str:
    """The commands in groups."""
    lines = ["usage: lit-cnn COMMAND [arguments]"]
    for name, (_, text) in COMMANDS.items():
        lines += ["", FIRST_OF_GROUP[name]] if name in FIRST_OF_GROUP else []
        lines.append(f"  {name:12s} {text}")
    lines += ["", "lit-cnn COMMAND --help, or lit-cnn help COMMAND, says more; lit-cnn --version names the versions."]
    return "\n".join([*lines, "example: lit-cnn fit quickstart"])


def versions() -> str:
    """This package's version, and those of what it trains with, without importing them."""
    from importlib.metadata import version

    from lit_cnn import __version__

    others = ", ".join(f"{name} {version(name)}" for name in ("torch", "lightning"))
    return f"lit-cnn {__version__} ({others}, python {sys.version.split()[0]})"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Waiting OpenMP threads spin briefly, then sleep: next to a busy program, long spinning is many times slower.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    # From Python 3.14 on a server process starts the workers: it imports for all of them what each would import.
    multiprocessing.set_forkserver_preload(["__main__", "lit_cnn.data.loading.datasets"])
    open_streams_to_all_text()
    ours = arguments is None  # and so is this process
    if arguments is None:
        keep_freed_memory()
        show_own_warnings_plainly()
        arguments = sys.argv[1:]
    try:
        code = run_command(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as stop:
        if ours:  # another Ctrl-C ends what libraries do at exit, without their tracebacks
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        return fail(str(stop) or "stopped by SIGINT", 130)
    except BrokenPipeError:  # the reader has seen enough, as head does
        if ours:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is still to be written at exit
        return 0
    except Exception as error:
        if os.environ.get("LIT_CNN_DEBUG") == "1":
            raise
        return fail(sentence(error), 1)


def run_command(arguments: list[str]) -> int:
    """Look up what the first word names, and run it."""
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    if arguments[0] in ("--version", "-V", "version"):
        print(versions())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        from lit_cnn.cli.unknown_command import explain_unknown

        return fail(explain_unknown(name, COMMANDS), 2)
    module = importlib.import_module(COMMANDS[name][0])
    return int(module.run(rest, name) if name in ("validate", "test") else module.run(rest))


def sentence(error: Exception) -> str:
    """The message of an error that a user can act on; others are named as what they are."""
    text = str(error).strip()
    memory = out_of_memory(text) if isinstance(error, RuntimeError) else None
    if memory or isinstance(error, MemoryError):
        reason = text[memory.start() :].splitlines()[0].split(". ")[0] if memory else "Python has none left"
        return f"out of memory ({reason}): {MEMORY_ADVICE}{precision_advice()}"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    refused = type(error).__name__ == "MisconfigurationException"  # Lightning's, whose import would take a second
    if text and (refused or isinstance(error, (ValueError, OSError))):
        return innermost(text)
    if isinstance(error, RuntimeError) and re.search(LOST_PROCESS, text):
        reason = text.splitlines()[0].split(". ")[0]
        return (
            f"a process of this distributed run has died or hangs ({reason}): its own message, if it left one, stands "
            "above; continue the run with lit-cnn fit --resume last and the same --trainer settings"
        )
    return f"unexpected {type(error).__name__}: {text.splitlines()[0] if text else ''} (LIT_CNN_DEBUG=1 shows where)"


def out_of_memory(text: str) -> re.Match | None:
    """Where PyTorch's message says that memory has run out."""
    from lit_cnn.data.loading.oversized import OUT_OF_MEMORY

    return re.search(OUT_OF_MEMORY, text)


def precision_advice() -> str:
    """What half precision would save in memory, where it does not cost time."""
    from lit_cnn.training.precision import choose_precision

    best = choose_precision("auto").precision
    return "" if best == "32-true" else f"; or set trainer.precision to {best} if it is 32-true"


def innermost(text: str) -> str:
    """The sentence itself where a data-loader worker wrapped it in its traceback."""
    if not text.startswith("Caught "):
        return text
    last = text.splitlines()[-1]
    return last.split(": ", 1)[1] if ": " in last else last


def fail(message: str, code: int) -> int:
    say(f"lit-cnn: {message}", stderr=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
