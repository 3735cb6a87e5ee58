import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from lit_cnn.detection.anchors import Anchors
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.region_proposals import RegionProposals
from lit_cnn.detection.retinanet import RetinaNetHead, RetinaNetSettings

CPU = torch.device("cpu")


def test_anchors_are_torchvisions_where_every_side_is_a_multiple_of_the_stride() -> None:
    sizes, ratios = [(32, 40), (64, 80)], (0.5, 1.0, 2.0)
    ours = Anchors(sizes, ratios, (8, 16))
    maps = [torch.zeros(1, 1, 8, 16), torch.zeros(1, 1, 4, 8)]
    theirs = AnchorGenerator(tuple(sizes), (ratios,) * 2)(ImageList(torch.zeros(1, 3, 64, 128), [(64, 128)]), maps)
    assert torch.equal(torch.cat(ours.boxes([(8, 16), (4, 8)], CPU)), theirs[0])
    assert ours.per_position == 6


def test_anchors_of_a_map_whose_side_was_rounded_up_stand_a_stride_apart() -> None:
    """240 px at stride 32 are 8 rows, of which the last is at 224; 240 / 8 would put it at 210."""
    (boxes,) = Anchors([(32,)], (1.0,), (32,)).boxes([(8, 10)], CPU)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert boxes.dtype == torch.float32
    assert centers.amax(0).tolist() == [288.0, 224.0]
    assert centers[1].tolist() == [32.0, 0.0]  # along the row first


def test_anchors_without_a_side_are_refused() -> None:
    message = "an anchor of stride 8 has a side of 0 px: raise anchor_scale"
    for scale in (0.1, 0.125):  # rounded to 0 by the settings, or to whole pixels around the center
        with pytest.raises(ValueError, match=message):
            RetinaNetHead(4, 2, (8, 16), RetinaNetSettings(anchor_scale=scale, depth=0))
        with pytest.raises(ValueError, match=message):
            RegionProposals(4, (8, 16), FasterRCNNSettings(anchor_scale=scale))
    RetinaNetHead(4, 2, (8, 16), RetinaNetSettings(anchor_scale=0.25, depth=0))
