"""One claim on the page: what is asked, what papers report, the design, what was found, and the commands."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from lit_cnn.claims.claim import Claim, Setting
from lit_cnn.claims.evidence import METRICS
from lit_cnn.claims.report.records import Record
from lit_cnn.claims.report.verdicts_part import effect_of, found_text, needed_seeds, spread_and_power
from lit_cnn.reports.arm_curves import Curve, arm_curves_figure
from lit_cnn.reports.effects import Effect, effects_figure
from lit_cnn.reports.html_page import Block, Code, Figure, HtmlTable, Section, Text
from lit_cnn.reports.inline_svg import inline_svg

CURVES = {"nll": "negative log-likelihood, evaluated images (nats)", "accuracy": "accuracy, evaluated images (%)"}
AT_AN_END = "Best with the first or last point of the grid, so that a wider grid could find a better one"
UNVERIFIED = "unverified: recalled, and in none of the texts that could be read"


def claim_sections(claim: Claim, records: Sequence[Record]) -> list[Section]:
    """The claim, and a part for each scale.

    Args:
        claim: Which.
        records: Of this claim.
    """
    rows = [
        [each.what, each.figures + ("" if each.verified else f" ({UNVERIFIED})"), each.source]
        for each in claim.published
    ]
    blocks: list[Block] = [
        Text(f"{claim.question}."),
        Text(f"Slide: {claim.slide}."),
        HtmlTable("What papers report", ("on", "figures of the papers", "source"), rows, words=(0, 1, 2)),
        *(Text(note) for note in claim.notes),
    ]
    return [
        Section(f"{claim.name}: {claim.title}", blocks, level=3),
        *(Section(f"{claim.name} at scale {record.scale}", _scale_blocks(record), level=4) for record in records),
    ]


def _scale_blocks(record: Record) -> list[Block]:
    return [
        Text(f"Verdict: {record.wording}.", warning=record.is_stale),
        *_design(record),
        *_findings(record),
        *_arms(record),
        *_measured(record),
        *_curves(record),
        Code(_commands(record), "Commands: this scale, and the papers' size"),
        Text(_provenance(record)),
    ]


def _design(record: Record) -> list[Block]:
    design = record.design
    if not design.fixed:
        return []
    facts = [f"All arms share: {design.fixed}."]
    if design.arms:
        facts.append(f"{record.seeds} seeds of each arm, at least {design.minimum_steps:,} steps.")
    if design.grid:
        facts.append(f"Each arm gets the best of {len(design.grid)}: {_grid(design.grid)}.")
    rows = [[arm.name, _settings(arm.settings) or "–", _grid(arm.grid) or "–"] for arm in design.arms]
    columns: tuple[str, ...] = ("arm", "settings", "grid of its own")
    if not any(arm.grid for arm in design.arms):
        rows, columns = [row[:2] for row in rows], columns[:2]
    words = tuple(range(len(columns)))
    table = HtmlTable("Arms and the settings in which they differ", columns, rows, words=words, folded=True)
    return [Text(" ".join(facts)), *([table] if rows else [])]


def _grid(points: Sequence[Mapping[str, Setting]]) -> str:
    return "; ".join(_settings(point) for point in points)


def _settings(settings: Mapping[str, Setting]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in settings.items())


def _findings(record: Record) -> list[Block]:
    """The parts with their rules, and the intervals as a picture for each unit."""
    rows: list[list[str]] = []
    effects: dict[str, list[Effect]] = {}
    for place, part in enumerate(record.design.parts):
        found, refusal = record.finding(place), part.refusal(record.seeds)
        verdict = found.verdict if found else "not decidable here" if refusal else "–"
        said = found_text(found) if found else refusal or "–"
        question = part.question if part.primary else f"({part.question})"
        rows.append(
            [question, verdict, said, needed_seeds(found) if found else "–", spread_and_power(record, place), part.rule]
        )
        drawn = effect_of(found, part.question) if found else None
        if found is not None and drawn is not None:
            effects.setdefault(found.unit, []).append(drawn)
    columns = ("part", "verdict", "found [95 % interval]", "seeds that would decide", "sd; power", "rule")
    caption = "Parts with their rules; those in parentheses are shown and do not count"
    table = HtmlTable(caption, columns, rows, words=(0, 1, 2, 4, 5))
    if not effects:
        return [table]
    return [Figure("Effects with 95 % intervals; gray ones do not count.", _effect_pictures(record, effects), table)]


def _effect_pictures(record: Record, effects: Mapping[str, Sequence[Effect]]) -> list[str]:
    return [
        inline_svg(
            effects_figure(each, unit or "log ratio"),
            _id(record, f"effects-{number}"),
            f"Effects of {record.claim.name} at scale {record.scale} in {unit or 'log ratio'}",
            "Each part with its 95 % interval and threshold; the table below has the numbers.",
        )
        for number, (unit, each) in enumerate(effects.items())
    ]


def _id(record: Record, what: str) -> str:
    return f"{record.claim.name}-{record.scale}-{what}".replace("_", "-")


def _arms(record: Record) -> list[Block]:
    """The figures of each arm that was run, over its seeds."""
    names = _run_arms(record)
    if not names:
        return []
    shown = [figure for figure in METRICS if figure != "log_seconds" and record.values(names[0], figure)]
    rows = [[name, str(len(record.values(name, "nll"))), *(_mean(record, name, figure) for figure in shown),
             *_point(record, name)] for name in names]  # fmt: skip
    units = [f"{figure.replace('_', ' ')}, {METRICS[figure].level_unit}" for figure in shown]
    columns = ("arm", "seeds", *units, "point of the grid", "losses of the grid")
    caption = "Arms: mean ± standard deviation over seeds, last epoch"
    table = HtmlTable(caption, columns, rows, words=(0, len(columns) - 2, len(columns) - 1), folded=True)
    ends = [name for name in names if record.is_at_an_end(name)]
    return [table, Text(f"{AT_AN_END}: {', '.join(ends)}.")] if ends else [table]


def _run_arms(record: Record) -> list[str]:
    """In the design's order, then those that it does not name."""
    run = dict.fromkeys(run["arm"] for run in record.result.runs) if record.result else {}
    planned = [arm.name for arm in record.design.arms if arm.name in run]
    return [*planned, *(name for name in run if name not in planned)]


def _mean(record: Record, arm: str, figure: str) -> str:
    values = [METRICS[figure].factor * value for value in record.values(arm, figure)]
    if not values:
        return "–"
    return f"{fmean(values):.4g}" + (f" ± {stdev(values):.2g}" if len(values) > 1 else "")


def _point(record: Record, arm: str) -> tuple[str, str]:
    assert record.result is not None
    chosen, tried = record.result.chosen.get(arm), record.result.tried.get(arm)
    losses = ", ".join("diverged" if loss is None else f"{loss:.3g}" for loss in tried or ())
    return _settings(chosen) if chosen else "–", losses or "–"


def _measured(record: Record) -> list[Block]:
    figures = record.result.measured if record.result else {}
    if not figures:
        return []
    rows = [[name, f"{value:,.6g}"] for name, value in figures.items()]
    return [HtmlTable("Counted and measured figures", ("figure", "value"), rows, folded=True)]


def _curves(record: Record) -> list[Block]:
    """The evaluated images over the epochs, where the runs recorded them."""
    arms = _run_arms(record)
    pictures, rows = [], []
    for figure, label in CURVES.items():
        curves = {arm: _arm_curves(record, arm, figure) for arm in arms}
        curves = {arm: each for arm, each in curves.items() if each}
        if curves:
            title = f"{label} over the epochs, {record.claim.name} at scale {record.scale}"
            svg = inline_svg(arm_curves_figure(curves, label), _id(record, figure), title,
                             "A color for each arm: the mean of its seeds thick, each seed thin.")  # fmt: skip
            pictures.append(svg)
            rows += [[arm, label, f"{each[0][-1][0]:g}", f"{fmean(curve[-1][1] for curve in each):.4g}"]
                     for arm, each in curves.items()]  # fmt: skip
    if not pictures:
        return []
    table = HtmlTable("Ends of the curves", ("arm", "figure", "epoch", "mean"), rows, words=(0, 1), folded=True)
    return [Figure("Evaluated images over the epochs: the mean of the seeds thick, each seed thin.", pictures, table)]


def _arm_curves(record: Record, arm: str, figure: str) -> list[Curve]:
    assert record.result is not None
    factor = METRICS[figure].factor
    runs = [run["curve"] for run in record.result.runs if run["arm"] == arm]
    curves = [[(row["epoch"], factor * row[figure]) for row in curve if figure in row] for curve in runs]
    return [curve for curve in curves if curve]


def _commands(record: Record) -> str:
    own = f"lit-cnn reproduce {record.claim.name} --scale {record.scale}"
    return f"{own}\n{record.claim.full_scale}" if record.claim.full_scale else own


def _provenance(record: Record) -> str:
    """Where, when and by what the result came about."""
    if record.result is None:
        minutes = record.design.core_minutes
        of = "minutes of one GPU, estimated" if record.scale == "gpu" else "core minutes"
        return f"Not run; about {minutes:g} {of}." if minutes else "Not run."
    environment: Mapping[str, Any] = record.result.environment
    machine, packages = environment.get("machine", {}), environment.get("packages", {})
    measured = machine.get("measured_on", {})
    parts = [
        f"{record.result.date}, {measured.get('device_name', 'an unknown device')}, {measured.get('instructions')}",
        f"{machine.get('cores')} cores, {measured.get('threads')} thread(s)",
        f"torch {packages.get('torch')}, lit-cnn {packages.get('lit-cnn')}, Python {environment.get('python')}",
    ]
    spent = record.result.seconds()
    parts += [f"{spent / 60:,.1f} core minutes of training"] if spent else []
    stored = f" The runs are those of docs/measurements/{record.design.stored}." if record.design.stored else ""
    return f"Judged on: {'; '.join(parts)}.{stored}"
