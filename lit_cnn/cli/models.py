"""``lit-cnn models``: the catalog as a table; ``lit-cnn models show NAME…``: all that is known of some networks."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.architectures.entry import Entry
    from lit_cnn.profiling.counting import NetworkCount

COLUMNS = (
    Column("name", "name"),
    Column("year", rank=5),
    Column("px", rank=3),
    Column("layers", rank=4),
    Column("params (M)"),
    Column("madds (M)", rank=1),
    Column("paper top-1 (%)"),
    Column("paper top-5 (%)", rank=6),
    Column("protocol", "name", rank=7),
)
PRINTED = (Column("paper params (M)"), Column("paper madds (M)"))
NOTE = "madds: multiply-adds of one image; FLOPs are twice as many. Accuracies are the papers', by their own protocols."
MIXED = "Accuracies on ImageNet and on CIFAR-10 cannot be compared: ImageNet's networks stand first."


def run(arguments: list[str]) -> int:
    if arguments[:1] == ["show"]:
        return show(arguments[1:])
    options = make_parser().parse_args(arguments)
    if options.plot:
        require_writable("--plot", options.plot, PICTURES)
    entries = chosen(options)
    if options.plot:
        from lit_cnn.profiling.picture import draw_front  # imports matplotlib

        draw_front(entries, options.plot)
        say(f"picture: {options.plot}", stderr=True)
    mixed = options.sort == "top1" and len({entry.task for entry in entries}) > 1
    notes = [NOTE, *([MIXED] if mixed else [])]
    if options.json:
        print(as_json([as_object(entry) for entry in entries]))
    elif options.markdown:
        print_tables([fidelity_sheet(entries, notes)], in_markdown=True)
    else:
        print_tables([Table(COLUMNS, [row(entry) for entry in entries], notes=notes)])
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn models",
        description="List the catalog of architectures.",
        example="lit-cnn models 'efficientnet*' --max-params 10",
        epilog="lit-cnn models show NAME shows all about one.",
    )
    parser.add_argument("patterns", nargs="*", metavar="NAME", help="names or shell patterns, such as 'resnet_rs*'")
    parser.add_argument("--task", choices=("imagenet", "cifar"), help="only ImageNet's networks, or CIFAR's")
    parser.add_argument(
        "--sort",
        choices=("year", "params", "madds", "top1", "layers", "name"),
        help="sort by this column instead of the lecture's order; top1: the best first",
    )
    parser.add_argument("--max-params", type=millions, help="at most this many million parameters, such as 6 or 6M")
    parser.add_argument("--max-madds", type=millions, help="at most this many million multiply-adds")
    add_output(
        parser, "--plot", f"draw top-1 against parameters and multiply-adds, with the best ({', '.join(PICTURES)})"
    )
    add_form_arguments(parser, "a list of objects")
    return parser


def millions(text: str) -> float:
    """The millions that a size means, for argparse."""
    from lit_cnn.architectures.sizes import parse_size

    try:
        return parse_size(text) / 1e6
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def chosen(options: argparse.Namespace) -> list[Entry]:
    """The rows that are asked for.

    Raises:
        ValueError: If there is none; for a name it names the nearest.
    """
    from lit_cnn.architectures.catalog import list_models, select_entries
    from lit_cnn.architectures.patterns import is_pattern

    patterns = options.patterns or ["*"]
    entries = select_entries(
        patterns,
        sort=options.sort,
        task=options.task,
        max_params_millions=options.max_params,
        max_madds_millions=options.max_madds,
    )
    for pattern in patterns:
        if not list_models(pattern):
            near = [] if is_pattern(pattern) else difflib.get_close_matches(pattern, list_models(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`lit-cnn models` lists all"
            raise ValueError(f"no architecture matches {pattern!r}; {hint}")
    if not entries:
        raise ValueError(
            f"no architecture matches {' '.join(patterns)!r} within these limits; `lit-cnn models` lists all"
        )
    return entries


def as_object(entry: Entry) -> dict[str, Any]:
    from lit_cnn.architectures.free_choices import free_choices

    return {
        "name": entry.name,
        "year": entry.paper.year,
        "task": entry.task,
        "input_size": entry.image_size,
        "layers": entry.layers,
        "params": entry.params,
        "madds": entry.madds,
        "num_classes": entry.num_classes,
        "paper": asdict(entry.paper),
        "options": entry.options(),
        "deviations": list(entry.deviations),
        "free_choices": [asdict(choice) for choice in free_choices(entry)],
    }


def row(entry: Entry) -> list[str]:
    percent = [f"{value:.2f}" if value is not None else "–" for value in (entry.paper.top1, entry.paper.top5)]
    counts = [f"{entry.params / 1e6:,.2f}", f"{entry.madds / 1e6:,.0f}"]
    facts = [str(entry.paper.year), str(entry.image_size), str(entry.layers)]
    return [entry.name, *facts, *counts, *percent, entry.paper.protocol]


def fidelity_sheet(entries: list[Entry], notes: Sequence[str]) -> Table:
    """Our counts next to the papers', and below the table every deviation."""
    rows = []
    for entry in entries:
        printed = [entry.paper.params_millions, entry.paper.madds_millions]
        rows.append([*row(entry), *[f"{value:,g}" if value is not None else "–" for value in printed]])
    deviations = [f"- {entry.name}: {deviation}" for entry in entries for deviation in entry.deviations]
    below = ["Deviations of the defaults from the papers:", "\n".join(deviations)] if deviations else []
    return Table((*COLUMNS, *PRINTED), rows, notes=[*notes, *below, *described_choices(entries)])


def described_choices(entries: list[Entry]) -> list[str]:
    """A heading and a list of the free choices that the networks have."""
    from lit_cnn.architectures.free_choices import FREE_CHOICES, free_choices

    lines = []
    for choice in FREE_CHOICES:
        names = [entry.name for entry in entries if choice.option in {each.option for each in free_choices(entry)}]
        if names:
            lines.append(f"- {choice.option} ({', '.join(map(str, choice.values))}): {choice.said}; {', '.join(names)}")
    heading = "Free choices, which papers leave open or programs make differently and no weight shows:"
    return [heading, "\n".join(lines)] if lines else []


def show(arguments: list[str]) -> int:
    """Print networks: stages, the paper's figures against ours, options, deviations."""
    parser = CommandParser(
        "lit-cnn models show", "All that is known of networks.", example="lit-cnn models show resnet50"
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="names that `lit-cnn models` lists, or shell patterns")
    add_form_arguments(parser, "an object, or a list of several")
    options = parser.parse_args(arguments)
    from lit_cnn.architectures.catalog import find_entries
    from lit_cnn.profiling.counting import count_model

    entries = find_entries(options.names)

    counts = [count_model(entry.name) for entry in entries]
    if options.json:
        objects = [details(entry, count) for entry, count in zip(entries, counts, strict=True)]
        print(as_json(objects if len(objects) > 1 else objects[0]))
        return 0
    for number, (entry, count) in enumerate(zip(entries, counts, strict=True)):
        if number:
            say("")
        print_tables([stages_table(entry, count), paper_table(entry)], in_markdown=options.markdown)
    return 0


def details(entry: Entry, count: NetworkCount) -> dict[str, Any]:
    stages = [asdict(stage) for stage in count.stages]
    more = {"stages": stages, "option_defaults": entry.option_defaults(), "against_paper": entry.against_paper()}
    return {**as_object(entry), **more}


def stages_table(entry: Entry, count: NetworkCount) -> Table:
    paper = entry.paper
    rows = [
        [
            stage.name,
            " × ".join(str(size) for size in stage.shape) or "training only",
            f"{stage.params:,}",
            f"{stage.madds:,}",
        ]
        for stage in count.stages
    ]
    return Table(
        (Column("stage", "name"), Column("output"), Column("parameters"), Column("multiply-adds")),
        rows,
        title=f"{entry.name}: {paper.title}, {paper.authors}, {paper.year}, {paper.where}\n"
        f"{entry.layers} learnable layers on the longest path, {entry.num_classes} classes\n"
        f"stages, one image of {entry.image_size} px",
        totals=[["total", "", f"{count.params:,}", f"{count.madds:,}"]],
    )


def paper_table(entry: Entry) -> Table:
    """The paper's figures against ours; below them the protocol, the options, free choices and the deviations."""
    from lit_cnn.architectures.free_choices import free_choices

    paper, rows = entry.paper, []
    for key, figures in entry.against_paper().items():
        printed, ours, difference = figures.values()
        words = ["–", "–"] if printed is None or difference is None else [f"{printed:,g} M", f"{difference:+.1f} %"]
        rows.append(["parameters" if key == "params" else "multiply-adds", words[0], f"{ours:,.2f} M", words[1]])
    for label, accuracy in (("top-1", paper.top1), ("top-5", paper.top5)):
        rows.append([label, "–" if accuracy is None else f"{accuracy:.2f} %", "–", "–"])
    defaults = ", ".join(f"{name}={value!r}" for name, value in entry.option_defaults().items())
    deviations = "\n".join(["deviations from the paper:", *(f"  - {text}" for text in entry.deviations)])
    notes = [
        *([f"accuracy in the paper: {paper.protocol}"] if paper.protocol else []),
        f"options and defaults: {defaults}",
        *(
            f"free choice, which no weight shows: {choice.option} ({', '.join(map(str, choice.values))}): {choice.said}"
            for choice in free_choices(entry)
        ),
        deviations if entry.deviations else "deviations from the paper: none",
    ]
    return Table(
        (Column("figure", "name"), Column("paper"), Column("here"), Column("difference")),
        rows,
        notes=notes,
    )
