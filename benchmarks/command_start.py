"""Processor time of what a terminal answers: the help of every command, and commands that only look something up.

    python benchmarks/command_start.py             the helps: the median of 3 runs each
    python benchmarks/command_start.py --quick     commands that list or look up, too

Processor time (user and system) of the whole process, from the interpreter's start to its end, which a busy machine
stretches little; a help is to take less than 0.4 s.
"""

import argparse
import resource
import statistics
import subprocess
import sys

from lit_cnn.cli.main import COMMANDS

PARTS = (("models", "show"), ("config", "show"), ("config", "diff"), ("data", "show"), ("data", "pack"))
SHORT = ((), ("--help",), ("--version",), ("train",), ("validate",), ("fit", "quickstrat"))
LOOKING_UP = (
    *(("completion", "--words", "recipes"), ("completion", "--words", "architectures"), ("models", "resnet18")),
    *(("recipes",), ("config", "show", "quickstart"), ("config", "diff", "quickstart", "folder")),
)
LIMIT = 0.4


def seconds(words: tuple[str, ...]) -> float:
    """Processor time of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "lit_cnn", *words], capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Exit code 1 if a help takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="commands that list or look up, too")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default 3)")
    options = parser.parse_args()
    helps = [(*words, "--help") for words in (*((name,) for name in COMMANDS), *PARTS)]
    slow = 0
    for words in (*SHORT, *helps, *(LOOKING_UP if options.quick else ())):
        time = statistics.median(seconds(words) for _ in range(options.repeats))
        limited = words not in LOOKING_UP
        slow += limited and time > LIMIT
        print(f"{time:6.2f} s  lit-cnn {' '.join(words)}{'  too slow' if limited and time > LIMIT else ''}", flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
