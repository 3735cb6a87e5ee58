"""The table of verdicts, and what was not run or cannot be decided."""

from collections.abc import Sequence

from lit_cnn.claims.claim import Scale
from lit_cnn.claims.report.records import Record, detectable
from lit_cnn.claims.rules.difference import Difference
from lit_cnn.claims.rules.part import Part
from lit_cnn.claims.shared_settings import GPU_LAYER_MS
from lit_cnn.claims.verdicts import ALPHA, TESTED, Finding
from lit_cnn.reports.effects import Effect, effects_figure
from lit_cnn.reports.html_page import Block, Code, Figure, HtmlTable, Section, Text
from lit_cnn.reports.inline_svg import inline_svg

COLUMNS = ("claim", "verdict", "of the part", "found [95 % interval]", "seeds", "seeds that would decide", "date")
POWER_COLUMNS = ("claim", "scale", "of the part", "seeds", "sd", "power by a pilot", "found in 80 % from")
ORDER: tuple[Scale, ...] = ("cpu", "digits", "gpu")
"""Of the tables: the scale that all claims have comes first."""
COMMANDS = """\
lit-cnn reproduce                              the table of claims with what is known of each
lit-cnn reproduce --list                       every part with its rule, margin, seeds and time, before any run
lit-cnn reproduce identity pointwise           count, train what is left, judge
lit-cnn reproduce degradation --scale digits   the mechanism in minutes, on 8 x 8 px
lit-cnn reproduce all                          all claims of the scale
lit-cnn reproduce --report                     this page, from the stored results"""
HOW = (
    "The margin, seeds and rule of a claim are in its file in lit_cnn/claims/lectures/ and were committed before its "
    "runs. Arms are paired by seed and compared by Student's t interval, several comparisons by Holm's method. Where a "
    "design has a grid, each arm gets its best point, chosen on other images with another seed; arms share the grid "
    "unless the table of arms gives them their own. A verdict waits until all "
    "planned seeds have ended, and no seed is added after a look at the others. A verdict on earlier runs rests on "
    "runs that were made for something else before the rule was written, which is weaker evidence."
)
WORDS = (
    "Exact: arithmetic. Holds and does not hold at this scale: the interval lies beyond the threshold, and of several "
    "comparisons the p value by Holm is below 0.05, too. Inconclusive: one of them is not so; so many seeds would find "
    "the effect that was measured in 80 % of the cases (where runs are counted: would decide if the shares stayed the "
    "same). Not decidable here: said "
    "before the first run. A result of a design that has changed since is stale and not judged."
)
POWER = (
    "Power by a pilot: how often the planned seeds find the effect that short runs before the design had shown. "
    "Found in 80 % from: so far beyond its threshold must an effect of that standard deviation (sd) lie to be found by "
    "these seeds in 80 % of the cases, as the first of its comparisons by Holm's method where there are several."
)


def verdicts_sections(records: Sequence[Record]) -> list[Section]:
    """The verdicts by scale, how they are made, and what is open."""
    tables: list[Block] = []
    for scale in ORDER:
        chosen = [record for record in records if record.scale == scale]
        if scale == "cpu" or any(record.result for record in chosen):
            rows = [_verdict_row(record) for record in chosen]
            tables.append(HtmlTable(f"claims at scale {scale}", COLUMNS, rows, words=(0, 1, 2, 3)))
    return [
        Section("Verdicts", [Text(chance(records)), *_time(records), *tables, *_power(records), *_effects(records)]),
        Section("How verdicts are made", [Text(HOW), Text(WORDS), Code(COMMANDS)]),
        Section("Not run, and not decidable", _open(records)),
    ]


def chance(records: Sequence[Record]) -> str:
    """How many verdicts chance alone makes."""
    tested = sum(record.verdict in TESTED for record in records)
    return (
        f"At 95 % each, expect {16 * ALPHA:.1f} false verdicts in 16 by chance. {tested} of those below rest "
        f"on a test: expect {tested * ALPHA:.2g}."
    )


def _time(records: Sequence[Record]) -> list[Block]:
    """Of all trainings that judge, and the estimate of those that are left."""
    spent = sum(record.result.seconds() for record in records if record.result) / 60
    waiting = [record for record in records if record.scale == "cpu" and record.verdict == "not run yet"]
    left = sum(record.design.core_minutes for record in waiting)
    names = ", ".join(record.claim.name for record in waiting)
    took = f"The trainings behind the results took {spent:,.0f} core minutes, without those that chose from a grid."
    rest = f"Not run yet at scale cpu: {names}, about {left:,.0f} core minutes."
    return [Text(f"{took} {rest if names else 'None waits at scale cpu.'}")]


def _verdict_row(record: Record) -> list[str]:
    place, date = record.leading(), record.result.date if record.result else "–"
    found = record.finding(place) if place is not None else None
    if found is None:
        return [record.claim.name, record.verdict, record.claim.title, "–", "–", "–", date]
    return [
        record.claim.name,
        record.wording,
        found.question,
        found_text(found),
        str(found.n) if found.n else "–",
        needed_seeds(found),
        date,
    ]


def _power(records: Sequence[Record]) -> list[Block]:
    """What the seeds of each claim can find, as far as it is known."""
    ordered = sorted(records, key=lambda record: ORDER.index(record.scale))
    rows = [row for record in ordered if (row := _power_row(record))]
    return [HtmlTable("power", POWER_COLUMNS, rows, words=(0, 1, 2)), Text(POWER)] if rows else []


def _power_row(record: Record) -> list[str]:
    """Of the part that a verdict rests on, or of the one that was planned with the least power; empty where neither
    is known."""
    place = record.leading()
    found = record.finding(place) if place is not None else None
    if place is None or found is None:
        planned = [(power, part) for part in record.design.decidable() if part.primary
                   and (power := planned_power(record, part))]  # fmt: skip
        power, part = min(planned, key=lambda pair: float(pair[0][:-2]), default=("", None))
        named = [record.claim.name, record.scale, part.question if part else ""]
        return [*named, str(record.seeds), "–", power, "–"] if power else []
    part = record.design.parts[place]
    least, power = detectable(part, found, record.comparisons(place)), planned_power(record, part)
    if found.sd is None and not power:
        return []
    return [
        record.claim.name,
        record.scale,
        found.question,
        str(found.n) if found.n else "–",
        _with_unit(found.sd, found) or "–",
        power or "–",
        _with_unit(least, found) or "–",
    ]


def found_text(finding: Finding) -> str:
    """The effect with its interval and, where several comparisons share one error, the p value that decides."""
    holm = "" if finding.adjusted_p is None else f"; p = {finding.adjusted_p:.2g} by Holm"
    return finding.said + holm


def planned_power(record: Record, part: Part) -> str:
    """How often the planned seeds find a pilot's effect; empty without a pilot."""
    power = part.power(record.seeds) if isinstance(part, Difference) else None
    return "" if power is None else f"{100 * power:.0f} %"


def spread_and_power(record: Record, place: int) -> str:
    """Of a part: the standard deviation that was measured, and the power by a pilot, as far as they are known."""
    found, power = record.finding(place), planned_power(record, record.design.parts[place])
    spread = _with_unit(found.sd, found) if found is not None else ""
    return "; ".join(each for each in (spread, power and f"{power} by a pilot") if each) or "–"


def _with_unit(value: float | None, found: Finding) -> str:
    """In the unit of a finding; empty where it is unknown."""
    return "" if value is None else f"{value:.2g} {found.unit}".rstrip()


def needed_seeds(finding: Finding) -> str:
    """Of an open question."""
    return f"{finding.deciding_n:,}" if finding.verdict == "inconclusive" and finding.deciding_n else "–"


def _effects(records: Sequence[Record]) -> list[Block]:
    """The effects that the verdicts rest on, a picture for each unit."""
    effects: dict[str, list[Effect]] = {}
    rows: list[list[str]] = []
    for record in records:
        place = record.leading()
        found = record.finding(place) if place is not None else None
        drawn = effect_of(found, f"{record.claim.name} ({record.scale}): {found.question}") if found else None
        if found is not None and drawn is not None:
            effects.setdefault(found.unit, []).append(drawn)
            rows.append([f"{record.claim.name} ({record.scale})", found.said, f"{found.threshold:g} {found.unit}"])
    if not rows:
        return []
    pictures = [
        inline_svg(effects_figure(each, unit or "log ratio"), f"effects-{number}", f"Effects in {unit or 'log ratio'}",
                   "Points with 95 % intervals and the threshold of each; the table has the numbers.")
        for number, (unit, each) in enumerate(effects.items())
    ]  # fmt: skip
    table = HtmlTable("effects and thresholds", ("claim", "effect [95 % interval]", "threshold"), rows, folded=True)
    return [Figure("The effect that each verdict rests on.", pictures, table)]


def effect_of(finding: Finding, name: str) -> Effect | None:
    """A finding as it is drawn; None of one without an interval."""
    if finding.effect is None or finding.low is None or finding.high is None or finding.threshold is None:
        return None
    return Effect(name, finding.effect, finding.low, finding.high, finding.threshold, finding.primary)


def _open(records: Sequence[Record]) -> list[Block]:
    """A row for each claim that waits, and for each part that cannot be decided."""
    rows = []
    for record in records:
        if record.is_stale or record.verdict == "not run yet":
            why = "measured by an earlier design" if record.is_stale else "not run yet"
            rows.append([record.claim.name, record.scale, "all parts", why, _minutes(record)])
        elif record.verdict == "not finished":
            rows.append([record.claim.name, record.scale, "all parts", "not all runs have ended", _minutes(record)])
        rows += [
            [record.claim.name, record.scale, part.question, f"not decidable here: {why}", "–"]
            for part in record.design.parts
            if (why := part.refusal(record.seeds))
        ]
    columns = ("claim", "scale", "part", "why", "core minutes, estimated")
    note = (
        "Minutes are of one core of an AMD EPYC with AVX-512. At scale gpu they are of one GPU and were not measured: "
        f"estimated from {GPU_LAYER_MS:g} ms of a training step for each learnable layer, the launches of its kernels."
    )
    return [HtmlTable("what is open", columns, rows, words=(0, 1, 2, 3)), Text(note)]


def _minutes(record: Record) -> str:
    return f"{record.design.core_minutes:g}" if record.design.core_minutes else "–"
