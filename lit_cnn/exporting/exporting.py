"""A trained network as a file of some format, verified before it takes its name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.trained import Trained
from lit_cnn.exporting.executorch_file import export_executorch, open_executorch
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.onnx_file import export_onnx, open_onnx
from lit_cnn.exporting.quantizing import check_int8, quantize
from lit_cnn.exporting.real_images import RealImages
from lit_cnn.exporting.safetensors_file import export_safetensors, open_safetensors
from lit_cnn.exporting.torch_export_file import export_torch, open_torch
from lit_cnn.exporting.verifying import Run, Verification, verify
from lit_cnn.run_folder.atomic import replacing

Format = Literal["safetensors", "onnx", "torch-export", "executorch"]
ENDINGS: Mapping[Format, str] = {
    "safetensors": ".safetensors",
    "onnx": ".onnx",
    "torch-export": ".pt2",
    "executorch": ".pte",
}
"""Format -> what its files end in."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: Where.
        size: In bytes.
        verification: Against the network.
        run: The file in its runtime.
        facts: What else is known of it: of ONNX opset, ir_version and nodes; of int8 whether weights have 7 bits.
    """

    path: Path
    size: int
    verification: Verification
    run: Run
    facts: dict[str, int] = field(default_factory=dict)


def export_verified(
    trained: Trained,
    path: Path,
    kind: Format,
    form: GraphForm,
    images: RealImages,
    *,
    license: str | None = None,
    advance: Advance = lambda _: None,
) -> Exported:
    """Write a file and compare it with the network; where they disagree, no file is left.

    Args:
        trained: On the CPU.
        path: The file.
        kind: Its format.
        form: Of its graph; safetensors holds weights alone, which take normalized crops.
        images: Real ones.
        license: Of the weights, for the metadata.
        advance: Called as images are compared.

    Raises:
        ValueError: If it cannot be written, or agrees less than ``AGREEMENT``.
    """
    facts: dict[str, int] = {}
    with replacing(path) as partial:
        if kind == "onnx":
            settings = {"with_preprocessing": form.with_preprocessing, "batch": form.batch, "opset": form.opset}
            written = export_onnx(trained, partial, **settings, license=license)  # type: ignore[arg-type]
            facts = {"opset": written.opset, "ir_version": written.ir_version, "nodes": written.nodes}
            run = open_onnx(partial)
        elif kind == "torch-export":
            export_torch(trained, partial, form, license)
            run = open_torch(partial)
        elif kind == "executorch":
            export_executorch(trained, partial, form, license)
            run = open_executorch(partial)
        else:
            export_safetensors(trained, partial, license)
            run = open_safetensors(partial, trained.network)
        verification = verify(trained, run, form, images, advance)
        verification.check(str(path))
        size = partial.stat().st_size
    return Exported(path, size, verification, run, facts)


def int8_verified(
    trained: Trained,
    exported: Exported,
    form: GraphForm,
    calibration: RealImages,
    images: RealImages,
    *,
    advance: Advance = lambda _: None,
) -> Exported:
    """Write the int8 file of an ONNX file next to it, ending in ``.int8.onnx``, and compare it with the network.

    Args:
        trained: What the file was made from.
        exported: The float32 file.
        form: Of both.
        calibration: Images that were trained on, or like them.
        images: Labeled ones to compare on.
        advance: Called as images are compared.

    Raises:
        ValueError: If it agrees or recognizes too little (see ``check_int8``); it is not written then.
    """
    path = exported.path.with_suffix(".int8.onnx")
    with replacing(path) as partial:
        reduced = quantize(exported.path, partial, trained, form, calibration)
        run = open_onnx(partial)
        verification = verify(trained, run, form, images, advance)
        check_int8(verification, str(path))
        size = partial.stat().st_size
    return Exported(path, size, verification, run, {"weight_bits": 7 if reduced else 8})
