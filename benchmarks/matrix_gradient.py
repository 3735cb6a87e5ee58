"""Full convolutions: the filters' gradient as a product of matrices against torch's, for CPUs with AVX2 only.

    python benchmarks/matrix_gradient.py                      # the gradient alone, then whole training steps; 3 minutes
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 python benchmarks/matrix_gradient.py

One thread, processor's time, float32, channels_last, interleaved; a ratio above 1 says that the product is faster. On a
CPU whose kernels torch names otherwise than AVX2, the whole steps are those with the product all the same.
"""

import argparse
from collections.abc import Callable

import torch
from interleaved import compare
from layer_steps import SIDE, begin, compare_steps, with_constant

from lit_cnn.architectures.layers import matrix_gradient
from lit_cnn.architectures.layers.matrix_gradient import filter_gradient

LAYERS = [
    (64, 64, 56, 3, 1), (128, 128, 28, 3, 1), (256, 256, 14, 3, 1), (512, 512, 7, 3, 1), (512, 512, 2, 3, 1),
    (128, 128, 56, 3, 2), (256, 256, 28, 3, 2), (512, 512, 14, 3, 2), (64, 256, 56, 1, 1), (512, 128, 28, 1, 1),
    (256, 1024, 14, 1, 1), (2048, 512, 7, 1, 1), (1024, 2048, 14, 1, 2),
]  # fmt: skip
"""Channels of input and output, side of the map and of the filters, stride: of ResNet, and one of VGG at 32 px."""
NETWORKS = {"vgg16_bn": 64, "resnet18": 128, "resnet50": 128, "se_resnext50_32x4d": 128, "googlenet_bn": 128,
            "mobilenet_v1": 128, "efficientnet_v2_s": 128, "cifar_vgg8": 32}  # fmt: skip


def compare_layer(layer: tuple[int, int, int, int, int], batch: int, seconds: float) -> None:
    inputs, outputs, side, kernel, stride = layer
    x = torch.randn(batch, inputs, side, side).to(memory_format=torch.channels_last)
    weight = torch.randn(outputs, inputs, kernel, kernel).to(memory_format=torch.channels_last)
    steps, padding = (stride, stride), (kernel // 2, kernel // 2)
    grad = torch.randn_like(torch.nn.functional.conv2d(x, weight, None, steps, padding))
    constants = None, steps, padding, (1, 1), False, (0, 0), 1, (False, True, False)
    found = compare(
        lambda: filter_gradient(x, grad, (kernel, kernel), steps, padding),
        lambda: torch.ops.aten.convolution_backward(grad, x, weight, *constants),
        seconds,
        "cpu",
    )
    operations = 2 * grad.numel() * inputs * kernel**2 / 1e9
    name = f"{inputs} to {outputs} channels, {side} px, {kernel}x{kernel}, stride {stride}"
    speeds = f"{operations / found.ours:.0f} | {operations / found.theirs:.0f}"
    print(f"| {name} | {speeds} | {found.ratio:.2f} ({found.lowest:.2f}–{found.highest:.2f}) |", flush=True)


def by_torch(step: Callable[[], None]) -> Callable[[], None]:
    """The step with torch's gradients of all filters."""
    return with_constant(step, matrix_gradient, "CHANNELS", 10**6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks of the catalog", default=[*NETWORKS])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0, help="per network; a tenth of it per layer")
    options = parser.parse_args()
    begin()
    print("| layer | product, GFLOP/s | torch, GFLOP/s | ratio (min–max) |\n|---|---|---|---|")
    for layer in LAYERS:
        compare_layer(layer, options.batch_size, options.seconds / 10)
    print("\n| training step | product, ms | torch, ms | ratio (min–max) |\n|---|---|---|---|")
    matrix_gradient.has_avx2_only = lambda: True
    for name in options.names:
        compare_steps(name, NETWORKS.get(name, SIDE), options.batch_size, by_torch, options.seconds)


if __name__ == "__main__":
    main()
