"""The page of a choice, to be sent around: one HTML file without scripts."""

from pathlib import Path

from lit_cnn.choosing.chosen import Chosen, spent_words
from lit_cnn.choosing.explaining import by_reason, share, start_words
from lit_cnn.choosing.limits import WORDS, written
from lit_cnn.choosing.measuring import busy_words
from lit_cnn.choosing.rows import Row
from lit_cnn.reports.choice import ChoicePoint, choice_figure
from lit_cnn.reports.html_page import Block, Code, Figure, HtmlTable, Page, Section, Text, render
from lit_cnn.reports.inline_svg import inline_svg


def choice_html(chosen: Chosen) -> str:
    """The page."""
    row = chosen.row(chosen.recommended)
    lead = f"{row.architecture} at {row.image_size} px; {spent_words(chosen)}."
    sections = [
        Section("Recommendation", [Text(chosen.why), *_start(chosen), *_doubts(chosen)]),
        Section("Accuracy and latency", [_figure(chosen)]),
        Section("Not tried", [_untried(chosen), *_rejected(chosen)]),
        Section("Use it", [Code("\n".join(chosen.commands), "next"), Code(_recipe(chosen), "the recipe", folded=True)]),
    ]
    return render(Page(f"Recommended: {chosen.recommended}", lead, sections))


def _start(chosen: Chosen) -> list[Block]:
    return [] if chosen.start is None else [Text(start_words(chosen.start))]


def _recipe(chosen: Chosen) -> str:
    return Path(chosen.recipe).read_text(encoding="utf-8")


def _doubts(chosen: Chosen) -> list[Block]:
    """How the decision was made, and what makes it doubtful."""
    said: list[Block] = [
        Text(f"Rule: {chosen.rule}. Ties: {', '.join(chosen.ties)}."),
        Text(f"Latency and memory: {chosen.condition} ({chosen.device}). Limits: {chosen.limits}."),
    ]
    if busy := busy_words(chosen.busy):
        said.append(Text(f"{busy[0].upper()}{busy[1:]}.", True))
    if chosen.spent > chosen.budget:
        said.append(Text(f"More time was spent than the budget has: {spent_words(chosen)}.", True))
    return said


def _figure(chosen: Chosen) -> Figure:
    points = [_point(row, chosen) for row in chosen.rows if row.accuracy is not None]
    picture = inline_svg(
        choice_figure(points), "choice", "Accuracy of the candidates over their latency", "The table has the figures."
    )
    caption = (
        "Red is the recommendation, blue those that were trained to the end, with 95 % intervals; gray are those that "
        "were stopped early, after fewer epochs. The dashed line joins those that none beats in both."
    )
    return Figure(caption, [picture], _table(chosen))


def _point(row: Row, chosen: Chosen) -> ChoicePoint:
    own = row.standing
    assert row.accuracy is not None
    return ChoicePoint(
        row.name,
        row.costs["latency_ms"],
        row.accuracy,
        own.low if own else None,
        own.high if own else None,
        row.on_front,
        row.name == chosen.recommended,
    )


def _table(chosen: Chosen) -> HtmlTable:
    first = ("candidate", "state", "top-1", "95 % interval", "behind the best")
    columns = (*first, *WORDS.values(), "epochs", "probe", "trained")
    rows = [_cells(row) for row in chosen.rows]
    folds = f"in {chosen.folds} folds" if chosen.folds > 1 else "without folds"
    return HtmlTable(f"{chosen.images:,} images, {folds}", columns, rows, words=(0, 1))


def _cells(row: Row) -> list[str]:
    own = row.standing
    behind = "–"
    if own is not None and own.behind:
        behind = f"{100 * own.behind:.1f} ({100 * own.behind_low:.1f} to {100 * own.behind_high:.1f})"
    return [
        row.name,
        row.state,
        "–" if row.accuracy is None else share(row.accuracy),
        "–" if own is None else f"{share(own.low)} to {share(own.high)}",
        behind,
        *(written(cost, row.costs[cost]) if cost in row.costs else "–" for cost in WORDS),
        str(row.epochs),
        "–" if row.probe is None else share(row.probe),
        "–" if row.trained is None else share(row.trained),
    ]


def _untried(chosen: Chosen) -> HtmlTable:
    rows = [[what, why] for why, what in by_reason(chosen.untried).items()]
    return HtmlTable("what was not tried, and why", ("what", "why"), rows, words=(0, 1))


def _rejected(chosen: Chosen) -> list[Block]:
    """What the limits rejected before anything was trained."""
    if not chosen.rejected:
        return []
    counts = ", ".join(f"{count} for their {why}" for why, count in chosen.rejected.items())
    rows = [[name, why] for name, why in chosen.rejected_candidates.items()]
    return [
        Text(f"Rejected before training: {counts}."),
        HtmlTable("rejected candidates", ("candidate", "why"), rows, words=(0, 1), folded=True),
    ]
