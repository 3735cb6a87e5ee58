"""What each rank has found, brought together: ranks may have seen different numbers of images, or none."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from lit_cnn.detection.boxes import Detections

Found = Mapping[int, Detections]
"""Row of the split -> what was found in it, on the CPU; in ascending order of the rows that were seen."""


class Packed(NamedTuple):
    """The images that one rank has seen, and all that it found in them, as two arrays.

    Attributes:
        images: (N, 2) int64: row of the split, number of detections.
        found: (D, 6) float64, the detections of one image after the other: label, score, left, top, right, bottom.
            float64 holds each of them exactly.
    """

    images: Tensor
    found: Tensor


def pack(seen: Sequence[tuple[int, Detections]]) -> Packed:
    """Rows and what was found in them, in the order in which they were seen."""
    images = torch.tensor([(row, len(each.scores)) for row, each in seen], dtype=torch.int64).reshape(-1, 2)
    columns = [
        torch.cat([each.labels[:, None].double(), each.scores[:, None].double(), each.boxes.double()], dim=1)
        for _, each in seen
    ]
    return Packed(images, torch.cat([torch.zeros(0, 6, dtype=torch.float64), *columns]))


def unpack(parts: Sequence[Packed]) -> dict[int, Detections]:
    """The inverse of ``pack``, of all ranks; an image that was seen several times counts as it was seen first."""
    detections: dict[int, Detections] = {}
    for images, found in parts:
        for (row, _), each in zip(images.tolist(), found.split(images[:, 1].tolist()), strict=True):
            detections.setdefault(row, Detections(each[:, 2:].float(), each[:, 1].float(), each[:, 0].long()))
    return dict(sorted(detections.items()))


def gather_found(seen: Sequence[tuple[int, Detections]]) -> dict[int, Detections]:
    """What all ranks have found; without a process group, what this one has.

    Every rank has to call it, whatever it has seen.
    """
    packed = pack(seen)
    if not (dist.is_available() and dist.is_initialized()):
        return unpack([packed])
    return unpack([Packed(*part) for part in zip(*(gather_rows(each) for each in packed), strict=True)])


def gather_rows(rows: Tensor) -> list[Tensor]:
    """The rows of each rank, (N of the rank, C) on the CPU: padded to the longest, since a collective call needs one
    length."""
    ranks, device = dist.get_world_size(), _device()
    lengths = [torch.zeros(1, dtype=torch.int64, device=device) for _ in range(ranks)]
    dist.all_gather(lengths, torch.tensor([len(rows)], device=device))
    counts = [int(length) for length in lengths]
    padded = rows.new_zeros(max(counts), rows.shape[1], device=device)
    padded[: len(rows)] = rows
    gathered = [torch.empty_like(padded) for _ in range(ranks)]
    dist.all_gather(gathered, padded)
    return [part[:count].cpu() for part, count in zip(gathered, counts, strict=True)]


def _device() -> torch.device:
    """Where the process group takes its tensors from."""
    on_gpu = dist.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")
