from functools import partial

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.architectures import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.latency_table import LatencyTable, Row, condition_of
from lit_cnn.profiling.operations import operations_of
from lit_cnn.profiling.table_timing import TimedNetwork, spread, time_networks
from lit_cnn.profiling.timing import TimingSettings

SETTINGS = TimingSettings(batch_size=2, repeats=2)


class Ticks:
    """A clock that each layer with weights moves on by 1 ms per image and filter row, and nothing else does."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def ticking(self, name: str) -> nn.Module:
        network = create_model(name)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(self._tick)
        return network

    def _tick(self, module: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        if inputs[0].device.type != "meta":
            self.seconds += 1e-3 * len(inputs[0]) * module.weight.shape[0]


def network(ticks: Ticks, name: str, used: bool = True) -> TimedNetwork:
    return TimedNetwork(name, partial(ticks.ticking, name), 32, used)


@pytest.fixture
def table() -> LatencyTable:
    return LatencyTable(condition_of(SETTINGS))


def test_what_layers_take_adds_up_to_the_network(table: LatencyTable) -> None:
    ticks, names = Ticks(), []
    networks = [network(ticks, "cifar_resnet20"), network(ticks, "cifar_resnet32", used=False)]
    measured = list(time_networks(table, networks, SETTINGS, clock=ticks, on_network=names.append))
    assert names == ["cifar_resnet20", "cifar_resnet32"]
    small, large = (each.against(table) for each in measured)
    assert small.measured_ms == pytest.approx(2 * (16 + 6 * (16 + 32 + 64) + 10))  # images · filters
    assert small.predicted_ms == pytest.approx(small.measured_ms)
    assert (small.used, large.used) == (True, False)
    assert large.predicted_ms == pytest.approx(large.measured_ms)
    assert large.predicted_ms == pytest.approx(2 * (16 + 10 * (16 + 32 + 64) + 10))


@pytest.mark.slow
def test_only_used_networks_add_operations(table: LatencyTable) -> None:
    ticks = Ticks()
    list(time_networks(table, [network(ticks, "cifar_resnet20")], SETTINGS, clock=ticks))
    rows = dict(table.rows)
    list(time_networks(table, [network(ticks, "cifar_resnet32", used=False)], SETTINGS, clock=ticks))
    assert table.rows == rows
    with on_meta():
        assert rows.keys() == operations_of(create_model("cifar_resnet20"), 32).keys()


def test_a_network_that_others_do_not_cover_is_refused_before_anything_is_timed(table: LatencyTable) -> None:
    ticks = Ticks()
    networks = [network(ticks, "cifar_resnet8"), network(ticks, "cifar_vgg8", used=False)]
    with pytest.raises(ValueError, match=r"cifar_vgg8 at 32 px cannot be predicted.*leave it out of --check"):
        list(time_networks(table, networks, SETTINGS, clock=ticks))
    assert not table.rows
    assert ticks.seconds == 0


@pytest.mark.slow
def test_times_that_are_there_stay_and_new_ones_are_means_over_networks(table: LatencyTable) -> None:
    ticks = Ticks()
    with on_meta():
        stem, *others = operations_of(create_model("cifar_resnet20"), 32)
    table.rows[stem] = known = Row(7.0, 3, 1, "2026-11-01")
    networks = [network(ticks, "cifar_resnet20"), network(ticks, "cifar_resnet32")]
    list(time_networks(table, networks, SETTINGS, clock=ticks))
    assert table.rows[stem] is known
    assert {table.rows[each].networks for each in others} == {2}
    assert table.rows[others[0]].passes == 2 * 3 + 2 * 5  # replays · blocks of this kind
    assert table.rows[others[0]].ms == pytest.approx(2 * 2 * 16)


def test_replays_that_took_longest_and_shortest_are_left_out(table: LatencyTable) -> None:
    ticks, calls = Ticks(), [0]

    def clock() -> float:
        calls[0] += 1
        return ticks.seconds + (100.0 if calls[0] > 60 else 0.0)

    list(time_networks(table, [network(ticks, "cifar_resnet8")], TimingSettings(repeats=8), clock=clock))
    assert sum(row.ms for row in table.rows.values()) == pytest.approx(16 + 2 * 16 + 2 * 32 + 2 * 64 + 10)
    assert {row.passes for row in table.rows.values()} == {4}


def test_operations_read_numbers_of_the_precision_in_which_the_network_has_them() -> None:
    settings = TimingSettings(batch_size=1, repeats=1, precision="bf16-mixed")
    table, seen = LatencyTable(condition_of(settings)), []

    def build() -> nn.Module:
        made = create_model("cifar_resnet8")
        for block in made.features:
            block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].dtype))
        return made

    list(time_networks(table, [TimedNetwork("net", build, 32)], settings))
    assert set(seen[4:]) == {torch.float32, torch.bfloat16}  # after the pass on the meta device
    assert all(row.ms > 0 for row in table.rows.values())


def test_networks_that_are_not_used_are_spread_among_the_others() -> None:
    networks = [TimedNetwork(str(place), nn.Module, 32, used=place < 4) for place in range(6)]
    assert [each.name for each in spread(networks)] == ["0", "4", "1", "2", "5", "3"]
    assert spread(networks[4:]) == networks[4:]


@pytest.mark.slow
def test_a_network_may_be_covered_by_one_that_comes_later(table: LatencyTable) -> None:
    ticks = Ticks()
    networks = [network(ticks, "cifar_resnet32", used=False), network(ticks, "cifar_resnet20")]
    first, _ = [each.against(table) for each in list(time_networks(table, networks, SETTINGS, clock=ticks))]
    assert first.predicted_ms == pytest.approx(first.measured_ms)
