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


def test_the_network_nearest_to_the_limit_is_first() -> None:
    results = [
        (SimpleNamespace(label="ours", phases={}, training=SimpleNamespace(median=1.0),
                         training_share=SimpleNamespace(median=share)),)
        for share in (0.2, 0.9, 0.5)
    ]  # fmt: skip
    benches = [SimpleNamespace(name=name, results=each) for name, each in zip("abc", results, strict=True)]
    assert [each.name for each in speed_bars(benches)] == ["b", "c", "a"]
