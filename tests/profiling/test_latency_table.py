import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from lit_cnn.architectures import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.latency_table import Condition, LatencyTable, Row, condition_of
from lit_cnn.profiling.operations import operations_of
from lit_cnn.profiling.timing import TimingSettings

CONDITION = Condition("cpu", "Some CPU", "AVX2 without bfloat16", 1, 4, "32-true", True, "wall", "2.14.1")


def network_of(name: str) -> nn.Module:
    with on_meta():
        return create_model(name)


def table_of(name: str, image_size: int = 32) -> LatencyTable:
    """The first operation takes 1 ms, the second 2 ms and so on."""
    operations = operations_of(network_of(name), image_size)
    rows = {operation: Row(1.0 + place, 9, 1, "2026-11-29") for place, operation in enumerate(operations)}
    return LatencyTable(CONDITION, rows)


def test_a_network_takes_the_sum_of_its_operations_each_as_often_as_it_occurs() -> None:
    # resnet20: the stem, a block three times, one that strides, one twice, one that strides, one twice, the head
    assert (
        table_of("cifar_resnet20").predict(create_model("cifar_resnet20"), 32) == 1 + 3 * 2 + 3 + 2 * 4 + 5 + 2 * 6 + 7
    )
    assert table_of("cifar_resnet20").predict(network_of("cifar_resnet32"), 32) == 1 + 5 * 2 + 3 + 4 * 4 + 5 + 4 * 6 + 7


def test_prediction_leaves_the_network_as_it_is() -> None:
    network = create_model("cifar_resnet20").train()
    table_of("cifar_resnet20").predict(network, 32)
    assert network.training
    assert next(network.parameters()).device.type == "cpu"


def test_a_missing_operation_is_named_with_how_to_add_it() -> None:
    with pytest.raises(
        ValueError, match=r"no time of the operation ConvNormAct \(3x3\), 3x40x40 -> 16x40x40 and 6 more"
    ):
        table_of("cifar_resnet20").predict(network_of("cifar_resnet20"), 40)
    with pytest.raises(ValueError, match="add it by `lit-cnn profile NAME --latency-table FILE`"):
        table_of("cifar_resnet20").predict(network_of("cifar_vgg8"), 32)


def test_a_file_holds_the_whole_table(tmp_path: Path) -> None:
    table = table_of("cifar_resnet20")
    table.save(tmp_path / "table.json")
    loaded = LatencyTable.load(tmp_path / "table.json")
    assert (loaded.rows, loaded.condition, loaded.digest) == (table.rows, table.condition, table.digest)
    assert LatencyTable.from_dict(table.as_dict()).rows == table.rows
    assert json.loads((tmp_path / "table.json").read_text())["condition"]["device_name"] == "Some CPU"


def test_the_digest_follows_times_and_condition() -> None:
    table = table_of("cifar_resnet20")
    operation = next(iter(table.rows))
    slower = LatencyTable(CONDITION, {**table.rows, operation: Row(1.5, 9, 1, "2026-11-29")})
    elsewhere = LatencyTable(replace(CONDITION, threads=2), table.rows)
    assert len({table.digest, slower.digest, elsewhere.digest}) == 3


def test_the_mean_over_networks_weighs_each_network_once() -> None:
    row = Row(2.0, 30, 2, "2026-11-28").averaged(None)
    assert Row(5.0, 90, 1, "2026-11-29").averaged(row) == Row(3.0, 120, 3, "2026-11-29")


def test_a_table_is_extended_under_its_own_condition_alone(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    assert LatencyTable.open(path, CONDITION).rows == {}
    table = table_of("cifar_resnet20")
    table.save(path)
    assert LatencyTable.open(path, CONDITION).rows == table.rows
    with pytest.raises(ValueError, match=r"table\.json was measured with batch_size 4, but here it is 1"):
        LatencyTable.open(path, replace(CONDITION, batch_size=1))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cannot be read: it is not JSON"),
        ("[]", "is not a latency table"),
        ('{"format": 9, "condition": {}, "operations": []}', "has format 9, but this version reads 1"),
        ('{"format": 1, "condition": {"device": "cpu"}, "operations": []}', "is damaged"),
        ('{"format": 1, "condition": {}, "operations": [{"name": "x"}]}', "is damaged"),
    ],
)
def test_what_is_no_table_is_refused(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text(content)
    with pytest.raises(ValueError, match=rf"table\.json.*{sentence}"):
        LatencyTable.load(tmp_path / "table.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.json cannot be read: No such file"):
        LatencyTable.load(tmp_path / "none.json")


def test_the_condition_is_that_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    condition = condition_of(TimingSettings(batch_size=2, precision="bf16-mixed", channels_last=False))
    assert (condition.threads, condition.batch_size, condition.precision) == (3, 2, "bf16-mixed")
    assert condition.instructions.endswith("limited to AVX2")
    assert "3 threads" in str(condition)
    assert "contiguous, batches of 2, wall clock" in str(condition)


def test_the_processor_clock_wants_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    with pytest.raises(ValueError, match="set OMP_NUM_THREADS=1"):
        condition_of(TimingSettings(), "processor")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert condition_of(TimingSettings(), "processor").clock == "processor"
