from collections.abc import Callable

import pytest
from torch import nn

from lit_cnn.architectures import create_model
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.latency_table import LatencyTable, Row, condition_of
from lit_cnn.profiling.operations import operations_of
from lit_cnn.profiling.timing import TimingSettings
from lit_cnn.search import costs
from lit_cnn.search.costs import costs_of

TIMING = TimingSettings(batch_size=2, repeats=1, warmup=0)


def test_parameters_and_multiply_adds_are_the_catalogs() -> None:
    entry = find_entry("cifar_resnet20")
    found = costs_of("cifar_resnet20", {}, 32, 10, 3, ["params", "madds"])
    assert found == {"params": entry.params, "madds": entry.madds}


def test_options_classes_channels_and_shape_count() -> None:
    found = costs_of("cifar_resnet20", {"widths": (8, 8, 8)}, (16, 32), 5, 1, ["params", "madds"])
    network = create_model("cifar_resnet20", num_classes=5, in_channels=1, widths=(8, 8, 8))
    assert found["params"] == sum(parameter.numel() for parameter in network.parameters())
    assert found["madds"] == 16 * 32 * 9 * 8 + 6 * 16 * 32 * 9 * 64 * (1 + 1 / 4 + 1 / 16) + 8 * 5


def test_latency_is_the_tables() -> None:
    with on_meta():
        operations = operations_of(create_model("cifar_resnet8"), 32)
    table = LatencyTable(condition_of(TIMING), {each: Row(0.5, 1, 1, "2026-11-29") for each in operations})
    assert costs_of("cifar_resnet8", {}, 32, 10, 3, ["latency_ms"], table) == {"latency_ms": 2.5}
    with pytest.raises(ValueError, match="latency_ms needs a latency table"):
        costs_of("cifar_resnet8", {}, 32, 10, 3, ["latency_ms"])
    with pytest.raises(ValueError, match="has no time of the operation GlobalPoolHead"):
        costs_of("cifar_resnet8", {}, 32, 11, 3, ["latency_ms"], table)


def test_measured_costs_are_measured_under_the_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, TimingSettings, int]] = []

    def fake(name: str, took: float) -> Callable[..., float]:
        def measure(_: nn.Module, settings: TimingSettings, channels: int) -> float:
            asked.append((name, settings, channels))
            return took

        return measure

    for name, took in (("training_step_ms", 7.0), ("inference_ms", 8.0)):
        monkeypatch.setattr(costs, name, fake(name, took))
    found = costs_of("cifar_resnet8", {}, 24, 10, 1, ["step_ms", "measured_latency_ms"], timing=TIMING)
    assert found == {"step_ms": 7.0, "measured_latency_ms": 8.0}
    assert [name for name, _, _ in asked] == ["training_step_ms", "inference_ms"]
    assert {(settings.image_size, settings.batch_size, channels) for _, settings, channels in asked} == {(24, 2, 1)}


def test_a_step_and_a_pass_can_be_measured_here() -> None:
    found = costs_of("cifar_resnet8", {}, 8, 10, 1, ["step_ms", "measured_latency_ms"], timing=TIMING)
    assert found["step_ms"] > 0
    assert found["measured_latency_ms"] > 0


def test_what_cannot_be_found_is_named() -> None:
    with pytest.raises(
        ValueError, match="a cost must be one of params, madds, latency_ms, step_ms, measured_latency_ms"
    ):
        costs_of("cifar_resnet8", {}, 32, 10, 3, ["flops"])
    with pytest.raises(ValueError, match="step_ms is measured, which needs a condition"):
        costs_of("cifar_resnet8", {}, 32, 10, 3, ["step_ms"])
    with pytest.raises(ValueError, match="square images, but the images have 16 x 32 pixels"):
        costs_of("cifar_resnet8", {}, (16, 32), 10, 3, ["step_ms"], timing=TIMING)
