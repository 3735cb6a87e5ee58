"""What a network looked at in the images that it was most wrong about."""

from dataclasses import replace

import torch

from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.trained import Trained
from lit_cnn.explanations.explaining import explain_images, make_explainer
from lit_cnn.handover.facts import HeatMap, HeatMaps
from lit_cnn.handover.results import Results
from lit_cnn.reports.explained import overlaid
from lit_cnn.reports.thumbnails import thumbnail

EXPLAINED = 8
"""Images that are explained."""


def explain_worst(trained: Trained, images: EvaluationImages, results: Results) -> HeatMaps:
    """Maps of the said class, and of the true one where it is another: exact where the head allows, else Grad-CAM.

    Args:
        trained: The network.
        images: All that it was asked about.
        results: What it said of them.

    Raises:
        ValueError: If the network has no layer that a map could be made of.
    """
    chosen = results.worst[:EXPLAINED]
    split = images.split.take(torch.tensor([image.row for image in chosen]))
    labels = [trained.class_names.index(image.true) for image in chosen]
    explainer = make_explainer(trained)
    explained = explain_images(trained, replace(images, split=split, workers=0), explainer, labels)
    highest = max((float(part.map.max()) for image in explained for part in image.evidence), default=0.0)
    maps = [
        HeatMap(
            image.place,
            thumbnail(overlaid(found.pixels.numpy(), part.map.numpy(), highest if highest > 0 else 1.0)),
            image.true,
            trained.class_names[part.number],
            part.probability,
        )
        for image, found in zip(chosen, explained, strict=True)
        for part in found.evidence
    ]
    reading = f"Bright: {explainer.unit}. All on one scale; of a wrong answer the true class is explained as well."
    return HeatMaps(explainer.name, reading, maps)
