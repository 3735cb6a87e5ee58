"""Writes ``lit_cnn/pretrained/data/imagenet_classes.csv`` from the installed timm and torchvision.

python tests/pretrained/imagenet_classes.py > lit_cnn/pretrained/data/imagenet_classes.csv
"""

import csv
import io
import sys

from timm.data import ImageNetInfo
from torchvision.models import AlexNet_Weights


def text() -> str:
    """The names are torchvision's, which are unique; the synsets timm's."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("index", "synset", "name"))
    synsets = ImageNetInfo("imagenet-1k").label_names()
    for index, (synset, name) in enumerate(zip(synsets, AlexNet_Weights.DEFAULT.meta["categories"], strict=True)):
        writer.writerow((index, synset, name))
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.write(text())
