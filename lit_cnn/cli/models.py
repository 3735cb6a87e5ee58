"""``lit-cnn models``: the catalog as a table; ``lit-cnn models show NAME``: all that is known of one network."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lit_cnn.architectures.catalog import SORT_KEYS, find_entry, select_entries
from lit_cnn.architectures.entry import Entry
from lit_cnn.architectures.free_choices import FREE_CHOICES, free_choices
from lit_cnn.cli.console import as_json, console, markdown, say, table

if TYPE_CHECKING:
    from lit_cnn.profiling.counting import NetworkCount


def run(arguments: list[str]) -> int:
    if arguments[:1] == ["show"]:
        return show(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="lit-cnn models",
        description="List the catalog of architectures.",
        epilog="lit-cnn models show NAME shows all about one.",
    )
    parser.add_argument("pattern", nargs="?", default="*", help="shell pattern of names, such as 'resnet_rs*'")
    parser.add_argument("--sort", choices=SORT_KEYS, help="sort by this column instead of the lecture's order")
    parser.add_argument("--max-params", type=float, help="at most this many million parameters")
    parser.add_argument("--max-madds", type=float, help="at most this many million multiply-adds")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args(arguments)
    entries = select_entries(
        options.pattern,
        sort=options.sort,
        max_params_millions=options.max_params,
        max_madds_millions=options.max_madds,
    )
    if not entries:
        raise ValueError(f"no architecture matches {options.pattern!r} within these limits; `lit-cnn models` lists all")
    if options.json:
        print(as_json([as_object(entry) for entry in entries]))
    elif options.markdown:
        say(fidelity_sheet(entries))
    else:
        caption = "madds: multiply-adds of one image; FLOPs are twice as many. Accuracies are the papers'."
        rows, words = [row(entry) for entry in entries], ("name", "protocol")
        console().print(table(HEADER, rows, left=words, no_wrap=HEADER[:-1], caption=caption))
    return 0


def as_object(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "year": entry.paper.year,
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


HEADER = ("name", "year", "px", "layers", "params (M)", "madds (M)", "paper top-1", "paper top-5", "protocol")


def row(entry: Entry) -> list[str]:
    percent = [f"{value:.2f}" if value is not None else "–" for value in (entry.paper.top1, entry.paper.top5)]
    counts = [f"{entry.params / 1e6:,.2f}", f"{entry.madds / 1e6:,.0f}"]
    facts = [str(entry.paper.year), str(entry.image_size), str(entry.layers)]
    return [entry.name, *facts, *counts, *percent, entry.paper.protocol]


def fidelity_sheet(entries: list[Entry]) -> str:
    """In Markdown our counts next to the papers', and below the table every deviation."""
    rows = []
    for entry in entries:
        printed = [entry.paper.params_millions, entry.paper.madds_millions]
        rows.append([*row(entry), *[f"{value:,g}" if value is not None else "–" for value in printed]])
    lines = [markdown((*HEADER, "paper params (M)", "paper madds (M)"), rows), ""]
    lines += ["Deviations of the defaults from the papers:", ""]
    lines += [f"- {entry.name}: {deviation}" for entry in entries for deviation in entry.deviations]
    lines += ["", "Free choices, which papers leave open or programs make differently and no weight shows:", ""]
    for choice in FREE_CHOICES:
        names = [entry.name for entry in entries if choice.option in {each.option for each in free_choices(entry)}]
        if names:
            lines.append(f"- {choice.option} ({', '.join(map(str, choice.values))}): {choice.said}; {', '.join(names)}")
    return "\n".join(lines)


def show(arguments: list[str]) -> int:
    """Print one network: stages, the paper's figures against ours, options, deviations."""
    parser = argparse.ArgumentParser(prog="lit-cnn models show", description="All that is known of one network.")
    parser.add_argument("name", help="a name that `lit-cnn models` lists")
    parser.add_argument("--json", action="store_true", help="an object")
    options = parser.parse_args(arguments)
    entry = find_entry(options.name)
    from lit_cnn.profiling.counting import count_model

    count = count_model(entry.name)
    if options.json:
        stages = [asdict(stage) for stage in count.stages]
        details = {"stages": stages, "option_defaults": entry.option_defaults(), "against_paper": entry.against_paper()}
        print(as_json({**as_object(entry), **details}))
        return 0
    print_entry(entry, count)
    return 0


def print_entry(entry: Entry, count: "NetworkCount") -> None:
    out, paper = console(), entry.paper
    out.print(entry.name, style="bold", end="")
    out.print(f": {paper.title}, {paper.authors}, {paper.year}, {paper.where}")
    out.print(f"{entry.layers} learnable layers on the longest path, {entry.num_classes} classes\n")
    stages = [
        [
            stage.name,
            " × ".join(str(size) for size in stage.shape) or "training only",
            f"{stage.params:,}",
            f"{stage.madds:,}",
        ]
        for stage in count.stages
    ]
    header, title = ("stage", "output", "parameters", "multiply-adds"), f"stages, one image of {entry.image_size} px"
    shown = table(header, stages, left=["stage"], title=title)
    shown.add_section()
    shown.add_row("total", "", f"{count.params:,}", f"{count.madds:,}")
    out.print(shown)
    rows = []
    for key, figures in entry.against_paper().items():
        printed, ours, difference = figures.values()
        words = ["–", "–"] if printed is None or difference is None else [f"{printed:,g} M", f"{difference:+.1f} %"]
        rows.append(["parameters" if key == "params" else "multiply-adds", words[0], f"{ours:,.2f} M", words[1]])
    for label, accuracy in (("top-1", paper.top1), ("top-5", paper.top5)):
        rows.append([label, "–" if accuracy is None else f"{accuracy:.2f} %", "", ""])
    out.print(table(["", "paper", "here", "difference"], rows))
    out.print(f"accuracy in the paper: {paper.protocol}\n" if paper.protocol else "")
    chosen = ", ".join(f"{name}={value!r}" for name, value in entry.option_defaults().items())
    out.print(f"options and defaults: {chosen}")
    for choice in free_choices(entry):
        values = ", ".join(map(str, choice.values))
        out.print(f"free choice, which no weight shows: {choice.option} ({values}): {choice.said}")
    out.print("deviations from the paper:" if entry.deviations else "deviations from the paper: none")
    for deviation in entry.deviations:
        out.print(f"  - {deviation}")
