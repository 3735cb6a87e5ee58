"""Default worker processes follow from the cores that this process may use, not from those of the machine."""

import os

import pytest

from lit_cnn.data.loading import workers
from lit_cnn.data.loading.workers import available_cores, container_limit, default_workers


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 64 cores of which this process is bound to 16, in a container without a limit."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(workers, "_CGROUP", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("machine")
def test_the_cores_that_the_process_is_bound_to_count(monkeypatch):
    assert available_cores() == 16
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS and Windows
    assert available_cores() == 64


@pytest.mark.parametrize(
    ("text", "limit", "cores"),
    [
        ("200000 100000", 2.0, 2),
        ("150000 100000", 1.5, 2),
        ("50000 100000", 0.5, 1),
        ("6400000 100000", 64.0, 16),
        ("max 100000", None, 16),
        ("", None, 16),
    ],
)
def test_a_containers_limit_counts(machine, text, limit, cores):
    (machine / "cpu.max").write_text(text + "\n")
    assert container_limit(machine) == limit
    assert available_cores() == cores


@pytest.mark.parametrize(("quota", "limit"), [("300000", 3.0), ("-1", None)])
def test_a_limit_of_the_older_control_groups_counts(machine, quota, limit):
    (machine / "cpu").mkdir()
    (machine / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (machine / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert container_limit(machine) == limit


def test_workers_are_for_files_alone_and_at_most_eight():
    assert [default_workers(in_memory=True, cores=cores) for cores in (1, 64)] == [0, 0]
    assert [default_workers(in_memory=False, cores=cores) for cores in (1, 5, 64)] == [1, 5, 8]
