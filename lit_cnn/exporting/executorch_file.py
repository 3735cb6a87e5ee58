"""ExecuTorch programs (.pte) for phones and boards, computed by XNNPACK; run here by ExecuTorch's Python runtime."""

import json
from pathlib import Path

import torch
from torch import Tensor

from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm, quiet, traceable
from lit_cnn.exporting.metadata import describe, input_entry
from lit_cnn.exporting.packages import require_packages
from lit_cnn.exporting.verifying import Run
from lit_cnn.run_folder.atomic import replacing


def export_executorch(trained: Trained, path: str | Path, form: GraphForm, license: str | None = None) -> None:
    """Write a trained network as an ExecuTorch program; its constant method ``metadata`` returns JSON.

    Args:
        trained: The network.
        path: The file, written whole or not at all.
        form: Without preprocessing and of a fixed batch: XNNPACK has no resizing with antialiasing.
        license: Of the weights, for the metadata.

    Raises:
        ValueError: If ExecuTorch is not installed, or the form is another.
    """
    require_packages("executorch", "ExecuTorch")
    if form.with_preprocessing or form.batch is None:
        raise ValueError("an ExecuTorch program takes normalized crops of a fixed batch")
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    traced = traceable(trained, form)
    module = traced.module.to(memory_format=torch.contiguous_format)  # a pass of ExecuTorch fails on channels_last
    entries = {**describe(trained, license), **input_entry(trained, form)}
    with quiet(), torch.no_grad():
        program = torch.export.export(module, (traced.example,))
        methods = {"metadata": json.dumps(entries)}
        edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()], constant_methods=methods)
        content = edge.to_executorch().buffer
    with replacing(Path(path)) as partial:
        partial.write_bytes(content)


def open_executorch(path: Path) -> Run:
    """The file in ExecuTorch's runtime."""
    from executorch.runtime import Runtime

    content = path.read_bytes()
    forward = Runtime.get().load_program(content).load_method("forward")
    assert forward is not None

    def run(images: Tensor, _: bytes = content) -> Tensor:  # the runtime reads the bytes, and does not keep them
        return forward.execute([images.contiguous()])[0].clone()  # the next pass writes over its output

    return run
