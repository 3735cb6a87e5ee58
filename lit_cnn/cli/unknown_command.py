"""What is said of a word that is not a command: the command that was meant, or what exists for what it names."""

import difflib
from collections.abc import Collection

from lit_cnn.experiment.files import find_recipe

MEANT = {
    "train": "lit-cnn fit RECIPE trains a recipe",
    "finetune": "lit-cnn fit RECIPE --model.initial.checkpoint CKPT starts from trained weights",
    "fine-tune": "lit-cnn fit RECIPE --model.initial.checkpoint CKPT starts from trained weights",
    "resume": "lit-cnn fit --resume RUN continues a run",
    "continue": "lit-cnn fit --resume RUN continues a run",
    "val": "lit-cnn validate CKPT evaluates a checkpoint",
    "eval": "lit-cnn validate CKPT evaluates a checkpoint",
    "evaluate": "lit-cnn validate CKPT evaluates a checkpoint",
    "score": "lit-cnn validate CKPT evaluates a checkpoint",
    "infer": "lit-cnn predict CKPT IMAGES names the classes of images",
    "inference": "lit-cnn predict CKPT IMAGES names the classes of images",
    "classify": "lit-cnn predict CKPT IMAGES names the classes of images",
    "search": "lit-cnn sweep --config RECIPE --space SPACE --sweep-dir DIR tries values of recipe keys",
    "hpo": "lit-cnn sweep --config RECIPE --space SPACE --sweep-dir DIR tries values of recipe keys",
    "optimize": "lit-cnn sweep tries values of recipe keys, lit-cnn tune machine settings",
    "benchmark": "lit-cnn bench NAME measures speed",
    "speed": "lit-cnn bench NAME measures speed",
    "flops": "lit-cnn profile NAME counts parameters and multiply-adds",
    "params": "lit-cnn profile NAME counts parameters and multiply-adds",
    "summary": "lit-cnn models show NAME lists a network's stages",
    "info": "lit-cnn models show NAME lists a network's stages",
    "list": "lit-cnn models lists the networks, lit-cnn recipes the recipes",
    "show": "lit-cnn models show NAME, lit-cnn config show RECIPE and lit-cnn data show --config RECIPE exist",
    "diff": "lit-cnn config diff OLD NEW prints the keys that differ",
    "keys": "lit-cnn fit --keys PREFIX lists the keys of a recipe",
    "pack": "lit-cnn data pack SRC DEST packs a folder into shards",
    "doctor": "lit-cnn check PATH looks at data, a checkpoint or a run",
    "upload": "lit-cnn push CKPT hf-hub:USER/REPO uploads a model with its card",
    "publish": "lit-cnn push CKPT DEST hands a model on as a folder that timm loads",
    "download": "lit-cnn pull hf-hub:USER/REPO downloads a model",
    "export": "checkpoints/weights.safetensors of a run holds its weights, and lit_cnn.load_model(CKPT).network is a "
    "torch module for torch.onnx.export",
}
"""Words of other programs -> what there is."""


def explain_unknown(word: str, commands: Collection[str]) -> str:
    """The sentence on a first word that is not a command.

    Args:
        word: As typed.
        commands: Those that exist.
    """
    text = f"there is no command {word!r}"
    if word.startswith("-"):
        return f"a command stands first, as in lit-cnn fit {word}; lit-cnn --help lists the commands"
    if meant := MEANT.get(word.lower().replace("_", "-")):
        return f"{text}: {meant}"
    if near := difflib.get_close_matches(word.lower(), commands, n=1):
        return f"{text}; did you mean {near[0]!r}?"
    try:
        find_recipe(word)
    except ValueError:
        pass
    else:
        return f"{text}: lit-cnn fit {word} trains this recipe"
    if near := difflib.get_close_matches(word.lower(), MEANT, n=1, cutoff=0.8):
        return f"{text}: {MEANT[near[0]]}"
    return f"{text}; there are {', '.join(commands)}."
