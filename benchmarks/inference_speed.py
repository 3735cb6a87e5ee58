"""Inference of one image: our networks folded, against torchvision's and timm's as they are (eager, evaluation).

    python benchmarks/inference_speed.py                       # one network per family, about 90 s
    python benchmarks/inference_speed.py --compile             # ours compiled as `lit-cnn predict --compile` does
    python benchmarks/inference_speed.py 'nfnet*' --image-size 192

The networks are channels_last, in float32 and in inference mode on both sides. Ours with and without folding (and
compiling) is timed too.
"""

import argparse
from collections.abc import Callable

import torch
from interleaved import CLOCKS, compare, geometric_mean
from network_speed import select
from torch import Tensor, nn

from lit_cnn.exporting.compiling import compile_for_inference
from lit_cnn.exporting.folding import fold_for_inference

SIDE = 224


def inference(network: nn.Module, images: Tensor) -> Callable[[], Tensor]:
    network = network.eval().to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def step() -> Tensor:
        return network(images)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="our names, or shell patterns")
    parser.add_argument("--image-size", type=int, default=SIDE)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="per comparison, at least three pairs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: time of the processor")
    parser.add_argument("--compile", action="store_true", help="compile ours with its weights fixed")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    conditions = f"{options.threads} threads, {options.clock} time"
    print(f"inference, {options.batch_size} images of {options.image_size} px, {conditions}")
    print(f"{'network / reference':46s} {'ours ms':>9s} {'theirs':>8s}  ratio (min–max, pairs)       over ours eager")
    ratios = []
    for row, _ in select(options.names):
        torch.manual_seed(0)
        shape = (options.batch_size, 3, options.image_size, options.image_size)
        images = torch.randn(shape).contiguous(memory_format=torch.channels_last)
        ours, theirs = row.build()
        # random weights can shrink the logits to the size of rounding; the tests compare folded networks in float64
        folded = fold_for_inference(ours.to(memory_format=torch.channels_last), images, tolerance=1.0).network
        if options.compile:
            torch.compiler.reset()
            folded = compile_for_inference(folded, images, tolerance=1.0)
        found = compare(inference(folded, images), inference(theirs, images), options.seconds, options.clock)
        own = compare(inference(folded, images), inference(ours, images), options.seconds / 2, options.clock)
        ratios.append(found.ratio)
        spread = f"{found.ratio:.3f} ({found.lowest:.2f}–{found.highest:.2f}, {found.pairs})"
        times = f"{1e3 * found.ours:9.1f} {1e3 * found.theirs:8.1f}"
        print(f"{row.label:46s} {times}  {spread:28s} {own.ratio:.3f}", flush=True)
    print(f"geometric mean of {len(ratios)} ratios: {geometric_mean(ratios):.3f}")


if __name__ == "__main__":
    main()
