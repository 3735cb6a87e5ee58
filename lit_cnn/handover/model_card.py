"""The model card of a checkpoint: Markdown with the front matter that the Hugging Face Hub reads.

It says only what the checkpoint and its run folder record: nothing is measured, and what is not recorded is left out.
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.handover.card_facts import CardFacts
from lit_cnn.pretrained.imagenet import imagenet_classes
from lit_cnn.pretrained.importing import PROVENANCE
from lit_cnn.pretrained.model_folder import Written
from lit_cnn.printable import printable
from lit_cnn.private_paths import command_without_folders, last_part, without_folders

NAMED = 60
"""Classes that the text names; more are folded away."""
PICTURES = {"curves.png": "loss and accuracy over the epochs", "confusion.png": "confusion of the classes"}
"""Pictures of a run that show none of its images -> what they show."""


def model_card(
    facts: CardFacts, written: Written, license_name: str, repository: str | None = None, pictures: Sequence[str] = ()
) -> str:
    """The card as text.

    Args:
        facts: Of the checkpoint and its run.
        written: How the folder that the card is of was written.
        license_name: Of the weights; ``none stated`` is said as such.
        repository: ``USER/REPO`` where the folder is uploaded.
        pictures: Those of PICTURES that the folder has.
    """
    parts = [
        f"# {escaped(facts.title)}",
        _summary(facts, license_name),
        "## Results\n\n" + "\n".join(_results(facts)),
        *(f"![{PICTURES[name]}]({name})" for name in pictures),
        "## Use\n\n" + _use(facts, written, repository),
        "## Classes\n\n" + _classes(facts.checkpoint["class_names"]),
        "## Preprocessing\n\n" + "\n".join(f"- {line}" for line in _preprocessing(facts)),
        "## Training\n\n" + "\n".join(f"- {line}" for line in _training(facts)),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in _limits(facts, license_name)),
    ]
    return f"---\n{_front_matter(facts, written, license_name)}---\n\n" + "\n\n".join(parts) + "\n"


def escaped(text: object) -> str:
    r"""Text on one line that Markdown shows as it is: ``a_<b>`` becomes ``a\_&lt;b&gt;``."""
    return html.escape(re.sub(r"([\\`*_{}\[\]|#$~!])", r"\\\1", printable(str(text))), quote=False)


def _front_matter(facts: CardFacts, written: Written, license_name: str) -> str:
    library, base = ("timm" if written.timm_name else "lit-cnn"), facts.base
    entries: dict[str, Any] = {"library_name": library, "pipeline_tag": "image-classification"}
    entries["tags"] = list(dict.fromkeys(["image-classification", library, "lit-cnn"]))
    if re.fullmatch(r"[a-z0-9.-]+", license_name):
        entries["license"] = license_name
    elif license_name != "none stated":
        entries |= {"license": "other", "license_name": printable(license_name)}
    if base is not None and base.hub_id is not None:
        entries["base_model"] = base.hub_id
    accuracies = {name: value for name, value in facts.scores.items() if name.startswith("acc")}
    if accuracies:
        entries["metrics"] = ["accuracy"]
        entries["model-index"] = [{"name": printable(facts.title), "results": [_index(facts, accuracies)]}]
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=10**6)


def _index(facts: CardFacts, accuracies: dict[str, float]) -> dict[str, Any]:
    """The accuracies as the Hub lists them."""
    data = facts.data
    dataset = {
        "type": str(data.get("source", "images")),
        "name": printable(last_part(str(data.get("path", "")))) or "images",
        "split": "validation",
    }
    metrics = [
        {"type": "accuracy", "value": round(value, 6), "name": f"top-{name.removeprefix('acc')} accuracy"}
        for name, value in accuracies.items()
    ]
    task = {"type": "image-classification", "name": "Image Classification"}
    return {"task": task, "dataset": dataset, "metrics": metrics}


def _summary(facts: CardFacts, license_name: str) -> str:
    network, classes = facts.checkpoint["network"], len(facts.checkpoint["class_names"])
    options = "".join(f", {key}={value}" for key, value in network["options"].items())
    source = facts.checkpoint.get(PROVENANCE, {}).get("source")
    origin = "Trained with lit-cnn." if source is None else f"The weights come from {escaped(without_folders(source))}."
    return (
        f"{escaped(network['architecture'] + options)}: {facts.params:,} parameters, {classes:,} classes, "
        f"{network['in_channels']} channels. {origin} License of the weights: {escaped(license_name)}."
    )


def _results(facts: CardFacts) -> Iterator[str]:
    """A table of the figures that the run has logged for these weights, with the images they were counted on."""
    images, scores = facts.validated, facts.scores
    if not scores:
        yield "No figures were recorded with these weights."
        return
    epoch = facts.checkpoint.get("epoch")
    after = "" if epoch is None else f" after epoch {epoch + 1}"
    counted = "the validation images" if images is None else f"{images:,} validation images"
    kept = f" ({escaped(facts.data['validation'])})" if facts.data.get("validation") else ""
    yield f"On {counted}{kept}{after}, counted during the training:"
    yield ""
    yield "| figure | value | images |"
    yield "|---|---:|---:|"
    for name, value in scores.items():
        if name.startswith("acc"):
            right = "" if images is None else f"{round(value * images):,} of {images:,}"
            yield f"| top-{name.removeprefix('acc')} accuracy | {100 * value:.2f} % | {right} |"
        else:
            yield f"| {escaped(name)} | {value:.4f} | {'' if images is None else f'{images:,}'} |"


def _use(facts: CardFacts, written: Written, repository: str | None) -> str:
    place = f"hf-hub:{repository}" if repository else "FOLDER"
    ours = (
        f"With lit-cnn, on the command line:\n\n```\nlit-cnn pull {place} --out model.ckpt\n"
        "lit-cnn predict model.ckpt photo.jpg\n```"
    )
    if written.timm_name is None:
        return f"timm cannot load this folder: {escaped(written.reason)}.\n\n{ours}"
    source = place if repository else "local-dir:FOLDER"
    mode = {1: "L", 3: "RGB", 4: "RGBA"}.get(facts.checkpoint["network"]["in_channels"], "RGB")
    return (
        f"With timm, which has the network as {escaped(written.timm_name)} (largest difference of its logits when the "
        f"folder was written, over the largest logit: {written.difference:.1e}):\n\n```python\n"
        "import timm\nfrom PIL import Image\n\n"
        f'network = timm.create_model("{source}", pretrained=True).eval()\n'
        "settings = timm.data.resolve_model_data_config(network)\n"
        "prepare = timm.data.create_transform(**settings, is_training=False)\n"
        f'image = prepare(Image.open("photo.jpg").convert("{mode}"))\n'
        "probabilities = network(image[None]).softmax(1)[0]\n"
        'print(network.pretrained_cfg["label_names"][int(probabilities.argmax())])\n```\n\n' + ours
    )


def _classes(names: Sequence[str]) -> str:
    if list(names) == [row.name for row in imagenet_classes()]:
        return "The 1000 classes of ImageNet, in its order."
    listed = ", ".join(escaped(name) for name in names)
    if len(names) <= NAMED:
        return f"{len(names):,}, in the order of the logits: {listed}."
    return f"<details><summary>{len(names):,}, in the order of the logits</summary>\n\n{listed}\n\n</details>"


def _preprocessing(facts: CardFacts) -> Iterator[str]:
    stated = Preprocessing.from_dict(facts.checkpoint["preprocessing"])
    height, width = stated.image_size
    how = "both sides" if stated.resize_mode == "squash" else "the shorter side"
    yield f"resize {how} to {stated.resize} px ({stated.interpolation}), crop the center {width}x{height} px"
    mean, std = (" ".join(f"{number:g}" for number in numbers) for numbers in (stated.mean, stated.std))
    yield f"pixels to 0 to 1, minus the mean {mean}, over the standard deviation {std}"
    background = "left as they are" if stated.background is None else f"on {stated.background}"
    levels = stated.levels or "full range"
    yield f"transparent pixels {background}; color profile: {stated.color_profile}; levels: {levels}"


def _training(facts: CardFacts) -> Iterator[str]:
    """What is recorded of data, recipe, changes and machine."""
    data, recipe, environment = facts.data, facts.recipe, facts.environment
    if data:
        counts = ", ".join(f"{count:,} {split}" for split, count in data.get("images", {}).items())
        name, source = last_part(str(data.get("path", ""))), data.get("source", "")
        yield f"data: {escaped(name)} ({escaped(source)}), images: {counts}"
    if recipe:
        about = recipe.get("about", {})
        paper = f", after {escaped(about['paper'])}" if about.get("paper") else ""
        name = facts.run_name.partition("/")[0]
        yield f"recipe: {escaped(name or facts.title)}{paper}; all of it is in recipe.yaml"
        yield from _settings(recipe)
    for key, change in facts.changed.items():
        yield f"changed: `{key}` {escaped(change)}"
    if facts.initial is not None:
        yield f"started from the weights of {escaped(facts.initial)}"
    averaged = "averaged" if facts.weights == "ema" and facts.keeps_average else "of the last step"
    if recipe:
        yield f"weights: {averaged}, after {facts.checkpoint.get('global_step', 0):,} steps"
    if environment:
        packages = ", ".join(f"{name} {version}" for name, version in environment.get("packages", {}).items())
        machine = environment.get("machine", {})
        yield f"environment: Python {escaped(environment.get('python', ''))}, {escaped(packages)}"
        yield f"machine: {escaped(machine.get('platform', ''))}, {machine.get('cores', '')} cores"
        shown = command_without_folders(environment.get("command", ""))  # a list in runs of older versions
        yield f"command: `{printable(shown).replace('`', '')}`"
    if not (data or recipe or environment):
        yield "nothing is recorded of it"


def _settings(recipe: dict[str, Any]) -> Iterator[str]:
    model, data = recipe.get("model", {}), recipe.get("data", {})
    optimizer, schedule = model.get("optimizer", {}), model.get("schedule", {})
    if optimizer:
        yield (
            f"{optimizer.get('name')} with a learning rate of {optimizer.get('learning_rate')} and a "
            f"{schedule.get('name')} schedule, epochs: {recipe.get('trainer', {}).get('max_epochs')}, batches of "
            f"{data.get('batch_size')} at {data.get('image_size')} px, seed {recipe.get('seed_everything')}"
        )


def _limits(facts: CardFacts, license_name: str) -> Iterator[str]:
    images = facts.validated
    yield (
        "the network names one of its classes for every image, also for one that shows none of them; its probabilities "
        "are as trained, and may be surer than it is right"
    )
    if facts.scores:
        counted = "the validation images" if images is None else f"{images:,} images"
        yield (
            f"the figures are of {counted} of the same source as the training images: others may be harder; an epoch "
            "that was chosen by them is flattered by the choice"
        )
    proof = facts.checkpoint.get(PROVENANCE, {}).get("proof", {})
    if proof.get("status") == "unproven":
        yield escaped(proof.get("sentence", "it is not proven that the weights sit where they belong"))
    if license_name == "none stated":
        yield "no license is stated: ask who trained the network before you use or share it"
    base = facts.base
    if base is not None and base.license_warning:
        yield escaped(base.license_warning.removeprefix("warning: "))
