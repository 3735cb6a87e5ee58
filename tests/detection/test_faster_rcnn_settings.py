import pytest

from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"anchors_per_image": 0}, "faster_rcnn.anchors_per_image must be at least 1, got 0"),
        ({"hidden": 0}, "faster_rcnn.hidden must be at least 1, got 0"),
        ({"positive_share": 1.5}, "faster_rcnn.positive_share must be above 0 and at most 1, got 1.5"),
        ({"anchor_scale": 0.0}, "faster_rcnn.anchor_scale must be positive, got 0.0"),
        ({"aspect_ratios": (1.0, -1.0)}, r"faster_rcnn.aspect_ratios must be positive, got \[1.0, -1.0\]"),
        ({"anchor_negative_iou": 0.8}, "anchor_negative_iou must be in .* not above .*, got 0.8 and 0.7"),
        ({"normalizer": "sum"}, "faster_rcnn.normalizer must be image or batch or global, got 'sum'"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FasterRCNNSettings(**settings)
