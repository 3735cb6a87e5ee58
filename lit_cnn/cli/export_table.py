"""What ``lit-cnn export`` prints: the network, and the files that were made from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import number, percent
from lit_cnn.cli.tables import Column, Table

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.trained import Trained
    from lit_cnn.exporting.exporting import Exported
    from lit_cnn.exporting.graph import GraphForm
    from lit_cnn.exporting.latency import Latency


def results_table(
    trained: Trained, form: GraphForm, files: Sequence[Exported], measured: Latency | None, busy: str
) -> Table:
    """The network, and below it each file."""
    first = files[0].verification
    columns = (
        *(Column("file", "name"), Column("MB"), Column("same class"), Column("largest difference", rank=1)),
        *(Column("top-1"), Column("ms")),
    )
    eager = number(measured.network_ms) if measured else "–"
    rows = [["network", megabytes(weight_bytes(trained)), "", "", accuracy(first.network_accuracy), eager]]
    for place, each in enumerate(files):
        found = each.verification
        agreed, ms = f"{found.agreed} of {found.images}", number(measured.file_ms[place]) if measured else "–"
        rows.append(
            [each.path.name, megabytes(each.size), agreed, f"{found.difference:.1e}", accuracy(found.accuracy), ms]
        )
    notes = [f"the largest logit of the network is {first.logit:.3g}"]
    if first.levels is not None:
        notes.append(f"prepared pixels differ from predict's by at most {first.levels} of 255 levels")
    if first.ties:
        notes.append(
            f"near ties: the network itself gives the file's class to {first.ties} of the other images on the pixels "
            "that the graph prepares"
        )
    if facts := files[0].facts:
        notes.append(f"opset {facts['opset']}, IR version {facts['ir_version']}, {facts['nodes']} operations")
    for each in files[1:]:
        bits = each.facts["weight_bits"]
        notes.append(f"{each.path.name}: activations of 8 bits, weights of {bits}, per channel, calibrated")
    if measured is not None:
        notes.append(f"input {input_words(trained, form)}; {measured.condition}{busy}")
    return Table(columns, rows, notes=notes)


def input_words(trained: Trained, form: GraphForm) -> str:
    known, batch = trained.preprocessing, form.batch or "N"
    if form.with_preprocessing:
        return f"uint8 ({batch}, H, W, {known.in_channels})"
    return f"float32 ({batch}, {known.in_channels}, {known.image_size[0]}, {known.image_size[1]}), normalized"


def report(trained: Trained, files: Sequence[Exported], measured: Latency | None) -> dict[str, Any]:
    """The figures of the table in built-in types."""
    first = files[0].verification
    network = {
        "bytes": weight_bytes(trained),
        "accuracy": first.network_accuracy,
        "ms": measured.network_ms if measured else None,
    }
    rows = [
        {
            "path": str(each.path),
            "bytes": each.size,
            "images": each.verification.images,
            "agreed": each.verification.agreed,
            "near_ties": each.verification.ties,
            "largest_difference": each.verification.difference,
            "levels": each.verification.levels,
            "accuracy": each.verification.accuracy,
            "ms": measured.file_ms[place] if measured else None,
            **each.facts,
        }
        for place, each in enumerate(files)
    ]
    return {"network": network, "files": rows, "condition": measured.condition if measured else None}


def weight_bytes(trained: Trained) -> int:
    return sum(value.numel() * value.element_size() for value in trained.network.state_dict().values())


def megabytes(size: int) -> str:
    return f"{size / 1e6:.2f}"


def accuracy(value: float | None) -> str:
    return "–" if value is None else percent(value)
