import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from made_choice import conclude_from, make_choice, make_evidence, make_weights

from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.choosing.page import choice_html
from lit_cnn.experiment.files import configs_of
from lit_cnn.experiment.parser import RecipeCLI


def test_the_fastest_of_the_ties_is_recommended_and_said_why(tmp_path: Path) -> None:
    chosen = make_choice(tmp_path)
    assert chosen.recommended == "fast-16"
    assert chosen.ties == ["slow-16", "fast-16"]
    assert chosen.front == ["fast-16", "slow-16"]
    assert chosen.why.startswith("cifar_resnet8 at 16 px, from random weights, classified 88.9 % of 36 images")
    assert "slow-16 was more accurate by 2.8 points (95 % interval -2.7 to 8.2), which is a tie (p = 1)" in chosen.why
    assert "in 5 folds" in chosen.why


def test_a_tie_that_is_as_accurate_is_not_said_to_be_less(tmp_path: Path) -> None:
    why = conclude_from(tmp_path, make_evidence(tmp_path, {"slow-16": 33, "fast-16": 33}, 9)).why
    assert "slow-16 was as accurate; of the 2 that tie this one is the fastest." in why
    assert "0.0 points" not in why


def test_stopped_candidates_are_named_only_where_there_are_some(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, {"slow-16": 33, "fast-16": 32}, 9)
    assert "stopped early" in conclude_from(tmp_path, evidence).untried["longer trainings"]
    evidence = replace(evidence, stands=[each for each in evidence.stands if each.finished])
    assert "stopped early" not in conclude_from(tmp_path, evidence).untried["longer trainings"]


def test_every_candidate_has_a_row_and_its_state(tmp_path: Path) -> None:
    chosen = make_choice(tmp_path)
    states = {row.name: row.state for row in chosen.rows}
    assert states == {
        "slow-16": "most accurate",
        "fast-16": "ties with the best",
        "known-96-pretrained": "less accurate",
        "weak-16": "stopped after 10 epochs",
    }
    assert chosen.row("known-96-pretrained").probe == 9 / 36
    assert chosen.rejected == {"parameters": 1}
    assert "late-16" in chosen.untried


def test_what_the_probe_has_left_out_says_by_how_much(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, {"slow-16": 33, "fast-16": 32}, 9)
    images = [f"image{number}" for number in range(36)]
    probes = {
        name: {image: number < right for number, image in enumerate(images)}
        for name, right in (("known-96-pretrained", 30), ("late-16", 3), ("weak-16", 29))
    }
    stands = [each for each in evidence.stands if each.name != "weak-16"]
    chosen = conclude_from(tmp_path, replace(evidence, probes=probes, stands=stands))
    assert chosen.row("late-16").state == "not trained: behind in the linear probe by 75.0 points"
    assert chosen.row("weak-16").state == "not trained: a tie in the linear probe, but slower"


def test_the_recipe_is_one_that_fit_takes_and_says_why(tmp_path: Path) -> None:
    chosen = make_choice(tmp_path)
    text = Path(chosen.recipe).read_text()
    assert "# cifar_resnet8 at 16 px" in text
    assert yaml.safe_load(text)["trainer"]["max_epochs"] == 60
    config = RecipeCLI(["--config", chosen.recipe]).config
    assert (config.model.architecture, config.data.image_size) == ("cifar_resnet8", 16)
    assert config.model.schedule.name == "cosine"
    assert configs_of(Path(chosen.recipe)) == [Path(chosen.recipe)]  # as lit-cnn recipes needs it


def test_all_of_it_is_in_a_file(tmp_path: Path) -> None:
    chosen = make_choice(tmp_path)
    held = json.loads((tmp_path / "choice.json").read_text())
    assert held["recommended"] == chosen.recommended
    assert len(held["rows"]) == 4


def test_the_page_holds_the_figure_the_reasons_and_no_script(tmp_path: Path) -> None:
    html = choice_html(make_choice(tmp_path))
    assert "<svg" in html
    assert "<script" not in html
    for words in ("Recommended: fast-16", "late-16", "big-16", "Ties: slow-16, fast-16", "cifar_resnet8"):
        assert words in html, words


@pytest.mark.slow
@pytest.mark.parametrize(("trained", "counts", "frozen"), [(36, 36, False), (35, 35, True), (20, 35, True)])
def test_a_candidate_counts_by_the_better_of_its_probe_and_its_training(
    trained: int, counts: int, frozen: bool, tmp_path: Path
) -> None:
    """The probe has 35 of 36 right. The recipe starts from its classifier, and trains what has helped."""
    evidence = make_evidence(tmp_path, {"slow-16": 25, "known-96-pretrained": trained}, 35)
    assert evidence.verdict.name == "known-96-pretrained"
    file = make_weights(tmp_path / "start.ckpt", "efficientnet_lite0")
    chosen = conclude_from(tmp_path, evidence, HeadStart(str(file), 0.75))
    row = chosen.row("known-96-pretrained")
    assert (row.probe, row.trained, row.accuracy) == (35 / 36, trained / 36, counts / 36)
    assert row.state == ("most accurate, by the probe" if frozen else "most accurate")
    assert ("the recipe trains nothing else" in chosen.why) == frozen
    config = RecipeCLI(["--config", chosen.recipe]).config.model
    assert config.initial.checkpoint == str(file)
    assert config.initial.freeze_epochs == ("all" if frozen else 0)
    assert config.optimizer.learning_rate == 1e-4
    assert "75.0 % of the validation images" in choice_html(chosen)
    assert json.loads((tmp_path / "choice.json").read_text())["start"] == {"file": str(file), "accuracy": 0.75}
