import pytest

from lit_cnn.choosing.limits import Limits


def test_the_first_limit_that_is_exceeded_is_named_with_both_figures() -> None:
    limits = Limits(params=6e6, latency_ms=10)
    assert limits.exceeded({"params": 6e6, "latency_ms": 10.0}) is None
    assert limits.exceeded({"params": 11.7e6, "latency_ms": 30}) == ("params", "11.7M parameters, more than 6M")
    assert limits.exceeded({"params": 5e6, "latency_ms": 12.34}) == ("latency_ms", "12.3 ms latency, more than 10 ms")


def test_a_cost_that_is_not_known_yet_exceeds_nothing() -> None:
    assert Limits(memory_mb=50).exceeded({"params": 1e9}) is None


def test_a_limit_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="--max-memory-mb is 0 but must be a positive number"):
        Limits(memory_mb=0)


def test_limits_as_words() -> None:
    assert Limits().words() == "none"
    assert Limits(params=6e6, memory_mb=50).words() == "parameters 6M, memory 50 MB"
    assert Limits(latency_ms=9.876, memory_mb=1523.4).words() == "latency 9.88 ms, memory 1,520 MB"
