"""ONNX files in 8-bit integers: static quantization in QDQ form, per channel, calibrated on real images.

Dynamic quantization is not offered: it measures activations at each pass, which makes depthwise convolutions slow and
inaccurate.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lit_cnn.data.preprocessing import evaluate_images
from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.graph import GraphForm, quiet
from lit_cnn.exporting.onnx_file import set_metadata
from lit_cnn.exporting.preprocessed import INPUT
from lit_cnn.exporting.real_images import RealImages
from lit_cnn.exporting.verifying import Verification, graph_input
from lit_cnn.run_folder.atomic import replacing

AGREEMENT, LOSS = 0.90, 0.03
"""Least share of images with the network's class, and most that may be lost of the accuracy."""
CALIBRATION_IMAGES = 128
"""Images from which the ranges of activations are read, at most."""
WEIGHTED = ("Conv", "Gemm", "MatMul")
"""Operations with weights, whose inputs and outputs become integers."""


def check_int8(found: Verification, name: str) -> None:
    """Refuse an int8 file that agrees less than ``AGREEMENT``, or loses more accuracy than ``LOSS``.

    Raises:
        ValueError: With both figures; also where the images have no labels.
    """
    if found.accuracy is None or found.network_accuracy is None:
        raise ValueError(
            f"{name} was not written, since its accuracy is unknown: pass --data with a folder for each class"
        )
    lost = found.network_accuracy - found.accuracy
    if found.agreed < AGREEMENT * found.images or lost > LOSS + 1e-9:
        raise ValueError(
            f"{name} was not written, since it gives the network's class to {found.agreed} of {found.images} images "
            f"({100 * AGREEMENT:g} % are required) and loses {100 * lost:.2f} points of accuracy ({100 * LOSS:g} are "
            "allowed): calibrate with other images, or keep the float32 file"
        )


def quantize(model: Path, path: Path, trained: Trained, form: GraphForm, calibration: RealImages) -> bool:
    """Write the int8 file of an ONNX file.

    Resizing and normalizing stay in float32: in integers they would lose what 8-bit weights do not.

    Args:
        model: The float32 file.
        path: The new one, written whole or not at all.
        trained: What the file was made from.
        form: Of the file.
        calibration: Images of the training set, or like it.

    Returns:
        Whether weights have 7 bits, as on processors that would overflow otherwise.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quant_pre_process, quantize_static

    reduce_range = not multiplies_int8()
    with tempfile.TemporaryDirectory() as folder, quiet(), without_advice(), replacing(path) as partial:
        prepared, quantized = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(quantized),
            CalibrationReader(calibration_inputs(trained, form, calibration)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=reduce_range,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=nodes_before_weights(onnx.load(str(prepared))),
            calibration_providers=["CPUExecutionProvider"],
        )
        result = onnx.load(str(quantized))
        entries = {entry.key: entry.value for entry in onnx.load(str(model), load_external_data=False).metadata_props}
        set_metadata(result, {**entries, "quantization": "int8, static, QDQ, per channel"})
        partial.write_bytes(result.SerializeToString())
    return reduce_range


def multiplies_int8() -> bool:
    """Whether the processor adds products of 8-bit integers in 32 bits (VNNI and the like). Others add pairs in 16,
    which overflow unless weights have 7."""
    known = torch.cpu.get_capabilities()
    return any(known.get(name) for name in ("avx512_vnni", "avx_vnni", "avx512_vnni_int8", "dotprod", "i8mm"))


@dataclass
class CalibrationReader:
    """What ``quantize_static`` asks for inputs, one after the other, until it gets None."""

    inputs: Iterator[dict[str, Any]]

    def get_next(self) -> dict[str, Any] | None:
        return next(self.inputs, None)


def calibration_inputs(trained: Trained, form: GraphForm, images: RealImages) -> Iterator[dict[str, Any]]:
    """Inputs of a file of the form, one image each or as many as it takes."""
    known = trained.preprocessing
    for pixels, _ in images.decoded(known.in_channels):
        for one in pixels.split(1):
            several = one.expand(form.batch or 1, -1, -1, -1)
            yield {INPUT: graph_input(trained, form, several, evaluate_images(several, known)).contiguous().numpy()}


def nodes_before_weights(model: Any) -> list[str]:
    """Names of the nodes that no weighted operation comes before: the preprocessing."""
    reached: set[str] = set()
    before = []
    for node in model.graph.node:  # in topological order
        if node.op_type in WEIGHTED or reached.intersection(node.input):
            reached.update(node.output)
        else:
            before.append(node.name)
    return before


@contextmanager
def without_advice() -> Iterator[None]:
    """Within, ``onnxruntime.quantization`` does not log its advice to preprocess, which was done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
