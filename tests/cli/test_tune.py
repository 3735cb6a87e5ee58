import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.overlay import notes
from lit_cnn.benchmarking.tuner import KEYS, Tuner, choices_of, unneeded_workers
from lit_cnn.benchmarking.tuning import Settings
from lit_cnn.cli.main import main
from lit_cnn.experiment.files import read_yaml
from lit_cnn.experiment.identity import identity, leaves
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

TINY = ["--config", "quickstart", "--data.batch_size=4", "--data.image_size=8", "--trainer.precision=32-true"]
WORTH = {("trainer.precision", "bf16-mixed"): 1.5, ("model.optimizer.kernel", "fused"): 1.1, ("data.workers", 1): 0.5}


@pytest.fixture(autouse=True)
def native_bfloat16(machine: Any) -> None:
    """Let every machine try bfloat16."""
    machine(("avx512_bf16",))


@pytest.fixture(autouse=True)
def slow_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a step's time is loading, so that loader workers are tried."""
    monkeypatch.setattr(Tuner, "share_of_loading", lambda _, __: 0.5)


def fake(self: Tuner, best: Settings, challengers: Sequence[Settings]) -> list[Spread | str]:
    """Speeds by table, in place of a measurement."""

    def worth(settings: Settings) -> float:
        product = 1.0
        for key, value in settings.items():
            product *= WORTH.get((key, value), 1.0)
        return product

    self.tell("comparing")
    return [Spread(ratio, ratio, ratio, 9) for ratio in (worth(each) / worth(best) for each in challengers)]


def test_the_overlay_holds_the_winners_alone_and_fit_takes_it(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(Tuner, "compare", fake)
    overlay = tmp_path / "deep" / "tuned.yaml"
    assert main(["tune", *TINY, "--output", str(overlay)]) == 0
    out = capsys.readouterr().out
    assert "trainer.precision bf16-mixed, model.optimizer.kernel fused; all together 1.650" in out
    content = read_yaml(overlay)
    assert dict(leaves("", content)) == {"trainer.precision": "bf16-mixed", "model.optimizer.kernel": "fused"}
    assert identity(content) == {}  # what a run is stays as it is
    comment = overlay.read_text()
    for word in ("quickstart with --data.batch_size=4", "cores", "1.650", "fused: 1.100", "changes the numbers", "20"):
        assert word in comment
    assert max(len(line) for line in comment.splitlines() if "lit-cnn fit" not in line) <= 120
    cli = RecipeCLI(resolve_configs([*TINY, "--config", str(overlay)]))
    assert cli.config.model.optimizer.kernel == "fused"
    assert cli.config.model.optimizer.learning_rate == 0.1  # the recipe's


@pytest.mark.slow
def test_json_tells_all_trials(monkeypatch, capsys) -> None:
    monkeypatch.setattr(Tuner, "compare", fake)
    assert main(["tune", *TINY, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["changed"] == {"trainer.precision": "bf16-mixed", "model.optimizer.kernel": "fused"}
    assert found["gain"]["median"] == pytest.approx(1.65)
    assert ("data.workers", 1, False) in [(each["key"], each["value"], each["chosen"]) for each in found["trials"]]


@pytest.mark.slow
def test_nothing_faster_leaves_no_overlay(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(Tuner, "compare", lambda _, __, challengers: [Spread(1.0, 0.9, 1.1, 9)] * len(challengers))
    assert main(["tune", *TINY, "--output", str(tmp_path / "tuned.yaml")]) == 0
    assert "nothing is faster" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("together", "words"),
    [(Spread(0.8, 0.75, 0.85, 9), "is 0.800 [0.750, 0.850] times the recipe's own speed"), ("no GPU", "(no GPU)")],
)
def test_what_gains_alone_but_not_together_leaves_no_overlay(
    tmp_path: Path, monkeypatch, capsys, together: Spread | str, words: str
) -> None:
    def compare(self: Tuner, best: Settings, challengers: Sequence[Settings]) -> list[Spread | str]:
        changed = sum(challengers[0][key] != best[key] for key in KEYS)
        return [together] if changed > 1 else fake(self, best, challengers)

    monkeypatch.setattr(Tuner, "compare", compare)
    assert main(["tune", *TINY, "--output", str(tmp_path / "tuned.yaml")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert words in out
    assert "no overlay is written" in out
    assert not list(tmp_path.iterdir())
    assert main(["tune", *TINY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] == {}


@pytest.mark.slow
def test_workers_are_not_tried_where_loading_takes_no_time(monkeypatch, capsys) -> None:
    monkeypatch.setattr(Tuner, "compare", fake)
    monkeypatch.setattr(Tuner, "share_of_loading", lambda _, __: 0.004)
    assert main(["tune", *TINY, "--json"]) == 0
    assert "data.workers" not in [each["key"] for each in json.loads(capsys.readouterr().out)["trials"]]
    assert main(["tune", *TINY]) == 0
    assert "data.workers was not tried: without workers loading is 0.40 % of a training step" in capsys.readouterr().out
    assert unneeded_workers(0.01) is None


@pytest.mark.slow
def test_trials_do_not_repeat_what_a_recipe_says_of_its_network(capsys, monkeypatch) -> None:
    monkeypatch.undo()
    tuner = Tuner([*TINY, "--model.initial.whitening=true"])
    tuner.seconds = 0.0
    assert 0 < tuner.share_of_loading(tuner.start()) < 1
    tuner.compare(tuner.start(), [{**tuner.start(), "model.channels_last": False}])
    assert "whitens" not in capsys.readouterr().out


@pytest.mark.slow
def test_steps_are_compared_and_threads_are_put_back() -> None:
    tuner = Tuner(TINY)
    tuner.seconds = 0.0
    start, threads = tuner.start(), torch.get_num_threads()
    assert tuple(start) == KEYS
    challengers = [
        {**start, "trainer.precision": "bf16-mixed", "model.channels_last": False, "machine.threads": 1 + threads % 2},
        {**start, "trainer.precision": "bf16-mixed", "model.optimizer.kernel": "nonsense"},
    ]
    measured, failed = tuner.compare(start, challengers)
    assert isinstance(measured, Spread)
    assert measured.median > 0
    assert "nonsense" in str(failed)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_an_emulated_precision_is_not_tried_and_the_reason_is_given(machine: Any, monkeypatch, capsys) -> None:
    machine(("avx2",))
    monkeypatch.setattr(Tuner, "compare", fake)
    assert main(["tune", *TINY]) == 0
    out = capsys.readouterr().out
    assert "trainer.precision bf16-mixed was not tried: this CPU has no bfloat16 instructions" in out
    assert "best: model.optimizer.kernel fused" in out


@pytest.mark.slow
def test_auto_is_the_precision_that_a_run_would_take(machine: Any) -> None:
    for instruction, expected in (("avx512_bf16", "bf16-mixed"), ("avx2", "32-true")):
        machine((instruction,))
        assert Tuner([*TINY, "--trainer.precision=auto"]).start()["trainer.precision"] == expected


@pytest.mark.slow
def test_workers_are_compared_on_the_loader() -> None:
    tuner = Tuner(TINY)
    tuner.seconds = 0.0
    start = tuner.start()
    (speed,) = tuner.compare(start, [{**start, "data.workers": 1}])
    assert isinstance(speed, Spread)
    assert speed.rounds == 6


@pytest.mark.slow
def test_a_batch_that_exceeds_the_images_is_limited_to_them_as_fit_does_it() -> None:
    tuner = Tuner([*TINY, "--data.batch_size=2000"])
    assert len(tuner._batch.images) == 1438
    assert tuner._build(tuner.start())[0].data.batch_size == 1438


@pytest.mark.slow
def test_what_is_tried_depends_on_the_recipe() -> None:
    tuner = Tuner(TINY)
    choices = choices_of(tuner.start(), tuner.recipe, with_compile=True)
    assert choices["model.compile"] == (False, True)
    assert choices["model.optimizer.kernel"] == ("loop", "foreach", "fused")
    assert 0 not in choices["data.workers"]  # a set in memory has none by itself
    own = Tuner([*TINY, "--model.optimizer.name=rmsprop"])
    without = choices_of(own.start(), own.recipe, with_compile=False)
    assert not {"model.optimizer.kernel", "model.compile"} & without.keys()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--config", "quickstrat"], "did you mean quickstart?"),
        ([*TINY, "--data.batch_sise=3"], "did you mean 'data.batch_size'?"),
        ([*TINY, "--seconds", "-1"], "--seconds must be at least 0"),
        ([*TINY, "--trainer.precision=16-mixed"], "32-true and bf16-mixed can be timed, but the recipe has"),
    ],
)
def test_errors_are_one_sentence(arguments: list[str], sentence: str, capsys) -> None:
    assert main(["tune", *arguments]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lit-cnn:")]
    assert len(lines) == 1
    assert sentence in lines[0]


@pytest.mark.slow
def test_compiling_is_charged_to_the_steps_of_the_run_and_said() -> None:
    tuner = Tuner([*TINY, "--trainer.max_epochs=1", "--trainer.limit_train_batches=2"])
    tuner.seconds = 0.0
    tuned = tuner.tune({"model.compile": (False, True)})
    assert tuned.payback is not None
    assert tuned.payback.run_steps == 2
    assert tuned.changed == {}  # two steps do not pay for a compilation
    assert isinstance(tuned.trials[0].speed, Spread)
    assert tuned.trials[0].speed.median < 0.5
    assert notes(tuned)[0].startswith("model.compile: compiling took ")
