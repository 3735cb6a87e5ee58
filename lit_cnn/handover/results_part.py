"""The sections of a page on what the network says of its images, and on what it looks at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image as Picture

from lit_cnn.evaluation.scores import ClassScore, balanced_accuracy, wilson_interval
from lit_cnn.handover.card_facts import validated_images
from lit_cnn.handover.facts import HeatMaps, RunReport
from lit_cnn.handover.results import JudgedImage, Results, Share
from lit_cnn.handover.run_files import WORST, RunFiles, StoredImage
from lit_cnn.printable import printable
from lit_cnn.reports.confusion import confusion_figure
from lit_cnn.reports.html_page import Block, Figure, HtmlTable, Image, Images, Section, Text
from lit_cnn.reports.inline_svg import inline_svg
from lit_cnn.reports.reliability import ReliabilityPanel, reliability_figure
from lit_cnn.reports.thumbnails import data_uri, is_coarse, thumbnail
from lit_cnn.training.monitor import metric_text

MATRIX_UP_TO = 25
"""Classes up to which the confusion matrix is a table."""
CLASSES_SHOWN = 50
"""Rows of the table of classes that need not be opened."""
SHEET = 1000
"""Longest side in px of a picture of the run folder."""


def percent(share: float) -> str:
    """``91.25 %``; a dash for nan."""
    return f"{100 * share:.2f} %" if share == share else "–"


def between(ends: tuple[float, float]) -> str:
    """``83.9 to 96.1 %``."""
    return f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f} %"


def _probability(value: float) -> str:
    """Never rounded up to a certainty."""
    return ">99.9 %" if 0.9995 <= value < 1 else f"{100 * value:.1f} %"


def results_sections(report: RunReport) -> list[Section]:
    """All that the images say; of a run without them, what its folder recorded."""
    results = report.results
    if results is None:
        return _recorded_sections(report)
    names = report.class_names
    return [
        Section("Results", _accuracy(results, report)),
        Section("Confusion", _confusion(results, names)),
        Section("Classes", _classes(results.classes)),
        Section("Calibration", _calibration(results)),
        Section("Worst images", _worst(results.worst)),
        *_explained(report.heat_maps),
    ]


def _accuracy(results: Results, report: RunReport) -> list[Block]:
    rows = [
        [f"top-{k}", percent(share.value), between(share.interval), f"{share.right:,} of {share.total:,}"]
        for k, share in results.accuracies.items()
    ]
    balanced = percent(balanced_accuracy(results.classes))
    rows += [["balanced accuracy", balanced, "–", "–"], ["cross-entropy, nats", f"{results.loss:.4f}", "–", "–"]]
    name = "the network" if report.checkpoint is None else report.checkpoint.name
    raw = ", the raw weights instead of their average" if report.wanted.weights == "raw" else ""
    table = HtmlTable(f"figures of {name}{raw}", ("figure", "value", "95 % interval (Wilson)", "images"), rows)
    notes = [Text(f"{note}.") for note in (results.line.removeprefix("data: "), *results.notes)]
    return [*notes, *(Text(f"{warning}.", warning=True) for warning in results.warnings), table]


def _confusion(results: Results, names: Sequence[str]) -> list[Block]:
    rows = [
        [pair.true, pair.said, str(pair.images), percent(pair.share), ", ".join(_base(place) for place in pair.places)]
        for pair in results.pairs
    ]
    columns = ("true", "said", "images", "of the class", "such as")
    pairs = HtmlTable("the most frequent mistakes", columns, rows, words=(0, 1, 4))
    if len(names) > MATRIX_UP_TO:
        figure = confusion_figure(results.matrix, names)
        svg = inline_svg(figure, "confusion", "confusion matrix", "The table below names the most frequent mistakes.")
        return [Figure(f"Confusion of {len(names)} classes: rows are true, columns said.", [svg], pairs)]
    counts = results.matrix
    shades = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).tolist()
    cells = [[name, *(str(count) if count else "" for count in row)] for name, row in zip(names, counts, strict=True)]
    caption = "images by true class (rows) and said class (columns); color: share of the true class, in red of mistakes"
    table = HtmlTable(caption, ("true \\ said", *names), cells, words=(), shades=shades, upright=True)
    return [table, pairs] if rows else [table, Text("No image was called another class.")]


def _classes(scores: Sequence[ClassScore]) -> list[Block]:
    first = _class_table(f"{len(scores)} classes, the lowest recall first", scores)
    if len(scores) <= CLASSES_SHOWN:
        return [first]
    worst = _class_table(f"the {CLASSES_SHOWN} classes with the lowest recall", scores[:CLASSES_SHOWN])
    return [worst, HtmlTable(f"all {first.caption}", first.columns, first.rows, first.words, folded=True)]


def _class_table(caption: str, scores: Sequence[ClassScore]) -> HtmlTable:
    rows, recalls = [], []
    for score in scores:
        right = round(score.recall * score.images) if score.images else 0
        interval = between(wilson_interval(right, score.images)) if score.images else "–"
        confused = f"{score.confused_with} ({score.confused})" if score.confused_with else "–"
        figures = [percent(value) for value in (score.precision, score.f1)]
        rows.append([score.name, str(score.images), percent(score.recall), interval, *figures, confused])
        recalls.append(score.recall if score.images else 0.0)
    columns = ("class", "images", "recall", "95 % interval", "precision", "F1", "most often called instead")
    return HtmlTable(caption, columns, rows, words=(0, 6), bars={2: recalls})


def _calibration(results: Results) -> list[Block]:
    figures, bins = results.calibration, results.bins
    facts = [
        ["expected calibration error (ECE)", percent(figures.ece)],
        ["mean confidence", percent(figures.confidence)],
        ["accuracy", percent(figures.accuracy)],
        ["negative log-likelihood, nats", f"{figures.log_loss:.4f}"],
        ["Brier score", f"{figures.brier:.4f}"],
    ]
    columns = bins.counts.tolist(), bins.confidence.tolist(), bins.accuracy.tolist()
    panel = ReliabilityPanel(f"as trained: ECE {percent(figures.ece)}", *columns)
    svg = inline_svg(reliability_figure([panel]), "reliability", "reliability diagram", "The table below has its bins.")
    width = 1 / len(columns[0])
    rows = [
        [f"{number * width:.2f} to {(number + 1) * width:.2f}", str(count), percent(confidence), percent(accuracy)]
        for number, (count, confidence, accuracy) in enumerate(zip(*columns, strict=True))
        if count
    ]
    names = ("confidence", "images", "mean confidence", "accuracy")
    table = HtmlTable("bins of confidence that hold images", names, rows, folded=True)
    caption = "Whether confidence can be believed: accuracy by confidence, all images, without temperature scaling."
    return [HtmlTable(f"of {results.images:,} images", (), facts), Figure(caption, [svg], table)]


def _worst(images: Sequence[JudgedImage]) -> list[Block]:
    drawn = [_judged(image) for image in images if image.pixels is not None]
    caption = "The images with the highest loss; wrong answers are framed. Wrong labels show here first."
    columns = ("file", "true", "said", "probability", "loss")
    rows = [[each.place, each.true, each.said, _probability(each.probability), f"{each.loss:.3f}"] for each in images]
    table = HtmlTable("images with the highest loss", columns, rows, words=(0, 1, 2), folded=bool(drawn))
    return [Images(caption, drawn), table] if drawn else [table]


def _judged(image: JudgedImage) -> Image:
    assert image.pixels is not None
    said = f"said {image.said} {_probability(image.probability)}"
    lines = (f"true {image.true}", said, f"loss {image.loss:.2f}", _base(image.place))
    alt = f"{_base(image.place)}: true {image.true}, {said}"
    wrong = image.true != image.said
    return Image(data_uri(image.pixels), alt, lines, framed=wrong, coarse=is_coarse(image.pixels))


def _base(place: str) -> str:
    return place.rpartition("/")[2]


def _explained(heat_maps: HeatMaps | None) -> list[Section]:
    if heat_maps is None:
        return []
    drawn, rows = [], []
    for each in heat_maps.maps:
        probability = _probability(each.probability)
        lines = (f"for {each.explained} {probability}", f"true {each.true}", _base(each.place))
        alt = f"{heat_maps.method} of {_base(each.place)} for {each.explained}"
        wrong = each.true != each.explained
        drawn.append(Image(data_uri(each.pixels), alt, lines, framed=wrong, coarse=is_coarse(each.pixels)))
        rows.append([each.place, each.true, each.explained, probability])
    columns = ("file", "true", "explained", "probability")
    table = HtmlTable("explained images", columns, rows, words=(0, 1, 2), folded=True)
    caption = f"{heat_maps.method[:1].upper()}{heat_maps.method[1:]}. {heat_maps.reading}"
    return [Section("What it looks at", [Images(caption, drawn), table])]


def _recorded_sections(report: RunReport) -> list[Section]:
    """What the run wrote at its best validation."""
    files = report.files
    best, count = files.best, validated_images(files.recipe, files.data)
    rows = []
    for name, value in best.items():
        if name.startswith("val/"):
            share = Share(round(value * count), count) if "acc" in name and count else None
            rows.append([name, metric_text(name, value), between(share.interval) if share else "–"])
    columns = ("figure", "value", "95 % interval (Wilson)")
    table = HtmlTable("recorded at the best validation", columns, rows)
    results: list[Block] = [table] if rows else [Text("No validation was recorded.", warning=True)]
    matrix = _sheet(files, "confusion", "confusion matrix of the best validation; its counts are in the picture alone")
    worst = _sheet(files, WORST, "images with the highest loss at the best validation") if report.wanted.pixels else []
    listed = _recorded_worst(files.worst, folded=bool(worst))
    sections = (("Results", results), ("Confusion", matrix), ("Worst images", [*worst, *listed]))
    return [Section(heading, blocks) for heading, blocks in sections if blocks]


def _recorded_worst(images: Sequence[StoredImage], folded: bool) -> list[Block]:
    if not images:
        return []
    rows = [[each.file, each.true, each.said, _probability(each.probability), f"{each.loss:.3f}"] for each in images]
    columns = ("file", "true", "said", "probability", "loss")
    return [HtmlTable("images with the highest loss", columns, rows, words=(0, 1, 2), folded=folded)]


def _sheet(files: RunFiles, name: str, caption: str) -> list[Block]:
    """A picture of the run folder, smaller."""
    try:
        with Picture.open(files.folder / f"{name}.png") as picture:
            pixels = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    except OSError:
        return []
    return [Images(f"{caption}.", [Image(data_uri(thumbnail(pixels, SHEET)), printable(caption))], wide=True)]
