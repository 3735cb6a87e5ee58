"""Threads and TF32 of a run: where it runs, not what it is."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MachineSettings:
    """Threads of torch's CPU operations, and what float32 means on a GPU.

    Args:
        threads: Threads that share one operation; null leaves torch's choice, one per core unless OMP_NUM_THREADS says
            otherwise. Results on the CPU depend on it in the last digits.
        interop_threads: Operations that run side by side; null leaves torch's choice. It can be set once per process.
        tf32: Let NVIDIA GPUs compute convolutions and matrix products of float32 numbers in TF32, with 10 bits of
            mantissa instead of 23 and several times the speed. PyTorch's own default is so for convolutions alone.
    """

    threads: int | None = None
    interop_threads: int | None = None
    tf32: bool = True

    def __post_init__(self) -> None:
        for key in ("threads", "interop_threads"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ValueError(f"machine.{key} must be at least 1, or null, got {value}")

    def apply(self) -> None:
        """Set what is not null in this process.

        Raises:
            ValueError: If the process has already started its interop threads with another number.
        """
        if torch.cuda.is_available():
            torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
            torch.backends.cudnn.allow_tf32 = self.tf32
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        if self.interop_threads in (None, torch.get_num_interop_threads()):
            return
        try:
            torch.set_num_interop_threads(self.interop_threads)
        except RuntimeError:
            raise ValueError(
                f"machine.interop_threads {self.interop_threads} comes too late: this process already runs with "
                f"{torch.get_num_interop_threads()}; train in a process of its own"
            ) from None
