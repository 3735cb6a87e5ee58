"""``lit-cnn compare``: runs with each other, or published weights in our networks and in theirs.

    lit-cnn compare RUN RUN…          means over seeds, differences with intervals, cost, curves
    lit-cnn compare NAME… [CKPT…]     networks measured on the same images

A RUN is a run folder, a folder of runs, a sweep, or a pattern such as 'runs/quickstart/*'. Runs are grouped by the
recipe keys that differ, the seed excepted, and groups are compared seed by seed. With --data a run folder means its
best checkpoint.

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
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.compare_runs import add_run_arguments, means_runs, run_comparison
from lit_cnn.cli.console import as_json, number, phases, say
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:
    from lit_cnn.evaluation.compare import Compared
    from lit_cnn.pretrained.sources import PublishedWeights

COLUMNS = (
    *(Column("name", "name"), Column("weights", "name", rank=13), Column("px", rank=2), Column("paper", rank=4)),
    *(Column("at", rank=11), Column("published"), Column("theirs"), Column("ours"), Column("top-5", rank=10)),
    *(Column("images", rank=9), Column("differing"), Column("logits", rank=1), Column("M params", rank=5)),
    *(Column("M madds", rank=6), Column("theirs/s", rank=8), Column("ours/s", rank=7)),
    *(Column("proof", "name", rank=12), Column("license", "name", rank=3)),
)
PROOFS = {
    "proven": "proven by equal logits",
    "images": "confirmed by labeled images",
    "unproven": "pairing unproven",
}
"""How the status of a proof is said."""


def run(arguments: list[str]) -> int:
    """Of networks, exit code 1 if a row could not be made or two networks call an image differently."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if not options.names and not options.list:
        parser.error("name two runs or more, or at least one network or checkpoint, or --list")
    if options.list:
        return show_published(options)
    for flag, path, endings in (("--out", options.out, (".csv",)), ("--plot", options.plot, PICTURES)):
        if path is not None:
            require_writable(flag, path, endings)
    if means_runs(options, parser):
        return run_comparison(options)
    from lit_cnn.evaluation.compare import Settings, compare_all
    from lit_cnn.training.machine import MachineSettings

    MachineSettings(tf32=False).apply()
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


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn compare",
        description=__doc__,
        example="lit-cnn compare 'runs/quickstart/*' --plot curves.svg",
        epilog="Of networks: lit-cnn compare resnet50 resnet50@torchvision runs/folder/A --data imagenet/val",
    )
    parser.add_argument(
        "names", nargs="*", metavar="RUN|NAME|CKPT", help="runs; or networks, published weights, checkpoints"
    )
    parser.add_argument("--data", metavar="PATH", help="labeled images; class folders may be names, synsets or indices")
    add_split_argument(parser)
    parser.add_argument("--real", action="store_true", help="accuracy on the ReaL labels too (ImageNet's val images)")
    parser.add_argument("--no-speed", action="store_true", help="do not measure images per second")
    parser.add_argument("--trust", action="append", default=[], metavar="CLASS_PATH", help="code that may be run")
    parser.add_argument("--list", action="store_true", help="list the published weights of the names, or all")
    add_output(parser, "--out", "write a CSV file")
    add_output(parser, "--plot", f"draw runs' curves, or networks' accuracy and multiply-adds ({', '.join(PICTURES)})")
    parser.add_argument("--wandb", nargs="?", const="", metavar="PROJECT", help="record the table in W&B")
    add_form_arguments(parser, "an object of runs, a list of networks", "of runs: print LaTeX (package booktabs)")
    add_run_arguments(parser)
    return parser


def show(rows: "list[Compared]", options: argparse.Namespace) -> None:
    """Print the table, and write what was asked for."""
    if options.json:
        print(as_json([row.as_dict() for row in rows]))
    elif options.markdown:
        print_tables([table_of(rows)], in_markdown=True)
    else:
        print_tables([table_of(rows)])
    if options.out is not None:
        options.out.write_text(as_csv(rows), encoding="utf-8")
    if options.plot is not None:
        draw(rows, options.plot, options.data)
        say(f"picture: {options.plot}", stderr=options.json or options.markdown)
    if options.wandb is not None:
        from lit_cnn.tracking import TrackingSettings, log_table

        columns = list(rows[0].as_dict())
        values = [list(row.as_dict().values()) for row in rows]
        log_table(TrackingSettings(project=options.wandb or None), Path.cwd(), "compare", columns, values)


def cells(row: "Compared") -> list[str]:
    """A cell for each column."""
    top = [
        percent(value) for value in (row.paper_top1, row.published_top1, row.theirs_top1, row.ours_top1, row.ours_top5)
    ]
    counts = [count(value) for value in (row.images, row.differing)]
    logits = "–" if row.logits is None else f"{row.logits:.0e}"
    size, paper_size = row.size_text or "–", count(row.paper_size)
    costs = [f"{row.params / 1e6:,.2f}", f"{row.madds / 1e6:,.0f}"]
    speeds = [number(value) for value in (row.theirs_speed, row.ours_speed)]
    values = [row.name, row.weights, size, top[0], paper_size, *top[1:], *counts, logits, *costs, *speeds]
    return [*values, row.proof, row.license]


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def table_of(rows: "list[Compared]") -> Table:
    """Without the columns that are empty in every row; below, which weights each row is of and how that is known."""
    lines = [cells(row) for row in rows]
    filled = [place for place in range(len(COLUMNS)) if any(line[place] not in ("–", "") for line in lines)]
    notes = []
    for row in rows:
        size = f"{row.size_text or '–'} px"
        size += f", paper at {row.paper_size} px" if row.paper_size != row.image_size and row.paper_top1 else ""
        said = f"{PROOFS[row.proof]}, license {row.license}" if row.proof in PROOFS else "own checkpoint"
        notes.append(f"{row.name}: {row.weights} at {size}, {said}")
    marked = [place for place, row in enumerate(rows) if row.differing]
    body = [[line[place] for place in filled] for line in lines]
    return Table([COLUMNS[place] for place in filled], body, notes=notes, marked=marked)


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
            own = row.proof == "own"
            label = f"{row.name}, {Path(row.weights).name}" if own else row.name
            points.append(Point(label, row.madds, top1, own))
    measured = any(row.ours_top1 is not None for row in rows)
    draw_accuracy_cost(points, f"top-1 (%), {data or 'own data'}" if measured else "top-1 (%), as published", path)


def show_published(options: argparse.Namespace) -> int:
    """The rows of the table of published weights."""
    import fnmatch

    from lit_cnn.pretrained.sources import published

    names = options.names
    chosen = [
        row for row in published() if not names or any(fnmatch.fnmatchcase(row.architecture, name) for name in names)
    ]
    if not chosen:
        raise ValueError(f"no published weights for {', '.join(names)}; lit-cnn compare --list shows all")
    if options.json:
        print(as_json([listed(row) for row in chosen]))
        return 0
    columns = (Column("name", "name"), Column("weights", "name"), Column("px"), Column("top-1"))
    body = [[row.architecture, row.spec, count(listed(row)["px"]), percent(row.top1), row.license] for row in chosen]
    print_tables([Table((*columns, Column("license", "name", rank=1)), body)], in_markdown=options.markdown)
    return 0


def listed(row: "PublishedWeights") -> dict[str, Any]:
    """What a program is told of published weights."""
    return {
        "name": row.architecture,
        "weights": row.spec,
        "px": row.preprocessing.image_size[0],
        "top1": row.top1,
        "license": row.license,
        "url": row.url,
    }
