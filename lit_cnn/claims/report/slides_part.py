"""The lecture's tables: what papers print, what was counted and measured here, and what the runs of claims reached."""

from collections.abc import Sequence
from functools import cache

from lit_cnn.architectures.catalog import CATALOG, find_entry
from lit_cnn.architectures.entry import Entry
from lit_cnn.claims.report.published import (
    COMPOUND_SCALING,
    CUT_MIX,
    ENSEMBLES,
    RAND_AUGMENT,
    RESOLUTIONS,
    PublishedTable,
)
from lit_cnn.claims.report.records import Record
from lit_cnn.claims.stored import Latencies, latencies
from lit_cnn.profiling.counting import count_model
from lit_cnn.reports.html_page import Block, Code, Figure, HtmlTable, Section, Text
from lit_cnn.reports.inline_svg import inline_svg
from lit_cnn.reports.progress import Milestone, progress_figure

MOBILENET = (
    *("mobilenet_v1", "mobilenet_v1_0.75", "mobilenet_v1_0.5", "mobilenet_v1_0.25"),
    *("conv_mobilenet", "shallow_mobilenet"),
)
MOBILENET_V2 = (
    *("mobilenet_v2", "mobilenet_v2_1.4", "mobilenet_v1", "shufflenet_v1_g3_1.5x", "shufflenet_v1_g3_2.0x"),
    "nasnet_a_mobile",
)
EFFICIENTNET = tuple(f"efficientnet_b{size}" for size in range(8))
COLUMNS = (
    *("network", "px", "top-1 %, paper", "top-5 %, paper", "params M, paper", "params M, counted"),
    *("multiply-adds M, paper", "multiply-adds M, counted", "ms, measured"),
)
LATENCY_COMMAND = "OMP_NUM_THREADS=1 lit-cnn profile NAME --batch-size 1 --clock processor --latency-table table.json"


def slides_sections(records: Sequence[Record]) -> list[Section]:
    """The tables in the order of the lecture.

    Args:
        records: Of all claims; the results that stand below a paper's rows are those at scale cpu.
    """
    measured = latencies()
    return [
        Section("The lecture's tables", [
            Text("Columns with the word paper are the papers' figures, from the sources below each table. Parameters "
                 "and multiply-adds of convolutions and linear layers are counted in lit-cnn's networks."),
            *_how_measured(measured),
        ]),
        _progress(measured),
        _networks("MobileNet", MOBILENET, measured, [_resolutions(measured)]),
        _networks("MobileNetV2", MOBILENET_V2, measured),
        _networks("EfficientNet", EFFICIENTNET, measured),
        *(_methods(table, records) for table in (COMPOUND_SCALING, RAND_AUGMENT, CUT_MIX)),
    ]  # fmt: skip


def _how_measured(measured: Latencies) -> list[Block]:
    if not measured.milliseconds:
        return []
    return [
        Text(f"Milliseconds are of one image in float32 on one thread, processor time: {measured.machine} "
             "(docs/measurements/lecture_latency.md). On another machine they are measured by:"),
        Code(LATENCY_COMMAND),
    ]  # fmt: skip


def _progress(measured: Latencies) -> Section:
    """Year against top-5 error: of each paper its best single network, and ensembles."""
    best: dict[str, Entry] = {}
    for entry in CATALOG:
        top5 = entry.paper.top5
        known = best.get(entry.paper.title)
        if top5 is not None and entry.task == "imagenet" and (known is None or top5 > (known.paper.top5 or 0)):
            best[entry.paper.title] = entry
    single = [
        Milestone(entry.paper.title, entry.paper.year, 100 - (entry.paper.top5 or 0), "one network (validation)")
        for entry in best.values()
    ]
    voting = [Milestone(each.name, each.year, each.top5_error, "several networks") for each in ENSEMBLES]
    svg = inline_svg(
        progress_figure([*single, *voting], "top-5 error on ImageNet (%), as papers report it"),
        "progress",
        "Progress on ImageNet: year against top-5 error",
        "From 16 to 18 % in 2012 to about 2 to 3 % since 2017. The tables below have the numbers.",
    )
    rows = [_progress_row(entry, measured) for entry in sorted(best.values(), key=lambda each: each.paper.year)]
    columns = ("network", "year", "top-5 error %, paper", "params M, counted", "multiply-adds M, counted",
               "ms, measured", "protocol", "paper")  # fmt: skip
    table = HtmlTable("the best single network of each paper", columns, rows, words=(0, 6, 7))
    caption = (
        "Papers report validation error by different protocols: crops, sizes and numbers of networks differ. Of one "
        "ResNet-152 evaluated at several scales He et al. report 4.49 % (Table 4)."
    )
    entries = [[each.name, str(each.year), _percent(each.top5_error), each.what, each.source] for each in ENSEMBLES]
    votes = HtmlTable("several networks", ("entry", "year", "top-5 error %, paper", "of", "paper"), entries,
                      words=(0, 3, 4))  # fmt: skip
    return Section("Progress on ImageNet", [Figure(caption, [svg], table), votes], level=3)


def _progress_row(entry: Entry, measured: Latencies) -> list[str]:
    paper = entry.paper
    return [
        entry.name, str(paper.year), _percent(100 - (paper.top5 or 0)), _millions(entry.params), _millions(entry.madds),
        _milliseconds(measured, entry.name, entry.image_size), paper.protocol,
        f"{paper.authors}, {paper.year}, {paper.where}",
    ]  # fmt: skip


def _networks(heading: str, names: Sequence[str], measured: Latencies, more: Sequence[Block] = ()) -> Section:
    """Networks of the catalog with their papers' figures."""
    rows, sources = [], []
    for name in names:
        entry = find_entry(name)
        paper = entry.paper
        printed = [_percent(paper.top1), _percent(paper.top5), _figure(paper.params_millions)]
        rows.append([
            name, str(entry.image_size), *printed, _millions(entry.params), _figure(paper.madds_millions),
            _millions(entry.madds), _milliseconds(measured, name, entry.image_size),
        ])  # fmt: skip
        sources.append(f"{paper.authors}, {paper.year}, {paper.where}")
    table = HtmlTable(f"{heading}: papers and counts", COLUMNS, rows)
    return Section(heading, [table, Text(f"Papers: {'; '.join(dict.fromkeys(sources))}."), *more], level=3)


def _resolutions(measured: Latencies) -> HtmlTable:
    """MobileNet at the paper's image sizes."""
    rows = [
        [f"{side}", _percent(top1), f"{madds:g}", _millions(_mobilenet_madds(side)),
         _milliseconds(measured, "mobilenet_v1", side)]
        for side, top1, madds in RESOLUTIONS
    ]  # fmt: skip
    columns = ("px", "top-1 %, paper", "multiply-adds M, paper", "multiply-adds M, counted", "ms, measured")
    return HtmlTable("MobileNet by image size (Howard et al., 2017, Table 7)", columns, rows)


@cache
def _mobilenet_madds(side: int) -> int:
    return count_model("mobilenet_v1", side).madds


def _methods(table: PublishedTable, records: Sequence[Record]) -> Section:
    """A table of methods with the paper's rows, and the row of the claim's runs."""
    rows = [[row.name, "paper", *map(_percent, row.figures)] for row in table.rows]
    record = next((each for each in records if each.claim.name == table.claim and each.scale == "cpu"), None)
    blocks: list[Block] = []
    if record is not None:
        rows.append(["CIFAR-10, the small network of the claim", "here, cpu", *_here(table, record)])
        what = "± is the standard deviation over seeds" if record.judgement else f"the row of here is {record.verdict}"
        blocks.append(Text(f"Here: {record.design.fixed}; {what}. Claim: {record.claim.name}."))
    columns = ("data and network", "from", *table.columns)
    shown = HtmlTable(f"{table.heading}: top-1 {table.measure} in %", columns, rows, words=(0, 1))
    texts = [Text(f"Paper: {table.source}."), *([Text(table.note)] if table.note else [])]
    return Section(table.heading, [shown, *texts, *blocks], level=3)


def _here(table: PublishedTable, record: Record) -> list[str]:
    means = [record.accuracy(arm) for arm in table.arms]
    if table.measure == "accuracy":
        return means
    return [mean if mean == "–" else _as_error(mean) for mean in means]


def _as_error(accuracy: str) -> str:
    mean, _, spread = accuracy.partition(" ± ")
    return f"{100 - float(mean):.1f}" + (f" ± {spread}" if spread else "")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.6g}"


def _percent(value: float | None) -> str:
    """With the decimals that a paper prints, one or two."""
    return "–" if value is None else f"{value:.2f}".removesuffix("0")


def _millions(count: int) -> str:
    return f"{count / 1e6:,.2f}" if count < 1e8 else f"{count / 1e6:,.0f}"


def _milliseconds(measured: Latencies, name: str, side: int) -> str:
    found = measured.milliseconds.get((name, side))
    return "–" if found is None else f"{found:,.{0 if found >= 100 else 1}f}"
