"""ONNX files: written by torch's exporter with their metadata inside, and run by ONNX Runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm, quiet, traceable
from lit_cnn.exporting.metadata import describe, input_entry
from lit_cnn.exporting.packages import require_packages
from lit_cnn.exporting.preprocessed import INPUT, OUTPUT
from lit_cnn.exporting.verifying import Run
from lit_cnn.run_folder.atomic import replacing

OLDEST_OPSET = 18
"""The first in which Resize can antialias, and the oldest that torch's exporter writes without converting."""


@dataclass(frozen=True)
class OnnxFile:
    """What was written: version of the operators and of the file's layout, and the number of operations."""

    path: Path
    opset: int
    ir_version: int
    nodes: int


def export_onnx(
    trained: Trained,
    path: str | Path,
    *,
    with_preprocessing: bool = True,
    batch: int | None = None,
    opset: int | None = None,
    license: str | None = None,
) -> OnnxFile:
    """Write a trained network as one ONNX file.

    Its input ``images`` is uint8 (N, H, W, C) of any height and width or, without preprocessing, float32
    (N, C, height, width); its output ``logits`` float32 (N, K).

    Args:
        trained: As ``lit_cnn.load_model`` gives it.
        path: The file, written whole or not at all.
        with_preprocessing: Resize, crop and normalize in the graph.
        batch: Images of each pass; None: any number.
        opset: Version of the operators, 18 or newer; None: that of torch's exporter.
        license: Of the weights, for the metadata; by default that of the published ones.

    Raises:
        ValueError: If the packages of the extra ``onnx`` are missing, the opset cannot be written, or the checkpoint
            does not say how images are prepared.
    """
    require_packages("onnx", "ONNX")
    form = GraphForm(with_preprocessing, batch, opset)
    check_opset(opset)
    model = _traced(trained, form)
    set_metadata(model, {**describe(trained, license), **input_entry(trained, form)})
    with replacing(Path(path)) as partial:
        partial.write_bytes(model.SerializeToString())
    return onnx_facts(Path(path), model)


def onnx_facts(path: Path, model: Any) -> OnnxFile:
    """What ``export_onnx`` says of the ``onnx.ModelProto`` in a file."""
    (opset,) = (entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    return OnnxFile(path, opset, model.ir_version, len(model.graph.node))


def _traced(trained: Trained, form: GraphForm) -> Any:
    traced = traceable(trained, form)
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            traced.module,
            (traced.example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=form.opset,
            dynamic_shapes=(traced.axes,),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def check_opset(opset: int | None) -> None:
    """Refuse versions that cannot be written, before minutes of tracing."""
    import onnx

    newest = onnx.defs.onnx_opset_version()
    if opset is not None and not OLDEST_OPSET <= opset <= newest:
        raise ValueError(f"--opset is {opset} but must lie between {OLDEST_OPSET} and {newest}")


def set_metadata(model: Any, entries: Mapping[str, str]) -> None:
    """Make ``entries`` the metadata of an ``onnx.ModelProto``, which a session shows as ``custom_metadata_map``."""
    from onnx import helper

    helper.set_model_props(model, dict(entries))
    model.producer_name, model.producer_version = "lit-cnn", entries["lit_cnn_version"]


def open_onnx(path: Path) -> Run:
    """The file in ONNX Runtime on the CPU, with as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run([OUTPUT], {INPUT: images.contiguous().numpy()})[0])
