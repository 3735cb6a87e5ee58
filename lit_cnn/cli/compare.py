"""``lit-cnn compare NAME… [CKPT…]``: published weights in our networks and in theirs, next to own checkpoints.

NAME is of the catalog, with ``@timm``, ``@torchvision`` or ``@timm:TAG`` for other weights than the default ones. Both
networks see the same pixels, prepared as the weights were published with; differing counts images that they call
differently. Without ``--data`` published weights are compared by logits alone.
"""

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.checkpoint_arguments import add_split_argument
from lit_cnn.cli.console import as_json, console, markdown, number, phases, say, table
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable

if TYPE_CHECKING:
    from lit_cnn.evaluation.compare import Compared

HEADER = (
    *("name", "weights", "px", "paper", "at", "published", "theirs", "ours", "top-5", "images", "differing", "logits"),
    *("M params", "M madds", "theirs/s", "ours/s", "proof", "license"),
)
WORDS = ("name", "weights", "proof", "license")
PROOFS = {
    "proven": "proven by equal logits",
    "images": "confirmed by labeled images",
    "unproven": "pairing unproven",
}
"""How the status of a proof is said."""
NEEDED = 8
"""Columns that stay in a narrow terminal, counted in the order of SHOWN."""
SHOWN = (
    *("name", "published", "theirs", "ours", "differing", "logits", "px", "license", "paper", "M params", "M madds"),
    *("ours/s", "theirs/s", "images", "top-5", "at", "proof", "weights"),
)
"""Columns by importance: the last ones are dropped first where the terminal is narrow."""


def run(arguments: list[str]) -> int:
    """Exit code 1 if a row could not be made or two networks call an image differently."""
    options = parse(arguments)
    if options.list:
        return show_published(options.names)
    for flag, path, endings in (("--out", options.out, (".csv",)), ("--plot", options.plot, PICTURES)):
        if path is not None:
            require_writable(flag, path, endings)
    from lit_cnn.evaluation.compare import Settings, compare_all

    settings = Settings(options.data, options.split, options.real, not options.no_speed, options.trust)
    with phases(len(options.names)) as tell:
        rows, failures = compare_all(
            options.names, settings, lambda text: say(text, stderr=True), lambda name: tell(f"comparing {name}")
        )
    if rows:
        show(rows, options)
    for failure in failures:
        say(f"lit-cnn: {failure}", stderr=True)
    return 1 if failures or any(row.differing for row in rows) else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lit-cnn compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME|CKPT", help="networks, published weights, own checkpoints")
    parser.add_argument("--data", metavar="PATH", help="labeled images; class folders may be names, synsets or indices")
    add_split_argument(parser)
    parser.add_argument("--real", action="store_true", help="accuracy on the ReaL labels too (ImageNet's val images)")
    parser.add_argument("--no-speed", action="store_true", help="do not measure images per second")
    parser.add_argument("--trust", action="append", default=[], metavar="CLASS_PATH", help="code that may be run")
    parser.add_argument("--list", action="store_true", help="list the published weights of the names, or all")
    add_output(parser, "--out", "write a CSV file")
    add_output(parser, "--plot", f"draw accuracy against multiply-adds ({', '.join(PICTURES)})")
    parser.add_argument("--wandb", nargs="?", const="", metavar="PROJECT", help="record the table in W&B")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args(arguments)
    if not options.names and not options.list:
        parser.error("name at least one network or checkpoint, or --list")
    return options


def show(rows: "list[Compared]", options: argparse.Namespace) -> None:
    """Print the table, and write what was asked for."""
    if options.json:
        print(as_json([row.as_dict() for row in rows]))
    elif options.markdown:
        say(markdown(HEADER, [list(cells(row).values()) for row in rows], WORDS))
    else:
        print_table(rows)
    if options.out is not None:
        options.out.write_text(as_csv(rows), encoding="utf-8")
    if options.plot is not None:
        draw(rows, options.plot, options.data)
    if options.wandb is not None:
        from lit_cnn.tracking import TrackingSettings, log_table

        columns = list(rows[0].as_dict())
        values = [list(row.as_dict().values()) for row in rows]
        log_table(TrackingSettings(project=options.wandb or None), Path.cwd(), "compare", columns, values)


def cells(row: "Compared") -> dict[str, str]:
    """The cells by column."""
    top = [
        percent(value) for value in (row.paper_top1, row.published_top1, row.theirs_top1, row.ours_top1, row.ours_top5)
    ]
    counts = [count(value) for value in (row.images, row.differing)]
    logits = "–" if row.logits is None else f"{row.logits:.0e}"
    size, paper_size = count(row.image_size), count(row.paper_size)
    costs = [f"{row.params / 1e6:,.2f}", f"{row.madds / 1e6:,.0f}"]
    speeds = [number(value) for value in (row.theirs_speed, row.ours_speed)]
    values = [row.name, row.weights, size, top[0], paper_size, *top[1:], *counts, logits, *costs, *speeds]
    return dict(zip(HEADER, [*values, row.proof, row.license], strict=True))


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def print_table(rows: "list[Compared]") -> None:
    """As many columns as the terminal has room for; weights and what was left out stand below."""
    out, all_cells = console(), [cells(row) for row in rows]
    chosen = [name for name in SHOWN if name != "weights" and any(each[name] not in ("–", "") for each in all_cells)]
    widths = {name: max(len(name), *(len(each[name]) for each in all_cells)) + 3 for name in chosen}
    while len(chosen) > NEEDED and sum(widths[name] for name in chosen) + 1 > out.width:
        chosen.pop()
    shown = [name for name in HEADER if name in chosen]
    body = [[each[name] for name in shown] for each in all_cells]
    out.print(table(shown, body, left=WORDS, no_wrap=shown))
    for row in rows:
        size = f", paper at {row.paper_size} px" if row.paper_size != row.image_size and row.paper_top1 else ""
        said = f"{PROOFS[row.proof]}, license {row.license}" if row.proof in PROOFS else "own checkpoint"
        say(f"{row.name}: {row.weights} at {count(row.image_size)} px{size}, {said}")


def as_csv(rows: "list[Compared]") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0].as_dict()), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{key: "" if value is None else value for key, value in row.as_dict().items()} for row in rows])
    return text.getvalue()


def draw(rows: "list[Compared]", path: Path, data: str | None) -> None:
    from lit_cnn.reports.accuracy_cost import Point, draw_accuracy_cost

    points = []
    for row in rows:
        top1 = row.ours_top1 if row.ours_top1 is not None else row.published_top1
        if top1 is not None:
            points.append(Point(row.name, row.madds, top1, row.proof == "own"))
    measured = any(row.ours_top1 is not None for row in rows)
    draw_accuracy_cost(points, f"top-1 (%), {data or 'own data'}" if measured else "top-1 (%), as published", path)
    say(f"picture: {path}")


def show_published(names: list[str]) -> int:
    """The rows of the table of published weights."""
    import fnmatch

    from lit_cnn.pretrained.sources import published

    chosen: list[Any] = [
        row for row in published() if not names or any(fnmatch.fnmatchcase(row.architecture, name) for name in names)
    ]
    if not chosen:
        raise ValueError(f"no published weights for {', '.join(names)}; lit-cnn compare --list shows all")
    header = ("name", "weights", "px", "top-1", "license")
    body = [
        [row.architecture, row.spec, str(row.preprocessing.image_size[0]), percent(row.top1), row.license]
        for row in chosen
    ]
    console().print(table(header, body, left=("name", "weights", "license"), no_wrap=header))
    return 0
