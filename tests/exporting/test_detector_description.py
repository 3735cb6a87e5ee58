"""The JSON file of an exported detector repeats the network's anchors, and refuses those that do not repeat."""

import pytest
import torch
from tiny_detectors import CANVAS, untrained_detector

from lit_cnn.exporting.detector_description import describe_objects, levels_of
from lit_cnn.exporting.graph import GraphForm


@pytest.mark.parametrize("kind", ["retinanet", "ssd", "faster_rcnn"])
def test_it_says_what_decoding_needs(kind: str) -> None:
    trained = untrained_detector(kind)
    stated = describe_objects(trained, GraphForm(batch=4), "net.regions.onnx")
    assert stated["canvas"] == {"height": 64, "width": 96, "fill": [100, 110, 120], "background": [255, 255, 255]}
    assert stated["input"] == {"name": "images", "dtype": "uint8", "shape": [4, *CANVAS, 3]}
    assert (stated["class_names"], stated["category_ids"]) == (["cat", "dog", "owl"], [18, 21, 30])
    assert stated["thresholds"] == {"score": [0.03, 0.05, 0.1], "nms": 0.4, "chosen_on": "val, 7 images"}
    assert stated["decoding"]["score_threshold"] == 0.02
    assert (stated["scores"] == "softmax") == (kind in ("ssd", "faster_rcnn")) == (stated["first_label"] == 1)
    assert (stated["regions"] is None) == (stated["proposals"] is None) == (kind != "faster_rcnn")
    assert [level["grid"] for level in stated["levels"]] == [list(g) for g in trained.network.pyramid.grids(CANVAS)]
    plain = describe_objects(trained, GraphForm(with_preprocessing=False), "")
    assert plain["input"] == {"name": "images", "dtype": "float32", "shape": ["batch", 3, *CANVAS]}
    assert plain["normalize"] == {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "in_the_graph": False}


def test_anchors_that_do_not_repeat_are_refused() -> None:
    class Crooked:
        def boxes(self, grids: list[tuple[int, int]], device: torch.device) -> list[torch.Tensor]:
            return [torch.arange(24.0, device=device).view(6, 4) ** 2]

    with pytest.raises(ValueError, match=r"^the detector's anchors do not repeat from position to position"):
        levels_of(Crooked(), [(2, 3)])
