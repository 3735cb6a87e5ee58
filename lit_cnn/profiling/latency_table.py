"""A table of the time that each operation takes on one device, from which the latency of networks is predicted.

The prediction is the sum over a network's operations. It is the same on every machine that has the file, however busy
that machine is, so the workers of a search agree on it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from lit_cnn.architectures.meta import copy_on_meta
from lit_cnn.data.image_size import ImageSize
from lit_cnn.profiling.operations import Operation, operations_of
from lit_cnn.profiling.timing import TimingSettings, device_name, resolve_device
from lit_cnn.run_folder.atomic import replacing
from lit_cnn.training.precision import ISA_VARIABLES, missing_bf16

FORMAT = 1
Clock = Literal["wall", "processor"]
"""Time as on the wall; or the time that the processor computed, without the time that the process had to wait for it,
which is the same on an idle machine and one thread."""


@dataclass(frozen=True)
class Condition:
    """What the times of a table hold for.

    Args:
        device: "cpu" or "cuda".
        device_name: The processor's or GPU's.
        instructions: What the kernels use, such as "AVX512 with bfloat16".
        threads: Threads of one operation on the CPU; 0 on a GPU.
        batch_size: Images per batch.
        precision: "32-true" or "bf16-mixed".
        channels_last: Memory layout of images and weights.
        clock: What was read.
        torch: Its version.
    """

    device: str
    device_name: str
    instructions: str
    threads: int
    batch_size: int
    precision: str
    channels_last: bool
    clock: Clock
    torch: str

    def __str__(self) -> str:
        threads = f", {self.threads} thread{'s' * (self.threads != 1)}" if self.device == "cpu" else ""
        layout = "channels_last" if self.channels_last else "contiguous"
        return (
            f"{self.device_name} ({self.device}{threads}, {self.instructions}), {self.precision}, {layout}, batches of "
            f"{self.batch_size}, {self.clock} clock, torch {self.torch}"
        )


def condition_of(settings: TimingSettings, clock: Clock = "wall") -> Condition:
    """The condition of times that are measured now in this process.

    Raises:
        ValueError: If the device is missing, or several threads or a GPU are to be timed by the processor's clock.
    """
    device = resolve_device(settings.device)
    on_cpu = device.type == "cpu"
    threads = torch.get_num_threads() if on_cpu else 0
    if clock == "processor" and threads != 1:
        raise ValueError(
            "the processor clock adds up the time of all threads and does not see a GPU: set OMP_NUM_THREADS=1 and use "
            "the CPU, or use the wall clock"
        )
    instructions = _cpu_instructions() if on_cpu else "sm_{}{}".format(*torch.cuda.get_device_capability(device))
    return Condition(
        device=device.type,
        device_name=device_name(device),
        instructions=instructions,
        threads=threads,
        batch_size=settings.batch_size,
        precision=settings.precision,
        channels_last=settings.channels_last,
        clock=clock,
        torch=torch.__version__,
    )


def _cpu_instructions() -> str:
    limits = [f"limited to {os.environ[name]}" for name in ISA_VARIABLES if name in os.environ]
    bf16 = "without" if missing_bf16() else "with"
    return " ".join([f"{torch.backends.cpu.get_cpu_capability()} {bf16} bfloat16", *limits[:1]])


@dataclass(frozen=True)
class Row:
    """The time of one operation.

    Args:
        ms: Milliseconds per batch, the mean over networks.
        passes: Timed passes behind it.
        networks: Networks within which it was timed.
        date: The last day on which it was.
    """

    ms: float
    passes: int
    networks: int
    date: str

    def averaged(self, before: "Row | None") -> "Row":
        """With the time in the networks before."""
        if before is None:
            return self
        networks = before.networks + self.networks
        ms = (before.ms * before.networks + self.ms * self.networks) / networks
        return Row(ms, before.passes + self.passes, networks, self.date)


class LatencyTable:
    """Operation -> time under one condition.

    Args:
        condition: What the times hold for.
        rows: The times.
        source: Name of the file, for messages.
    """

    def __init__(self, condition: Condition, rows: Mapping[Operation, Row] | None = None, source: str = "") -> None:
        self.condition = condition
        self.rows = dict(rows or {})
        self.source = source or "the latency table"

    def predict(self, network: nn.Module, image_size: ImageSize, in_channels: int = 3) -> float:
        """Milliseconds per batch of ``condition.batch_size`` images; the network itself is left as it is.

        Raises:
            ValueError: If the table lacks one of its operations, or the image is too small for the network.
        """
        return self.total(operations_of(copy_on_meta(network), image_size, in_channels))

    def total(self, numbers: Mapping[Operation, int]) -> float:
        """Milliseconds per batch of so many of each operation.

        Raises:
            ValueError: If the table lacks one.
        """
        missing = self.missing(numbers)
        if missing:
            more = f" and {len(missing) - 1} more" * (len(missing) > 1)
            raise ValueError(
                f"{self.source} has no time of the operation {missing[0].name}{more}: add it by `lit-cnn profile NAME "
                "--latency-table FILE` with a network that has it, or by networks_of_space for a search space"
            )
        return sum(self.rows[operation].ms * number for operation, number in numbers.items())

    def missing(self, operations: Iterable[Operation]) -> list[Operation]:
        """Those of which the table has no time."""
        return [operation for operation in operations if operation not in self.rows]

    @property
    def digest(self) -> str:
        """Changes with every time and condition: what a study notes, so that all its workers use one table."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """The table in built-in types, as its file holds it."""
        operations = [{**asdict(operation), **asdict(row)} for operation, row in self.rows.items()]
        return {"format": FORMAT, "condition": asdict(self.condition), "operations": operations}

    @classmethod
    def from_dict(cls, content: Any, source: str = "") -> "LatencyTable":
        """Undo ``as_dict``.

        Raises:
            ValueError: If ``content`` is not a table, or one of another format.
        """
        if not isinstance(content, dict) or not {"format", "condition", "operations"} <= content.keys():
            raise ValueError(f"{source or 'this'} is not a latency table: `lit-cnn profile --latency-table` writes one")
        if content["format"] != FORMAT:
            raise ValueError(
                f"{source or 'the latency table'} has format {content['format']}, but this version reads {FORMAT}: "
                "measure it again"
            )
        try:
            rows = dict(map(_row, content["operations"]))
            return cls(Condition(**content["condition"]), rows, source)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{source or 'the latency table'} is damaged ({error}): measure it again") from None

    @classmethod
    def load(cls, path: str | Path) -> "LatencyTable":
        """Read a file that ``save`` wrote.

        Raises:
            ValueError: If it cannot be read or is not a table.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not JSON"
            raise ValueError(f"the latency table {path} cannot be read: {reason}") from None
        return cls.from_dict(content, str(path))

    @classmethod
    def open(cls, path: Path, condition: Condition) -> "LatencyTable":
        """The table of a file, to be extended under the same condition; an empty one where there is no file.

        Raises:
            ValueError: If the file is not a table, or one of another condition.
        """
        if not path.exists():
            return cls(condition, source=str(path))
        table = cls.load(path)
        for key in (field.name for field in fields(Condition)):
            there, here = getattr(table.condition, key), getattr(condition, key)
            if there != here:
                raise ValueError(
                    f"{path} was measured with {key} {there}, but here it is {here}, and times of different conditions "
                    "cannot be added: name another file, or measure under its condition"
                )
        return table

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all, making its folder."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with replacing(Path(path)) as partial:
            partial.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")


def _row(stated: Mapping[str, Any]) -> tuple[Operation, Row]:
    inputs = tuple(tuple(shape) for shape in stated["inputs"])
    operation = Operation(stated["structure"], inputs, stated["name"])
    return operation, Row(float(stated["ms"]), int(stated["passes"]), int(stated["networks"]), stated["date"])
