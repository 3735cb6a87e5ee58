"""Writes ``lit_cnn/pretrained/data/published.csv`` from the installed timm and torchvision.

    python tests/pretrained/published.py > published.csv && mv published.csv lit_cnn/pretrained/data/

The accuracies of timm's weights are not in its package: they are kept from the file as it is.
"""

import csv
import io
import sys
from typing import Any

import torch

from lit_cnn.architectures.catalog import CATALOG, find_entry
from lit_cnn.pretrained.references import REFERENCES
from lit_cnn.pretrained.sources import MEASURED, library_rows, published

COLUMNS = (
    *("architecture", "library", "name", "tag", "default", "params", "image_size", "resize", "resize_mode"),
    *("interpolation", "mean", "std", "top1", "top5", "real_top1", "license", "url"),
)


def rows() -> list[dict[str, Any]]:
    """In the order of the catalog; options of ours that change no name make one row."""
    kept = {row.spec: row for row in published()}
    order = [entry.name for entry in CATALOG]
    pairs = dict.fromkeys((row.name, row.library, row.other) for row in REFERENCES if row.published)
    found = []
    for name, library, other in sorted(pairs, key=lambda pair: order.index(pair[0])):
        for row in library_rows(library, other):
            known = kept.get(f"{library}:{other}.{row['tag']}")
            if known is not None:
                row = {"top1": known.top1, "top5": known.top5, "real_top1": known.real_top1, **row}
            found.append(
                {"architecture": name, "library": library, "name": other, "params": find_entry(name).params, **row}
            )
    return found


def cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list | tuple):
        return " ".join(f"{number:g}" for number in value)
    return "" if value is None else str(value)


def text() -> str:
    out = io.StringIO()
    out.write(f"# Accuracies of timm's weights: {MEASURED}. The rest: metadata of timm and torchvision.\n")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows():
        writer.writerow({name: cell(row.get(name)) for name in COLUMNS})
    return out.getvalue()


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write(text())
