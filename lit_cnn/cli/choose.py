"""``lit-cnn choose``: which network suits these images, this device and this budget of time.

    lit-cnn choose --data my_images --max-params 6M --max-latency-ms 10 --budget 20m
    lit-cnn choose --data my_images --budget 20m --finish     and train what is recommended

Candidates are networks at image sizes, from published or own weights or from random ones. Those that exceed a limit are
rejected before anything is trained. A linear probe compares those with weights, and successive halving, whose rungs
continue the same trainings, compares the best of them with the others; on few images by cross-validation. The cheapest
of those that tie with the best is recommended, with its recipe. The same command again continues a choice that was
stopped, or joins one from another terminal.

Exit codes: 0 done, 1 wrong input, a budget too small, or no training succeeded, 130 and 143 stopped by SIGINT and
SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, line_console, say
from lit_cnn.cli.image_sizes import check_sizes
from lit_cnn.cli.models import millions
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.choosing.chosen import Chosen
    from lit_cnn.choosing.head_starts import HeadStart
    from lit_cnn.choosing.rows import Row
    from lit_cnn.choosing.wishes import Wishes

ROUNDING = 1e-6
"""Of an accuracy, at most: less than one of a million images, and more than float32 changes."""
PLACE = Path("choices")
"""Where a choice without --out is put, under the name of its images."""


def make_parser() -> CommandParser:
    parser = CommandParser(
        "lit-cnn choose", __doc__, example="lit-cnn choose --data my_images --max-params 6M --budget 20m"
    )
    parser.add_argument("--data", required=True, metavar="PATH", help="folder of class folders, a list, or an npz file")
    limits = "and at most this many million %s, such as 6 or 6M"
    parser.add_argument("--max-params", type=millions, metavar="N", help=(limits % "parameters").removeprefix("and "))
    parser.add_argument("--max-madds", type=millions, metavar="N", help=(limits % "multiply-adds").removeprefix("and "))
    parser.add_argument("--max-latency-ms", type=float, metavar="MS", help="at most this long for a batch, here")
    parser.add_argument("--max-memory-mb", type=float, metavar="MB", help="at most this much memory for a batch, here")
    parser.add_argument("--budget", type=_seconds, default=1200.0, metavar="TIME", help="90s, 20m or 1.5h (20m)")
    parser.add_argument(
        "--pretrained",
        choices=("any", "none"),
        default="any",
        help="published weights where they can be read or downloaded, or none (any)",
    )
    parser.add_argument(
        "--weights", action="append", default=[], metavar="CKPT",
        help="start from this checkpoint, or timm:NAME, too; repeatable",
    )  # fmt: skip
    parser.add_argument("--networks", nargs="+", default=[], metavar="NAME", help="these instead of a short list")
    parser.add_argument("--sizes", nargs="+", type=int, default=[], metavar="PX", help="these image sizes")
    parser.add_argument(
        "--folds", choices=("auto", "1"), default="auto", help="1 keeps the given val images, however few (auto)"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or cuda:N (default: a GPU where there is one)")
    parser.add_argument("--batch-size", type=int, default=1, metavar="N", help="images of the timed batch (1)")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), default="32-true", help="of the timed batch")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads of the timed batch, not of trainings")
    parser.add_argument("--finish", action="store_true", help="train what is recommended, after the budget")
    parser.add_argument("--out", type=_path, metavar="DIR", help="folder of the choice (choices/NAME of the images)")
    add_form_arguments(parser, "all that was found")
    return parser


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _seconds(text: str) -> float:
    from lit_cnn.choosing.budget import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    check_sizes(options.sizes, "--sizes")
    from lit_cnn.choosing.page import choice_html
    from lit_cnn.choosing.running import again
    from lit_cnn.choosing.wishes import PAGE
    from lit_cnn.cli.main import main
    from lit_cnn.run_folder.atomic import write_text

    folder = options.out or PLACE / name_of(options.data)
    console = line_console(stderr=options.json or options.markdown)
    chosen, stopped = choose(folder, wishes_of(options), console.print, main)
    if chosen is None:
        say(f"stopped. To continue: {again(folder)}", stderr=True)
        return 128 + stopped
    write_text(folder / PAGE, choice_html(chosen))
    if not options.json:
        print_tables(choice_tables(chosen), in_markdown=options.markdown)
        console.print(f"recipe: {chosen.recipe}\npage: {folder / PAGE}")
    code, checkpoint = 0, None
    if options.finish:
        with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):
            code, checkpoint = finish(folder, chosen, console.print, main)
    if options.json:
        print(as_json({**asdict(chosen), "checkpoint": checkpoint}))
    return code


def name_of(data: str) -> str:
    """What a choice for these images is called: as their folder, or their file without its ending; a folder of a
    split, such as train, with the name of the folder around it."""
    from lit_cnn.data.sources.load import resolve_data_path

    path = resolve_data_path(data, "--data").resolve()
    if not path.is_dir():
        return path.stem
    return f"{path.parent.name}_{path.name}" if path.name in ("train", "val", "test") else path.name or "images"


def choose(
    folder: Path, wishes: Wishes, tell: Callable[[str], None], main: Callable[[list[str]], int]
) -> tuple[Chosen | None, int]:
    """Run a choice, or continue or join it."""
    from lit_cnn.choosing.running import Choosing

    return Choosing(folder, wishes, tell, main).run()


def wishes_of(options: argparse.Namespace) -> Wishes:
    """What the command line asks for."""
    from lit_cnn.architectures.catalog import find_entries
    from lit_cnn.choosing.limits import Limits
    from lit_cnn.choosing.measuring import Condition
    from lit_cnn.choosing.wishes import Wishes
    from lit_cnn.profiling.timing import resolve_device
    from lit_cnn.training.precision import choose_precision

    device = str(resolve_device(options.device))
    training = choose_precision("auto", "cpu" if device == "cpu" else "auto").precision
    params, madds = (None if value is None else value * 1e6 for value in (options.max_params, options.max_madds))
    return Wishes(
        data=options.data,
        budget=options.budget,
        folds=options.folds,
        pretrained=options.pretrained,
        weights=tuple(dict.fromkeys(options.weights)),
        networks=tuple(entry.name for entry in find_entries(options.networks)) if options.networks else (),
        sizes=tuple(dict.fromkeys(options.sizes)),
        limits=Limits(params, madds, options.max_latency_ms, options.max_memory_mb),
        condition=Condition(
            device,
            options.precision,
            options.batch_size,
            options.threads,
            "bf16-mixed" if training == "bf16-mixed" else "32-true",
        ),
    )


def finish(
    folder: Path, chosen: Chosen, tell: Callable[[str], None], main: Callable[[list[str]], int]
) -> tuple[int, str | None]:
    """Train the recommended recipe in the folder, or continue that.

    Returns:
        The exit code and the best checkpoint, which may be what it started from.
    """
    from lit_cnn.evaluation.run_records import runs_below
    from lit_cnn.run_folder.folder import find_checkpoint

    runs = folder / "finished"
    begun = list(runs_below(runs)) if runs.is_dir() else []
    words = ["--resume", str(begun[-1])] if begun else ["--config", chosen.recipe]
    tell(f"training {chosen.recommended} by {chosen.recipe}, after the budget")
    code = main(["fit", *words, "--runs", str(runs)])
    found = list(runs_below(runs)) if code == 0 else []
    return code, better_of(chosen.start, Path(find_checkpoint(found[-1])), tell) if found else None


def better_of(start: HeadStart | None, trained: Path, tell: Callable[[str], None]) -> str:
    """The checkpoint of a training, or its start where that is as accurate on the same images.

    A run keeps its score in float32, which may round it up.
    """
    from lit_cnn.choosing.explaining import share
    from lit_cnn.run_folder.checkpoint import load_checkpoint

    score = load_checkpoint(trained).get("best_score")
    if start is None or score is None or score - start.accuracy > ROUNDING:
        return str(trained)
    tell(f"the start {start.file} is kept: {share(start.accuracy)}, and {share(score)} after the training")
    return start.file


def choice_tables(chosen: Chosen) -> list[Table]:
    """The candidates and the recommendation."""
    columns = [
        Column("candidate", "name"),
        Column("top-1"),
        Column("95 % interval", rank=2),
        Column("behind the best", rank=3),
        Column("params (M)", rank=4),
        Column("madds (M)", rank=5),
        Column("ms"),
        Column("MB", rank=6),
        Column("epochs", rank=7),
        Column("probe", rank=8),
        Column("trained", rank=9),
        Column("state", "prose", rank=1),
    ]
    from lit_cnn.choosing.explaining import by_reason
    from lit_cnn.choosing.measuring import busy_words

    busy = busy_words(chosen.busy)
    rejected = ", ".join(f"{count} for their {why}" for why, count in chosen.rejected.items())
    notes = [
        chosen.why,
        f"rule: {chosen.rule}.",
        f"latency and memory: {chosen.condition} ({chosen.device}).",
        *([f"{busy}."] if busy else []),
        *([f"rejected before training: {rejected}."] if rejected else []),
        "not tried: " + "; ".join(f"{what} ({why})" for why, what in by_reason(chosen.untried).items()) + ".",
    ]
    title = f"recommended: {chosen.recommended} ({len(chosen.ties)} of {len(chosen.rows)} candidates tie)"
    return [Table(columns, [_cells(row, chosen) for row in chosen.rows], title=title, notes=notes)]


def _cells(row: Row, chosen: Chosen) -> list[str]:
    from lit_cnn.choosing.explaining import share

    own, costs = row.standing, row.costs
    behind = (
        "–"
        if own is None or not own.behind
        else f"{100 * own.behind:.1f} ± {50 * (own.behind_high - own.behind_low):.1f}"
    )
    mark = "→ " if row.name == chosen.recommended else ""
    return [
        f"{mark}{row.name}",
        "–" if row.accuracy is None else share(row.accuracy),
        "–" if own is None else f"{share(own.low)} to {share(own.high)}",
        behind,
        f"{costs['params'] / 1e6:.2f}",
        f"{costs['madds'] / 1e6:,.0f}",
        f"{costs['latency_ms']:.1f}",
        f"{costs['memory_mb']:.0f}" if "memory_mb" in costs else "–",
        str(row.epochs),
        "–" if row.probe is None else share(row.probe),
        "–" if row.trained is None else share(row.trained),
        row.state,
    ]
