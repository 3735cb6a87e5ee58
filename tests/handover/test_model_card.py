"""The card is what the Hub reads, says what is recorded, and shows names as they are."""

import yaml
from fitted_run import FittedRun
from huggingface_hub import ModelCard
from nasty_names import NASTY

from lit_cnn.handover.card_facts import CardFacts, read_facts
from lit_cnn.handover.model_card import escaped, model_card
from lit_cnn.pretrained.imagenet import imagenet_classes
from lit_cnn.pretrained.model_folder import Written
from lit_cnn.run_folder.checkpoint import load_checkpoint

PREPROCESSING = {
    "image_size": [16, 16], "resize": 18, "resize_mode": "shorter_side", "interpolation": "bilinear",
    "mean": [0.5] * 3, "std": [0.25] * 3, "in_channels": 3,
}  # fmt: skip
TIMM, OWN = Written("resnet18", 2e-7), Written(None, reason="timm has no cifar_resnet8")


def checkpoint_of(names: list[str], **entries: object) -> dict[str, object]:
    network = {"architecture": "resnet18", "options": {}, "num_classes": len(names), "in_channels": 3}
    return {"network": network, "class_names": names, "preprocessing": PREPROCESSING, **entries}


def test_the_hub_reads_the_front_matter(fitted: FittedRun) -> None:
    facts = read_facts(fitted.best, load_checkpoint(fitted.best), 74_835)
    card = ModelCard(model_card(facts, OWN, "apache-2.0"))
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "lit-cnn"
    assert card.data.pipeline_tag == "image-classification"
    results = {result.metric_name: result.metric_value for result in card.data.eval_results or []}
    assert results["top-1 accuracy"] == round(facts.scores["acc1"], 6)
    assert {result.dataset_name for result in card.data.eval_results or []} == {"images"}


def test_the_card_says_what_the_run_recorded(fitted: FittedRun) -> None:
    facts = read_facts(fitted.best, load_checkpoint(fitted.best), 74_835)
    card = model_card(facts, OWN, "mit", pictures=["curves.png"])
    right = round(facts.scores["acc1"] * 12)
    assert f"| top-1 accuracy | {100 * facts.scores['acc1']:.2f} % | {right:,} of 12 |" in card
    assert "74,835 parameters, 3 classes" in card
    assert "3, in the order of the logits: blue, green, red." in card
    assert "data: images (imagefolder), images: 24 train, 12 val, 6 test" in card
    assert "sgd with a learning rate of 0.05 and a cosine schedule, epochs: 2, batches of 8 at 16 px, seed 0" in card
    assert "weights: averaged, after" in card
    assert "command: `lit-cnn fit --config tiny.yaml --runs runs`" in card
    assert "timm cannot load this folder: timm has no cifar\\_resnet8." in card
    assert "![loss and accuracy over the epochs](curves.png)" in card
    assert str(fitted.folder.parents[2]) not in card


def test_keys_that_were_changed_are_named() -> None:
    facts = CardFacts(checkpoint_of(["a"]), 1, environment={"changed": {"data.path": [None, "/home/me/pictures"]}})
    assert "changed: `data.path` null → pictures" in model_card(facts, OWN, "mit")


def test_weights_that_timm_loads_come_with_its_code() -> None:
    card = model_card(CardFacts(checkpoint_of(["a", "b"]), 1), TIMM, "mit", "me/model")
    assert 'timm.create_model("hf-hub:me/model", pretrained=True)' in card
    assert "lit-cnn pull hf-hub:me/model --out model.ckpt" in card
    assert ModelCard(card).data.library_name == "timm"
    assert 'timm.create_model("local-dir:FOLDER"' in model_card(CardFacts(checkpoint_of(["a"]), 1), TIMM, "mit")


def test_what_is_not_recorded_is_said_or_left_out() -> None:
    card = model_card(CardFacts(checkpoint_of(["a"]), 1), OWN, "none stated")
    assert "No figures were recorded" in card
    assert "nothing is recorded of it" in card
    assert "no license is stated" in card
    front = yaml.safe_load(card.split("---")[1])
    assert not {"license", "model-index", "base_model"} & front.keys()


def test_the_weights_it_comes_from_are_named() -> None:
    recipe = {"model": {"initial": {"checkpoint": "timm:resnet18.a1_in1k"}}}
    card = ModelCard(model_card(CardFacts(checkpoint_of(["a"], recipe=recipe), 1), TIMM, "apache-2.0"))
    assert card.data.base_model == "timm/resnet18.a1_in1k"
    assert "started from the weights of timm:resnet18.a1\\_in1k" in card.content
    proof = {"status": "unproven", "sentence": "nothing has checked it"}
    card = ModelCard(
        model_card(CardFacts(checkpoint_of(["a"], provenance={"source": "x", "proof": proof}), 1), OWN, "My License 2")
    )
    assert (card.data.license, card.data.license_name) == ("other", "My License 2")
    assert "- nothing has checked it" in card.content


def test_names_are_shown_as_they_are() -> None:
    names = [*NASTY, "<script>alert(1)</script>", "![x](http://a.b)", "---"]
    recipe = {"about": {"title": "a: b\n---\n# <img src=x>"}}
    facts = CardFacts(checkpoint_of(names, recipe=recipe), 1, data={"path": "/x/<b>", "source": "s"})
    card = model_card(facts, OWN, "mit")
    card.encode("utf-8")
    assert card.count("\n---\n") == 1  # the front matter's end
    body = card.split("\n---\n", 1)[1]
    assert "<script>" not in body
    assert "<img" not in body
    assert "![x](http" not in body
    assert "\x1b" not in card
    assert ModelCard(card).data.license == "mit"
    assert escaped("a_b|c<d>\n") == r"a\_b\|c&lt;d&gt;\\n"


def test_many_classes_are_folded_away() -> None:
    many = model_card(CardFacts(checkpoint_of([f"class {number}" for number in range(100)]), 1), OWN, "mit")
    assert "<details><summary>100, in the order of the logits</summary>" in many
    known = [row.name for row in imagenet_classes()]
    assert "The 1000 classes of ImageNet, in its order." in model_card(CardFacts(checkpoint_of(known), 1), OWN, "mit")
