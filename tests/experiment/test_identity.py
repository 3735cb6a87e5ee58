from pathlib import Path

import pytest

from lit_cnn.experiment.identity import check_extension, check_identity, describe_changes, nested


def test_only_keys_that_say_what_a_run_is_forbid_to_continue_it() -> None:
    stored = {"data": {"workers": 2, "batch_size": 64}, "trainer": {"devices": 1, "max_epochs": 3}}
    elsewhere = {"data": {"workers": 0, "batch_size": 64}, "trainer": {"devices": 2, "max_epochs": 3}}
    check_identity(stored, elsewhere)
    assert describe_changes(stored, elsewhere) == "data.workers (2 -> 0), trainer.devices (1 -> 2)"
    assert describe_changes(stored, stored) == ""
    other = {"data": {"workers": 2, "batch_size": 32}, "trainer": {"devices": 1, "max_epochs": 4}}
    with pytest.raises(ValueError, match=r"differ: data.batch_size \(64 -> 32\), trainer.max_epochs \(3 -> 4\);"):
        check_identity(stored, other)


def test_what_only_concerns_the_machine_may_change_at_a_resume() -> None:
    stored = {
        "model": {"channels_last": True, "compile": False, "optimizer": {"kernel": "auto", "momentum": 0.9}},
        "trainer": {"precision": "32-true"},
        "machine": {"threads": None},
    }
    elsewhere = {
        "model": {"channels_last": False, "compile": True, "optimizer": {"kernel": "fused", "momentum": 0.9}},
        "trainer": {"precision": "bf16-mixed"},
        "machine": {"threads": 2},
    }
    check_identity(stored, elsewhere)
    changes = describe_changes(stored, elsewhere)
    for part in ("model.compile (False -> True)", "model.optimizer.kernel ('auto' -> 'fused')", "machine.threads"):
        assert part in changes


def test_a_run_that_stopped_at_a_broken_file_may_go_on_without_it() -> None:
    check_identity({"data": {"on_error": "stop"}}, {"data": {"on_error": "skip"}})


def test_the_limit_of_pixels_may_change_but_not_what_files_become() -> None:
    check_identity({"data": {"max_pixels": 1000}}, {"data": {"max_pixels": None}})
    for key, value in {"levels": [0.0, 4095.0], "background": "black", "color_profile": "ignore"}.items():
        with pytest.raises(ValueError, match=rf"differ: data\.{key} "):
            check_identity({"data": {key: value}}, {"data": {key: None}})


@pytest.mark.parametrize(
    ("stored", "wanted", "named"),
    [
        ({"monitor": "val/acc1"}, {"monitor": "val/loss"}, r"monitor \('val/acc1' -> 'val/loss'\)"),
        *(
            ({"trainer": {key: before}}, {"trainer": {key: now}}, rf"trainer\.{key} \({before} -> {now}\)")
            for key, before, now in (("limit_train_batches", None, 10), ("overfit_batches", 0.0, 2))
        ),
    ],
)
def test_the_metric_of_the_best_and_the_length_of_an_epoch_stay(stored: dict, wanted: dict, named: str) -> None:
    """The best score is one of the metric, and the schedule ends after so many steps; a new run may change both."""
    with pytest.raises(ValueError, match=rf"must stay the same run, but these keys differ: {named}; a new run"):
        check_identity(stored, wanted)
    check_extension(Path("run"), stored, wanted)


def test_dotted_keys_become_mappings_and_none_has_a_value_and_keys() -> None:
    assert nested({"a.b": 1, "a.c.d": 2, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    for keys in ({"a.b": 5, "a.b.c": 3}, {"a.b.c": 3, "a.b": 5}):
        with pytest.raises(ValueError, match=r"^a.b has the value 5 and a key below it, a.b.c: leave one of them out$"):
            nested(keys)
