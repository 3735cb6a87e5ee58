"""What the picture of a bench is drawn from."""

from types import SimpleNamespace

from lit_cnn.benchmarking.picture import speed_bars
from lit_cnn.reports.speed import Bar


def test_the_picture_s_bars_are_the_training_speeds_of_every_contestant() -> None:
    ours, theirs = (
        SimpleNamespace(
            label=label,
            phases={"forward": milliseconds},
            training=SimpleNamespace(median=speed),
            inference=SimpleNamespace(median=10 * speed),
            training_share=SimpleNamespace(median=share),
            inference_share=SimpleNamespace(median=2 * share),
        )
        for label, milliseconds, speed, share in (("ours", 20.0, 50.0, 0.4), ("timm", 40.0, 25.0, 0.2))
    )
    assert speed_bars([SimpleNamespace(name="resnet50", results=(ours, theirs))]) == [
        Bar("resnet50", {"forward": 20.0}, 50.0, 0.4),
        Bar("resnet50 (timm)", {"forward": 40.0}, 25.0, 0.2),
    ]
