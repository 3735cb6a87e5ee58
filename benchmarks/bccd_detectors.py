"""The four detectors on the blood cells of BCCD with the same network, canvas and epochs.

    LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/bccd_detectors.py --weights lite0.ckpt   # continues
    python benchmarks/bccd_detectors.py --weights lite0.ckpt --shard 0/2                          # one of two processes
    python benchmarks/bccd_detectors.py --report                                                  # the page

EfficientNet-Lite0 from ImageNet's weights (`lit-cnn import`, see docs/measurements/detection.md), recipe detection/bccd
shortened to 10 epochs: AdamW, rates 6e-4 (network) and 2e-3 (the rest), cosine, batch 8, 320x240 px, flips, scale
jitter, averaged weights, float32. The rates are those that suited FCOS, and no detector was tuned further, with two
exceptions: the sides of anchors were chosen by those of the training boxes (about 20, 50 and 95 px on the canvas), and
SSD's head learns at 6e-3, since at 2e-3 it had hardly begun in a pilot of 4 epochs with seed 0 (mAP@.50 on the
validation images 2.4 %, at 6e-3 12.5 %): the maps it reads are not normalized, and its first losses are near 100.
Each training that ended is a line of docs/measurements/detection_detectors.csv.
"""

from functools import partial
from pathlib import Path
from typing import Any

from bccd_runs import detector_recipe, train_detector
from finished_runs import Figures, Finished, Job, Key, do_jobs, options_of_runs

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "measurements" / "detection_detectors.csv"
EPOCHS, SEEDS = 10, 3
WHAT = "trained"
DETECTORS: dict[str, dict[str, Any]] = {
    "fcos": {},
    "retinanet": {
        "model.retinanet.depth": 2,
        "model.retinanet.norm": "group",
        "model.retinanet.anchor_scale": 2.5,
        "model.retinanet.normalizer": "batch",
    },
    "faster_rcnn": {
        "model.pyramid.top": "pool",
        "model.faster_rcnn.anchor_scale": 3.0,
        "model.faster_rcnn.training_proposals": 500,
        "model.faster_rcnn.proposals": 300,
        "model.faster_rcnn.proposals_per_image": 128,
        "model.faster_rcnn.hidden": 256,
    },
    "ssd": {"model.optimizer.head_factor": 10, "model.decoding.nms_threshold": 0.45},
}
"""Detector -> keys in which its recipe differs from FCOS's."""


def train_one(detector: str, seed: int, weights: Path, runs: Path, epochs: int, _: Finished) -> Figures:
    settings = {
        "model.detector": detector,
        "model.initial.checkpoint": str(weights.resolve()),
        **DETECTORS[detector],
    }
    return train_detector(detector_recipe(epochs, seed, settings), runs, "test")


def jobs(weights: Path, runs: Path, epochs: int, seeds: int) -> list[Job]:
    """One seed of all detectors before the next."""
    return [
        Job(Key(detector, seed, WHAT), partial(train_one, detector, seed, weights, runs, epochs))
        for seed in range(seeds)
        for detector in DETECTORS
    ]


def main() -> None:
    parser = options_of_runs(__doc__, RESULTS, "lit_cnn_detectors", SEEDS)
    parser.add_argument(
        "--weights", type=Path, help="EfficientNet-Lite0's weights of ImageNet, as lit-cnn imports them"
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    if options.report:
        from bccd_detectors_report import write_report

        write_report(options.results)
        return
    if options.weights is None:
        parser.error("--weights is missing: the checkpoint of EfficientNet-Lite0 that lit-cnn import wrote")
    do_jobs(options.results, jobs(options.weights, options.runs, options.epochs, options.seeds), options.shard)


if __name__ == "__main__":
    main()
