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
from network_speed import training_pass

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.layers import matrix_gradient
from lit_cnn.architectures.layers.matrix_gradient import CHANNELS, filter_gradient

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


def with_limit(step: Callable[[], None], channels: int) -> Callable[[], None]:
    """The step with the product from so many channels on."""

    def program() -> None:
        limit, matrix_gradient.CHANNELS = matrix_gradient.CHANNELS, channels
        step()
        matrix_gradient.CHANNELS = limit

    return program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks of the catalog", default=[*NETWORKS])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0, help="per network; a tenth of it per layer")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    print("| layer | product, GFLOP/s | torch, GFLOP/s | ratio (min–max) |\n|---|---|---|---|")
    for layer in LAYERS:
        compare_layer(layer, options.batch_size, options.seconds / 10)
    print("\n| training step | product, ms | torch, ms | ratio (min–max) |\n|---|---|---|---|")
    matrix_gradient.has_avx2_only = lambda: True
    for name in options.names:
        torch.manual_seed(0)
        side = NETWORKS.get(name, 128)
        images = torch.randn(options.batch_size, 3, side, side).contiguous(memory_format=torch.channels_last)
        step = training_pass(create_model(name), images, bf16=False)
        found = compare(with_limit(step, CHANNELS), with_limit(step, 10**6), options.seconds, "cpu")
        spread = f"{found.ratio:.3f} ({found.lowest:.2f}–{found.highest:.2f})"
        print(f"| {name}, {side} px | {1e3 * found.ours:.1f} | {1e3 * found.theirs:.1f} | {spread} |", flush=True)


if __name__ == "__main__":
    main()
