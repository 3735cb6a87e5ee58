"""``lit-cnn reproduce``: claims of the papers, each with a rule that was written down before its runs.

    lit-cnn reproduce                              the table of claims with what is known of each
    lit-cnn reproduce identity pointwise           examine these claims: count, train what is left, judge
    lit-cnn reproduce degradation --scale digits   the mechanism in minutes, on 8 × 8 px
    lit-cnn reproduce all                          every claim of the scale, hours; the same again continues
    lit-cnn reproduce --list                       the parts of each claim, their rules, seeds and times, before any run
    lit-cnn reproduce --report                     write the page of all claims, HTML and Markdown, from stored results

Verdicts are made by rules alone: exact (arithmetic), holds, does not hold at this scale, inconclusive (with the seeds
that would decide), not decidable here (said before the first run). None is given before all planned seeds have ended.
Killed at any moment, the same command continues; started in several terminals, they share the work.

Exit codes: 0 done, 1 wrong input or a run failed, 130 and 143 stopped by SIGINT and SIGTERM.
"""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, line_console, say
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.claims.claim import Claim, Design, Scale
    from lit_cnn.claims.examining import Examined
    from lit_cnn.claims.judging import Judgement
    from lit_cnn.claims.report.records import Record
    from lit_cnn.claims.result_file import Result

SCALES = ("digits", "cpu", "gpu")
FOLDER = Path("runs/claims")


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn reproduce", __doc__, example="lit-cnn reproduce identity pointwise")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="names of the table, or all; none prints the table")
    parser.add_argument("--scale", choices=SCALES, default="cpu", help="digits, two cores, or one GPU (default: cpu)")
    parser.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="run N of the planned seeds now, or plan more before the first run",
    )
    parser.add_argument("--list", action="store_true", help="print designs and rules, run nothing")
    parser.add_argument("--report", action="store_true", help="write claims.html and claims.md, run nothing")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="of --report: where (default: the folder above --results)"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help=f"of the trainings ({FOLDER})")
    parser.add_argument("--results", type=Path, metavar="DIR", help="of the result files")
    parser.add_argument(
        "--storage", metavar="URL", help="database that several machines share: postgresql+psycopg://user@host/name"
    )
    parser.add_argument("--process-per-trial", action="store_true", help="start a process for each training")
    parser.add_argument("--retry-failed", action="store_true", help="try the failed trainings again")
    add_form_arguments(parser, "verdicts and findings")
    return parser


def run(arguments: list[str]) -> int:
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.seeds is not None and options.seeds < 2:
        parser.error("--seeds must be at least 2: a difference has no spread with one")
    from lit_cnn.claims.catalog import find_claims

    claims = find_claims(options.claims)
    if options.report and options.claims not in ([], ["all"]) and options.out is None:
        parser.error("--report of some claims would replace the page of all: pass --out DIR, or no names")
    if options.report:
        return write_report(claims, options)
    if options.list:
        return print_designs(claims, options)
    if not options.claims:
        return print_known(claims, options)
    return examine(claims, options, arguments)


def write_report(claims: Sequence[Claim], options: argparse.Namespace) -> int:
    """Write the page of claims from the results that are there."""
    from lit_cnn.claims.report.page import write_page
    from lit_cnn.claims.result_file import default_results

    results = (options.results or default_results()).expanduser()
    folder = options.out.expanduser() if options.out else results.parent
    for path in write_page(claims, results, folder):
        say(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


def examine(claims: Sequence[Claim], options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Examine claims one after the other, and print what was found."""
    from lit_cnn.claims.examining import Examiner
    from lit_cnn.claims.result_file import default_results
    from lit_cnn.cli.main import main
    from lit_cnn.sweeps.stop_signals import StopSignals

    console = line_console(stderr=options.json or options.markdown)
    chosen = [claim for claim in claims if claim.design(options.scale) is not None or options.claims != ["all"]]
    examined: list[tuple[Claim, Examined]] = []
    failed: list[str] = []
    with StopSignals() as stop:
        examiner = Examiner(
            options.scale,
            options.folder.expanduser(),
            (options.results or default_results()).expanduser(),
            None if options.process_per_trial else main,
            stop,
            options.seeds,
            options.storage,
            options.retry_failed,
            console.print,
        )
        for claim in chosen:
            if stop.number:
                break
            try:
                each = examiner.examine(claim)
            except ValueError as error:
                if len(chosen) == 1:
                    raise
                text = str(error)  # which does not hold up the others
                failed.append(text if claim.name in text else f"{claim.name}: {text}")
                continue
            examined.append((claim, each))
            failed += each.failed
    if options.json:
        print(as_json([as_object(claim, each.result, each.judgement) for claim, each in examined]))
    else:
        tables = [findings_table(claim, each.judgement) for claim, each in examined if each.judgement]
        print_tables(tables, in_markdown=options.markdown)
        for _, each in examined:
            if each.path is not None:
                console.print(f"result: {each.path}")
    for text in failed:
        say(text, stderr=True)
    if stop.number:
        say(f"stopped. Continue with: lit-cnn reproduce {shlex.join(arguments)}", stderr=True)
        return 128 + stop.number
    return 1 if failed else 0


def print_known(claims: Sequence[Claim], options: argparse.Namespace) -> int:
    """The table of claims with the verdicts of the results that are there."""
    from lit_cnn.claims.report.records import gather
    from lit_cnn.claims.result_file import default_results

    results = (options.results or default_results()).expanduser()
    records = {each.claim.name: each for each in gather(claims, results) if each.scale == options.scale}
    if options.json:
        print(as_json([as_object(*known_of(claim, records.get(claim.name))) for claim in claims]))
    else:
        print_tables([verdicts_table(claims, records, options.scale)], in_markdown=options.markdown)
    return 0


def known_of(claim: Claim, record: Record | None) -> tuple[Claim, Result | None, Judgement | None]:
    """What ``as_object`` shows of a record."""
    return (claim, record.result, record.judgement) if record else (claim, None, None)


def as_object(claim: Claim, result: Result | None, judgement: Judgement | None) -> dict[str, Any]:
    """A claim in built-in types."""
    return {
        "claim": claim.name,
        "title": claim.title,
        "question": claim.question,
        "verdict": judgement.verdict if judgement else None,
        "stale": is_stale(claim, result),
        "seeds": result.seeds if result else None,
        "date": result.date if result else None,
        "findings": [dataclasses.asdict(finding) for finding in judgement.findings] if judgement else [],
    }


def is_stale(claim: Claim, result: Result | None) -> bool:
    """Whether the design has changed since the result was written."""
    design = claim.design(result.scale) if result else None
    return bool(result and design and result.is_stale(design))


def verdicts_table(claims: Sequence[Claim], records: Mapping[str, Record], scale: Scale) -> Table:
    """Claims and verdicts, each with the part that it rests on."""
    from lit_cnn.claims.report.verdicts_part import found_text
    from lit_cnn.claims.verdicts import ALPHA, TESTED

    columns = [
        Column("claim", "name"), Column("verdict", "prose"), Column("found", "prose", rank=1),
        Column("seeds", rank=2), Column("date", "name", rank=3),
    ]  # fmt: skip
    rows = []
    for claim in claims:
        record = records.get(claim.name)
        if record is None:
            rows.append([claim.name, "no design of this scale", claim.title, "–", "–"])
            continue
        place, result = record.leading(), record.result
        finding = record.finding(place) if place is not None else None
        found = f"{finding.question}: {found_text(finding)}" if finding else claim.title
        seeds = str(result.seeds) if result and result.runs else "–"
        rows.append([claim.name, record.wording, found, seeds, result.date if result else "–"])
    count = sum(record.verdict in TESTED for record in records.values())
    note = f"{count} rest on a test: at 5 % each, expect {ALPHA * count:.1f} false ones by chance; --list has the rules"
    return Table(columns, rows, title=f"claims at scale {scale}", notes=[note])


def findings_table(claim: Claim, judgement: Judgement) -> Table:
    """The parts of one claim."""
    columns = [
        Column("part", "prose"), Column("verdict", "prose"), Column("found", "prose"), Column("seeds to decide", rank=2)
    ]  # fmt: skip
    rows = [
        [
            finding.question if finding.primary else f"({finding.question})",
            finding.verdict,
            finding.said,
            str(finding.deciding_n or "–") if finding.verdict == "inconclusive" else "–",
        ]
        for finding in judgement.findings
    ]
    notes = ["parts in parentheses are shown and do not count", *claim.notes]
    return Table(columns, rows, title=f"{claim.name}: {judgement.wording}", notes=notes)


def print_designs(claims: Sequence[Claim], options: argparse.Namespace) -> int:
    """The parts and rules of claims, as they stand before any run."""
    from lit_cnn.claims.claim import described

    designs = [(claim, claim.design(options.scale)) for claim in claims]
    if options.json:
        print(as_json({claim.name: described(design) for claim, design in designs if design}))
        return 0
    tables = [design_table(claim, design, options.scale) for claim, design in designs if design]
    print_tables(tables, f"designs at scale {options.scale}", in_markdown=options.markdown)
    return 0


def design_table(claim: Claim, design: Design, scale: Scale) -> Table:
    """The parts of one claim with their rules, in two columns that share the terminal's width."""
    facts = [f"{design.seeds} seeds of {len(design.arms)} arms"] if design.arms else []
    facts += [f"at least {design.minimum_steps:,} steps"] if design.minimum_steps else []
    of = "minutes of one GPU, estimated" if scale == "gpu" else "core minutes"
    facts += [f"about {design.core_minutes:g} {of}"] if design.core_minutes else []
    rows = [
        [
            part.question if part.primary else f"({part.question})",
            f"not decidable here: {why}" if (why := part.refusal(design.seeds)) else part.rule,
        ]
        for part in design.parts
    ]
    notes = [f"all arms share: {design.fixed}"] if design.fixed else []
    return Table(
        [Column("part", "prose"), Column("rule", "prose")],
        rows,
        title=": ".join([claim.name, *([", ".join(facts)] if facts else [])]),
        notes=notes,
    )
