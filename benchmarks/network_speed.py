"""Forward and backward pass of our networks against those of torchvision and timm, with the same layout and precision.

    python benchmarks/network_speed.py                         # one network per family, about 100 s on one core
    python benchmarks/network_speed.py nfnet_f0 se_resnet50 --precision bf16-mixed

A ratio above 1 says that ours is faster. Nothing is dropped on either side, so that no time goes to drawing masks.
"""

import argparse
import fnmatch
from collections.abc import Callable
from contextlib import nullcontext

import torch
from interleaved import CLOCKS, compare, geometric_mean
from torch import Tensor, nn

from lit_cnn.pretrained.references import REFERENCES, Reference

FAMILIES = {
    "alexnet_one_tower/torchvision/alexnet": 128,
    "vgg16_bn/torchvision/vgg16_bn": 64,
    "googlenet_bn/torchvision/googlenet": 128,
    "resnet50/torchvision/resnet50": 96,
    "resnext50_32x4d/torchvision/resnext50_32x4d": 96,
    "se_resnet50/timm/seresnet50": 96,
    "se_resnext50_32x4d/timm/seresnext50_32x4d": 96,
    "mobilenet_v1/timm/mobilenetv1_100": 128,
    "mobilenet_v2/torchvision/mobilenet_v2": 128,
    "nasnet_a_large/timm/nasnetalarge": 97,
    "efficientnet_b0/torchvision/efficientnet_b0": 128,
    "efficientnet_b0/timm/tf_efficientnet_b0": 128,
    "efficientnet_lite0/timm/tf_efficientnet_lite0": 128,
    "nfnet_f0/timm/dm_nfnet_f0": 64,
    "resnet_rs_50/timm/resnetrs50": 96,
    "efficientnet_v2_s/torchvision/efficientnet_v2_s": 64,
    "efficientnet_v2_s/timm/tf_efficientnetv2_s": 64,
}
"""Rows of the parity matrix, one per family and convention, and the image size in px at which a step is short."""


def select(patterns: list[str]) -> list[tuple[Reference, int]]:
    """The rows of ``FAMILIES`` whose label or name matches a shell pattern, with their image sizes."""
    rows = {row.label: row for row in REFERENCES}
    chosen = []
    for label, side in FAMILIES.items():
        if not patterns or any(fnmatch.fnmatch(part, name) for name in patterns for part in (label, rows[label].name)):
            chosen.append((rows[label], side))
    if not chosen:
        raise SystemExit(f"none of {', '.join(patterns)} is among {', '.join(FAMILIES)}")
    return chosen


def training_pass(network: nn.Module, images: Tensor, *, bf16: bool) -> Callable[[], None]:
    """Forward in training, sum of the logits of all heads, backward."""
    network = network.to(memory_format=torch.channels_last).train()

    def step() -> None:
        network.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
            outputs = network(images)
        heads = [outputs] if isinstance(outputs, Tensor) else outputs
        sum(logits.float().sum() for logits in heads).backward()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="our names, or shell patterns")
    parser.add_argument("--image-size", type=int, help="px; each family has its own otherwise")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--precision", choices=["32-true", "bf16-mixed"], default="32-true")
    parser.add_argument("--seconds", type=float, default=5.0, help="per network, at least three pairs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: time of the processor")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # untrained nets make numbers so small that the processor takes a slow path
    bf16 = options.precision == "bf16-mixed"
    conditions = f"{options.precision}, channels_last, {options.threads} threads, {options.clock} time"
    print(f"forward + backward, batch {options.batch_size}, {conditions}")
    print(f"{'network / reference':46s} {'px':>4s} {'ours ms':>9s} {'theirs':>9s}  ratio (min–max, pairs)")
    ratios = []
    for row, side in select(options.names):
        torch.manual_seed(0)
        size = options.image_size or side
        images = torch.randn(options.batch_size, 3, size, size).contiguous(memory_format=torch.channels_last)
        ours, theirs = (training_pass(network, images, bf16=bf16) for network in row.build())
        found = compare(ours, theirs, options.seconds, options.clock)
        ratios.append(found.ratio)
        spread = f"{found.ratio:.3f} ({found.lowest:.2f}–{found.highest:.2f}, {found.pairs})"
        print(f"{row.label:46s} {size:4d} {1e3 * found.ours:9.1f} {1e3 * found.theirs:9.1f}  {spread}", flush=True)
    print(f"geometric mean of {len(ratios)} ratios: {geometric_mean(ratios):.3f}")


if __name__ == "__main__":
    main()
