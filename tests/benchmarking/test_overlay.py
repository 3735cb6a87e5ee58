"""The overlay that tuning leaves."""

from pathlib import Path

import yaml

from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.overlay import BF16_NOTE, notes, overlay_text
from lit_cnn.benchmarking.tuning import Trial, Tuned

GAIN = Spread(1.5, 1.4, 1.6, 9)


def tuned(**changed: object) -> Tuned:
    keys = {name.replace("__", "."): value for name, value in changed.items()}
    kept = [Trial(key, value, None, GAIN, True) for key, value in keys.items()]
    return Tuned(keys, keys, GAIN, [*kept, Trial("machine.threads", 8, 1, GAIN, False)])


def test_it_holds_the_winners_alone_and_how_they_were_found() -> None:
    text = overlay_text(tuned(data__workers=2, model__channels_last=True), ["small", "mine"], ["--a=1"], Path("o.yaml"))
    assert yaml.safe_load(text) == {"data": {"workers": 2}, "model": {"channels_last": True}}
    assert "Machine settings for small + mine with --a=1, measured by lit-cnn tune on" in text
    assert "#   lit-cnn fit --config small --config mine --config o.yaml" in text
    assert f"#   model.channels_last true: {GAIN}" in text
    assert "machine.threads" not in text


def test_only_bfloat16_changes_the_numbers_of_a_run() -> None:
    assert notes(tuned(data__workers=2)) == []
    assert notes(tuned(trainer__precision="bf16-mixed")) == [BF16_NOTE]
    assert "compare the accuracy" in overlay_text(tuned(trainer__precision="bf16-mixed"), ["small"], [], None)
