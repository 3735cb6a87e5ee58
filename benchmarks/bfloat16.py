"""Training passes in bfloat16 mixed precision against float32, on the instructions that this CPU has or is limited to.

    python benchmarks/bfloat16.py                                                       # about 60 s
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/bfloat16.py      # emulated: minutes

The same network in turns, forward and backward; a ratio above 1 says that bfloat16 takes longer.
"""

import argparse

import torch
from interleaved import CLOCKS, compare
from network_speed import training_pass

from lit_cnn.architectures.catalog import create_model
from lit_cnn.training.precision import missing_bf16

NETWORKS = {"cifar_vgg8": 32, "cifar_resnet20": 32, "resnet18": 96, "resnet50": 96, "mobilenet_v2": 96}
"""Name -> image size in px."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0, help="per network, at least three pairs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: time of the processor")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NETWORKS):
        parser.error(f"there is no {', '.join(sorted(unknown))}, but {', '.join(NETWORKS)}")
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    print(f"bfloat16 on this CPU: {missing_bf16() or 'native'}")
    print(f"forward + backward, batch {options.batch_size}, {options.threads} threads")
    print(f"{'network':16s} {'px':>4s} {'float32 ms':>10s} {'bfloat16':>9s}  ratio (min–max, pairs)")
    for name in options.names or NETWORKS:
        size = NETWORKS[name]
        images = torch.randn(options.batch_size, 3, size, size).contiguous(memory_format=torch.channels_last)
        network = create_model(name)
        plain, mixed = (training_pass(network, images, bf16=bf16) for bf16 in (False, True))
        found = compare(plain, mixed, options.seconds, options.clock)
        spread = f"{found.ratio:.2f} ({found.lowest:.2f}–{found.highest:.2f}, {found.pairs})"
        print(f"{name:16s} {size:4d} {1e3 * found.ours:10.1f} {1e3 * found.theirs:9.1f}  {spread}", flush=True)


if __name__ == "__main__":
    main()
