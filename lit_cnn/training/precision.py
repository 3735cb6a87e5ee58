"""Which number format a run computes in: what ``trainer.precision: auto`` means on this machine, and why.

Mixed precision in bfloat16 doubles the speed of dense convolutions where the processor has instructions for it. A CPU
without them computes bfloat16 in software, several times slower than float32.
"""

import os
import statistics
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from lit_cnn.torch_internals import onednn_has_bf16

PrecisionName = Literal[
    "auto", "32-true", "bf16-mixed", "16-mixed", "64-true", "bf16-true", "16-true", "bf16", "16", "32", "64"
]
Precision = PrecisionName | int | None
"""What a recipe may state: auto, or one of Lightning's, which takes 16, 32 and 64 as numbers and null for 32-true."""
DeviceKind = Literal["cpu", "cuda", "mps", "other"]
HALF = ("bf16-mixed", "bf16-true", "bf16", "16-mixed", "16-true", "16", 16)
"""Precisions that are bfloat16 on a CPU, where Lightning has no float16 mixed precision."""
ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Limit of oneDNN's instructions; the second is its older name, which oneDNN reads where the first is unset."""
WITHOUT_BF16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI")
"""Limits below the first that has products of bfloat16 numbers, AVX512_CORE_BF16."""


@dataclass(frozen=True)
class PrecisionChoice:
    """A precision for this machine.

    Args:
        precision: One that Lightning knows; never auto.
        reason: Why this one.
        emulated: Whether this machine's CPU computes it in software.
    """

    precision: Precision
    reason: str
    emulated: bool = False

    def __str__(self) -> str:
        return f"precision: {self.precision or '32-true'}, {self.reason}"


def choose_precision(stated: Precision, accelerator: object = "auto", stated_by: str = "the recipe") -> PrecisionChoice:
    """What a run computes in on this machine.

    Args:
        stated: ``trainer.precision``; null is Lightning's float32.
        accelerator: ``trainer.accelerator``.
        stated_by: Who wants a precision other than auto.
    """
    kind = device_kind(accelerator)
    if stated != "auto":
        emulated = stated in HALF and missing_bf16(accelerator) is not None
        return PrecisionChoice(stated, f"as {stated_by} states", emulated)
    if kind == "cuda":
        return _of_gpus()
    if kind == "cpu":
        missing = missing_bf16()
        if missing:
            return PrecisionChoice("32-true", f"because {missing}")
        return PrecisionChoice("bf16-mixed", "because this CPU has bfloat16 instructions")
    return PrecisionChoice(
        "32-true", "the default on an Apple GPU" if kind == "mps" else f"the default on {accelerator}"
    )


def device_kind(accelerator: object) -> DeviceKind:
    """The devices that Lightning takes for ``trainer.accelerator``."""
    name = str(accelerator).lower()
    if name in ("gpu", "auto"):
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    return name if name in ("cpu", "cuda", "mps") else "other"  # type: ignore[return-value]


def _of_gpus() -> PrecisionChoice:
    """By the oldest of this machine's GPUs: bfloat16 from compute capability 8.0, float16 from 7.0."""
    capability, name = min(
        (torch.cuda.get_device_capability(number), torch.cuda.get_device_name(number))
        for number in range(torch.cuda.device_count())
    )
    precision: Precision = "bf16-mixed" if capability >= (8, 0) else "16-mixed" if capability >= (7, 0) else "32-true"
    return PrecisionChoice(precision, f"because {name} has compute capability {capability[0]}.{capability[1]}")


def missing_bf16(accelerator: object = "cpu") -> str | None:
    """Why bfloat16 would be computed in software on the CPU; None on another device or with instructions for it.

    oneDNN's own check alone is not enough: it says whether the type is supported, which AVX-512 without BF16 emulates.
    torch's capabilities alone are not enough either: they are the processor's, whatever oneDNN is limited to.
    """
    if device_kind(accelerator) != "cpu":
        return None
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    if not any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16")):
        return "this CPU has no bfloat16 instructions (AVX-512 BF16 or AMX)"
    variable = next((name for name in ISA_VARIABLES if os.environ.get(name)), "")
    limit = os.environ.get(variable, "").upper()
    if limit in WITHOUT_BF16:
        return f"{variable}={limit} switches this CPU's bfloat16 instructions off"
    if not torch.backends.mkldnn.is_available() or not onednn_has_bf16():
        return "oneDNN does not use this CPU's bfloat16 instructions"
    return None


def emulation_warning(choice: PrecisionChoice) -> str | None:
    """A sentence with the measured factor where ``choice`` is computed in software; None elsewhere."""
    if not choice.emulated:
        return None
    return (
        f"warning: trainer.precision {choice.precision} is computed in software, because {missing_bf16()}: a "
        f"convolution measured now took {emulation_factor():.1f} times as long as in float32; "
        "--trainer.precision 32-true avoids that"
    )


def emulation_factor(rounds: int = 5) -> float:
    """Time of a small convolution's training step under bfloat16 autocast over that in float32, the median.

    Both take turns on images of 64 channels and 16x16 px; it takes well under a second.
    """
    layers = [nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1)]
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
    images = torch.ones(4, 64, 16, 16).to(memory_format=torch.channels_last)

    def seconds(bf16: bool) -> float:
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            outputs = network(images)
        outputs.float().sum().backward()
        return time.perf_counter() - started

    for bf16 in (True, False):
        seconds(bf16)  # the first plans
    return statistics.median(seconds(True) / seconds(False) for _ in range(rounds))


def evaluation_precision(trained_in: Any) -> PrecisionChoice:
    """The precision to evaluate a run in: its own, so that the figures are those of the run, or else float32.

    Args:
        trained_in: ``trainer.precision`` of the run.
    """
    choice = choose_precision(trained_in, stated_by="the run")
    without_float16 = str(trained_in).startswith("16") and device_kind("auto") == "cpu"
    if choice.emulated or without_float16:
        return PrecisionChoice("32-true", f"because this CPU has no instructions for the run's {trained_in}")
    return choice


def autocast(device: torch.device, bf16: bool) -> AbstractContextManager[Any]:
    """bfloat16 autocast on the device, or nothing."""
    return torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext()
