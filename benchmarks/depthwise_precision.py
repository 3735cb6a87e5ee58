"""Training passes in bfloat16 with depthwise convolutions in float32, as ours run on a CPU, against all in bfloat16.

    python benchmarks/depthwise_precision.py                     # about 60 s
    python benchmarks/depthwise_precision.py efficientnet_b0 --image-size 224

The same network in turns, forward and backward, under autocast; a ratio above 1 says that float32 is faster.
"""

import argparse
from collections.abc import Callable
from unittest.mock import patch

import torch
import torch.nn.functional as F
from interleaved import CLOCKS, compare
from network_speed import training_pass

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.layers import depthwise, padding

NAMES = (
    *("mobilenet_v1", "mobilenet_v2", "shufflenet_v1_g3_1.0x", "nasnet_a_mobile"),
    *("efficientnet_b0", "efficientnet_v2_b0"),
)


def in_low_precision(step: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with patch.object(depthwise, "convolve", F.conv2d), patch.object(padding, "convolve", F.conv2d):
            step()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0, help="per network, at least three pairs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: time of the processor")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    print(f"forward + backward, batch {options.batch_size}, {options.image_size} px, {options.threads} threads")
    print(f"{'network':24s} {'float32 ms':>10s} {'bfloat16':>9s}  ratio (min–max, pairs)")
    for name in options.names:
        shape = (options.batch_size, 3, options.image_size, options.image_size)
        images = torch.randn(shape).contiguous(memory_format=torch.channels_last)
        step = training_pass(create_model(name), images, bf16=True)
        found = compare(step, in_low_precision(step), options.seconds, options.clock)
        spread = f"{found.ratio:.3f} ({found.lowest:.2f}–{found.highest:.2f}, {found.pairs})"
        print(f"{name:24s} {1e3 * found.ours:10.1f} {1e3 * found.theirs:9.1f}  {spread}", flush=True)


if __name__ == "__main__":
    main()
