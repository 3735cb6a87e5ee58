"""torch.export's files (.pt2): a graph that torch runs without this package, in the version of torch that wrote it."""

import io
from pathlib import Path

import torch

from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm, quiet, traceable
from lit_cnn.exporting.metadata import describe, input_entry
from lit_cnn.exporting.verifying import Run
from lit_cnn.run_folder.atomic import replacing


def export_torch(trained: Trained, path: str | Path, form: GraphForm, license: str | None = None) -> None:
    """Write a trained network as an ``ExportedProgram``, with its metadata as extra files.

    Raises:
        ValueError: If the checkpoint does not say how images are prepared.
    """
    traced = traceable(trained, form)
    content = io.BytesIO()
    with quiet(), torch.no_grad():
        program = torch.export.export(traced.module, (traced.example,), dynamic_shapes=(traced.axes,))
        entries = {**describe(trained, license), **input_entry(trained, form)}
        torch.export.save(program, content, extra_files=entries)
    with replacing(Path(path)) as partial:
        partial.write_bytes(content.getvalue())


def open_torch(path: Path) -> Run:
    """The program of the file."""
    with quiet():
        module = torch.export.load(io.BytesIO(path.read_bytes())).module()
    return torch.no_grad()(module)
