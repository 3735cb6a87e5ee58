"""The page of a run says what the run is, and keeps to its size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fitted_run import FittedRun
from html_checks import PageReader

from lit_cnn.evaluation.calibration import calibration_figures, confidence_bins
from lit_cnn.evaluation.scores import class_scores, confusion_matrix
from lit_cnn.handover.explained import explain_worst
from lit_cnn.handover.facts import RunReport, Wanted, gather
from lit_cnn.handover.page import LARGEST, report_html
from lit_cnn.handover.results import ConfusedPair, JudgedImage, Results, Share
from lit_cnn.handover.training_part import trained_section
from lit_cnn.reports.html_page import Page, Section, Text, render


@pytest.fixture(scope="module")
def report(fitted: FittedRun) -> RunReport:
    return gather(fitted.folder, Wanted(speed=False, explain=explain_worst))


@pytest.fixture(scope="module")
def html(report: RunReport) -> str:
    return report_html(report, None, "made by a test")


def many_classes(report: RunReport, classes: int, side: int = 24) -> RunReport:
    """The same run with results of so many classes, of two images each, drawn at random."""
    names = tuple(f"class <{number}>" for number in range(classes))
    labels = torch.arange(classes).repeat_interleave(2)
    probabilities = torch.rand(2 * classes, classes, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    matrix = confusion_matrix(probabilities.argmax(dim=1), labels, classes).numpy()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 3, side, side), dtype=np.uint8)
    worst = [JudgedImage(n, f"/a/{n}.png", names[0], names[1], 0.5, 3.0, pixels[n]) for n in range(24)]
    results = Results(
        "val", "random answers", {1: Share(3, 2 * classes)}, 3.0, matrix, class_scores(probabilities, labels, names),
        calibration_figures(probabilities, labels), confidence_bins(probabilities, labels), worst,
        [ConfusedPair(names[0], names[1], 2, 1.0, ("/a/0.png",))],
    )  # fmt: skip
    return replace(report, results=results, class_names=names, heat_maps=None)


def test_nothing_is_wrong_with_the_page(html: str) -> None:
    assert PageReader(html).what_is_wrong(html) == []


def test_its_parts_come_in_the_order_of_the_questions(html: str) -> None:
    assert [text for _, text in PageReader(html).headings] == [
        *("tiny", "Summary", "What was trained", "Training curves", "Results", "Confusion", "Classes", "Calibration"),
        *("Worst images", "What it looks at", "Network", "Data", "Environment", "To repeat it"),
    ]


def test_its_figures_are_the_runs(html: str, report: RunReport) -> None:
    read, results = PageReader(html), report.results
    assert results is not None
    assert report.count is not None
    top = results.accuracies[1]
    low, high = (f"{100 * end:.1f}" for end in top.interval)
    assert read.row("top-1")[1:] == [f"{100 * top.value:.2f} %", f"{low} to {high} %", f"{top.right} of 12"]
    assert read.row("cross-entropy, nats")[1] == f"{results.loss:.4f}"
    assert read.row("expected calibration error (ECE)")[1] == f"{100 * results.calibration.ece:.2f} %"
    assert read.row("total")[2] == f"{report.count.params:,}"
    assert read.row("total")[4] == f"{report.count.madds:,}"
    assert read.row("validation images")[1] == "12 (given)"
    assert read.row("python")[1] == report.files.environment["python"]
    assert read.row("checkpoints/best.ckpt")[2] == report.stored[0].sha256
    best = report.files.best
    assert read.row(f"{best['epoch'] + 1:g} (best)")[1:][0] != "–"


def test_each_count_of_the_matrix_stands_in_its_cell(html: str, report: RunReport) -> None:
    assert report.results is not None
    rows = [row for row in PageReader(html).rows if len(row) == 4]
    for name, counts in zip(report.class_names, report.results.matrix.tolist(), strict=True):
        assert [name, *(str(count) if count else "" for count in counts)] in rows


def test_each_figure_has_its_table_and_each_image_its_name(html: str, report: RunReport) -> None:
    read = PageReader(html)
    assert report.results is not None
    assert read.tags.count("figure") == read.tags.count("figcaption") == 4  # curves, reliability, worst, explained
    for image in report.results.worst:
        assert f"{Path(image.place).name}: true {image.true}, said {image.said}" in str(read.images)
        assert read.row(image.place)[1:3] == [image.true, image.said]


def test_other_weights_and_images_are_named_and_asked_again(report: RunReport, fitted: FittedRun) -> None:
    wanted = Wanted(data="/new photos", weights="raw", trust=("own.Net",))
    html = report_html(replace(report, wanted=wanted), None, "made by a test")
    flags = "--trust own.Net --weights raw"
    read = PageReader(html)
    assert f"lit-cnn validate {fitted.folder} --per-class --data '/new photos' {flags}" in read.text
    assert f"lit-cnn predict {fitted.folder} IMAGES… {flags}" in read.text
    assert "12 validation images of /new photos" in read.row("result")[1]
    assert read.row("result")[1].endswith("of the raw weights")
    assert "figures of best.ckpt, the raw weights instead of their average" in read.text


def test_the_commands_repeat_the_run(html: str, fitted: FittedRun) -> None:
    assert f"lit-cnn fit --config {fitted.folder / 'config.yaml'}" in html
    assert f"lit-cnn validate {fitted.folder} --per-class" in html
    assert "lit-cnn fit --config" in html
    assert "architecture: cifar_resnet8" in html


@pytest.mark.slow
def test_without_images_the_rest_stays(report: RunReport) -> None:
    assert report.results is not None
    bare = [replace(image, pixels=None) for image in report.results.worst]
    results = replace(report.results, worst=bare)
    html = report_html(replace(report, results=results, heat_maps=None), None, "")
    read = PageReader(html)
    assert read.images == []
    assert read.row(bare[0].place)[1] == bare[0].true
    assert read.what_is_wrong(html) == []


@pytest.mark.slow
def test_without_results_the_page_shows_what_the_run_recorded(report: RunReport) -> None:
    missing = replace(report, results=None, heat_maps=None, missing=("the images are <gone>",))
    html = report_html(missing, None, "")
    read = PageReader(html)
    assert read.what_is_wrong(html) == []
    assert "the images are <gone>." in read.text
    best = report.files.best["val/acc1"]
    assert read.row("val/acc1")[1] == f"{100 * best:.2f} %"
    assert " to " in read.row("val/acc1")[2]
    assert [image["alt"].split()[0] for image in read.images if image["alt"]] == ["confusion", "images"]
    assert read.row(report.files.worst[0].file)[1] == report.files.worst[0].true


@pytest.mark.slow
def test_of_many_classes_the_pairs_are_the_table_and_the_matrix_a_picture(report: RunReport) -> None:
    html = report_html(many_classes(report, 120), None, "")
    read = PageReader(html)
    assert read.what_is_wrong(html) == []
    assert "Confusion of 120 classes" in read.text
    assert ["class <0>", "class <1>", "2", "100.00 %", "0.png"] in read.rows
    assert max(map(len, read.rows)) < 20
    assert "the 50 classes with the lowest recall" in read.text
    assert sum(row[0].startswith("class <") and len(row) == 7 for row in read.rows) == 50 + 120


@pytest.mark.slow
def test_images_are_left_out_where_the_page_would_be_too_large(
    report: RunReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = many_classes(report, 3, side=60)
    whole = report_html(few, None, "")
    monkeypatch.setattr("lit_cnn.handover.page.LARGEST", len(whole.encode()) - 1)
    fewer = PageReader(report_html(few, None, ""))
    assert len(fewer.images) == 12
    assert "12 of 24 images are left out, since the page would be too large." in fewer.text
    monkeypatch.setattr("lit_cnn.handover.page.LARGEST", 10)
    with pytest.raises(ValueError, match="without images, and at most 2 can be sent"):
        report_html(few, None, "")
    assert LARGEST == 2_000_000


def changes_of(report: RunReport, **environment: object) -> str:
    files = report.files
    record = replace(files.record, environment={**files.environment, **environment})
    blocks = trained_section(replace(report, files=replace(files, record=record))).blocks
    return render(Page("t", "", [Section("s", blocks)]))


def test_what_the_run_changed_is_a_table_of_keys(report: RunReport) -> None:
    html = changes_of(report, changed={"data.batch_size": [64, 8], "model.initial.checkpoint": [None, "<a>.ckpt"]})
    read = PageReader(html)
    assert read.row("data.batch_size") == ["data.batch_size", "64", "8"]
    assert read.row("model.initial.checkpoint")[1:] == ["null", "<a>.ckpt"]
    assert "changed nothing" in PageReader(changes_of(report, changed={})).text


def test_an_older_run_does_not_say_what_it_changed(report: RunReport) -> None:
    files = replace(report.files, record=replace(report.files.record, environment={"python": "3.10"}))
    blocks = trained_section(replace(report, files=files)).blocks
    assert Text("What the run changed of its recipe is not recorded.", warning=True) in blocks
