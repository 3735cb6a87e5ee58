"""Depthwise convolutions with wide filters: the filters' gradient in strips of columns against torch's.

    python benchmarks/wide_depthwise.py                       # the gradient alone, then whole training steps; 3 minutes
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/wide_depthwise.py

One thread, processor's time, float32, channels_last, interleaved; a ratio above 1 says that strips are faster.
"""

import argparse
from collections.abc import Callable

import torch
from interleaved import compare
from layer_steps import SIDE, begin, compare_steps, with_constant

from lit_cnn.architectures.layers import depthwise
from lit_cnn.architectures.layers.depthwise import filter_gradient, stride1_gradients

LAYERS = [(240, 16, 5), (672, 8, 5), (1152, 4, 5), (672, 14, 5), (1152, 7, 5), (44, 16, 5), (176, 4, 5), (44, 16, 7)]
"""Channels, side of the map and of the filters, of EfficientNet-B0 and NASNet-A mobile."""
NETWORKS = {"efficientnet_b0": 128, "nasnet_a_mobile": 128, "nasnet_a_6_768_cifar": 32, "amoebanet_a_n6_f36_cifar": 32}


def compare_layer(channels: int, side: int, kernel: int, batch: int, seconds: float) -> None:
    x = torch.randn(batch, channels, side, side).to(memory_format=torch.channels_last)
    weight, padding = torch.randn(channels, 1, kernel, kernel), (kernel // 2, kernel // 2)
    grad = torch.randn_like(x)
    found = compare(
        lambda: filter_gradient(x, grad, weight, padding),
        lambda: stride1_gradients(grad, x, weight, padding, (False, True)),
        seconds,
        "cpu",
    )
    name = f"{channels} channels, {side} px, {kernel}x{kernel}"
    spread = f"{found.ratio:.2f} ({found.lowest:.2f}–{found.highest:.2f})"
    print(f"| {name} | {1e3 * found.ours:.2f} | {1e3 * found.theirs:.2f} | {spread} |", flush=True)


def by_torch(step: Callable[[], None]) -> Callable[[], None]:
    """The step with torch's gradients of all filters."""
    return with_constant(step, depthwise, "STRIP", 99)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks of the catalog", default=[*NETWORKS])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="per network; a tenth of it per layer")
    options = parser.parse_args()
    begin()
    print("| depthwise layer | strips ms | torch ms | ratio (min–max) |\n|---|---|---|---|")
    for layer in LAYERS:
        compare_layer(*layer, options.batch_size, options.seconds / 10)
    print("\n| training step | strips ms | torch ms | ratio (min–max) |\n|---|---|---|---|")
    for name in options.names:
        compare_steps(name, NETWORKS.get(name, SIDE), options.batch_size, by_torch, options.seconds)


if __name__ == "__main__":
    main()
