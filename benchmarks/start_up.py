"""Seconds from the start of a process to the end of its first training step: ``lit-cnn fit`` and a plain script.

    python benchmarks/start_up.py [--rounds 5] [--package DIR]

Both train torchvision's ResNet-18 on the same folder of images at 64 pixels, in batches of 16 without workers, and end
at once after the first step. The plain script is what one writes with torch and torchvision alone. Processor time is
that of the process and those it has waited for; the smallest of the rounds, which take turns, is printed, with the
elapsed time of that round. ``--package`` measures the lit_cnn of another checkout.
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from timed_command import run_command

PLAIN = """
import os, sys
import torch, torchvision
from torchvision import transforms

pixels = transforms.Compose([transforms.RandomResizedCrop(64), transforms.RandomHorizontalFlip(),
                             transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.25,) * 3)])
training = torchvision.datasets.ImageFolder("images/train", pixels)
loader = torch.utils.data.DataLoader(training, batch_size=16, shuffle=True, drop_last=True)
network = torchvision.models.resnet18(num_classes=2)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
for images, labels in loader:
    loss = torch.nn.functional.cross_entropy(network(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    os._exit(0)
"""
STOP = """
import os
import lightning.pytorch as pl

class Stop(pl.Callback):
    def on_train_batch_end(self, *_):
        os._exit(0)
"""
RECIPE = """
model:
  architecture: {class_path: torchvision.models.resnet18, init_args: {num_classes: 2}}
  optimizer: {learning_rate: 0.1, base_batch_size: null, weight_decay: 1.0e-4}
data: {source: imagefolder, path: images, image_size: 64, batch_size: 16, workers: 0, flip: {horizontal: 0.5}}
trainer: {max_epochs: 1, accelerator: cpu, devices: 1, precision: 32-true, enable_progress_bar: false,
          callbacks: [{class_path: stop.Stop}]}
tracking: {mode: disabled}
"""


def write_files(folder: Path) -> None:
    for split, name in ((split, name) for split in ("train", "val") for name in ("cat", "dog")):
        place = folder / "images" / split / name
        place.mkdir(parents=True)
        for number in range(16):
            pixels = np.random.default_rng(number).integers(0, 255, (80, 80, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.jpg")
    for file, text in (("plain.py", PLAIN), ("stop.py", STOP), ("recipe.yaml", RECIPE)):
        (folder / file).write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--package", default=str(Path(__file__).parents[1]))
    options = parser.parse_args()
    fit = [sys.executable, "-m", "lit_cnn", "fit", "--config", "recipe.yaml"]
    commands = {"plain script": [sys.executable, "plain.py"], "lit-cnn fit": fit}
    best: dict[str, tuple[float, float]] = {}
    with TemporaryDirectory() as folder:
        write_files(Path(folder))
        for _ in range(options.rounds):
            for name, command in commands.items():
                path = os.pathsep.join(part for part in (options.package, folder) if part)
                taken = run_command(command, Path(folder), {"PYTHONPATH": path})[:2]
                best[name] = min(best.get(name, taken), taken)
    plain = best["plain script"][0]
    print(f"{'':14}processor  elapsed  ratio of processor time")
    for name, (processor, elapsed) in best.items():
        print(f"{name:14}{processor:7.2f} s {elapsed:7.2f} s  {processor / plain:.2f}")


if __name__ == "__main__":
    main()
