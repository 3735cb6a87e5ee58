"""The key of a recipe that was meant by a word that is none, and the sentence that says so."""

import difflib

from lit_cnn.experiment.jsonargparse_internals import missing_key, plain, section_given_a_value, unknown_key

WORDS = {
    "trainer.max_epochs": ("epoch", "epochs", "max_epochs", "num_epochs", "n_epochs", "num_train_epochs"),
    "trainer.max_steps": ("steps", "iterations", "max_iter", "max_iters"),
    "trainer.devices": ("devices", "gpus", "num_gpus", "n_gpus", "gpu"),
    "trainer.accelerator": ("device", "accelerator", "cpu", "cuda"),
    "trainer.num_nodes": ("nodes", "nnodes"),
    "trainer.precision": ("precision", "amp", "fp16", "bf16", "half", "mixed_precision"),
    "trainer.accumulate_grad_batches": (
        *("accumulate", "grad_accum", "grad_accum_steps", "accumulation_steps", "gradient_accumulation_steps"),
    ),
    "trainer.gradient_clip_val": ("clip_grad", "grad_clip", "gradient_clip", "max_grad_norm"),
    "trainer.default_root_dir": ("output_dir", "save_dir", "log_dir"),
    "seed_everything": ("seed", "random_seed", "random_state"),
    "model.architecture": ("arch", "architecture", "model", "network", "net", "backbone", "model_name"),
    "model.optimizer.learning_rate": ("lr", "lr0", "learning_rate", "base_lr", "max_lr"),
    "model.optimizer.weight_decay": ("wd", "weight_decay", "l2"),
    "model.optimizer.momentum": ("momentum",),
    "model.optimizer.name": ("opt", "optimizer", "optim"),
    "model.schedule.name": ("sched", "schedule", "scheduler", "lr_scheduler", "lr_schedule"),
    "model.schedule.warmup_epochs": ("warmup", "warmup_epochs"),
    "model.loss.name": ("loss", "criterion"),
    "model.loss.label_smoothing": ("label_smoothing", "smoothing"),
    "model.options.dropout": ("dropout", "drop"),
    "model.options.drop_path": ("drop_path", "drop_path_rate", "stochastic_depth_rate"),
    "model.initial.checkpoint": ("pretrained", "weights", "checkpoint", "finetune", "init_from", "load_from"),
    "model.initial.freeze_epochs": ("freeze", "freeze_backbone", "freeze_epochs", "frozen"),
    "data.path": ("data", "dataset", "data_dir", "data_path", "root", "data_root"),
    "data.batch_size": ("batch_size", "batch", "bs", "batchsize", "per_device_train_batch_size"),
    "data.image_size": ("image_size", "img_size", "imgsz", "size", "input_size", "resolution"),
    "data.workers": ("workers", "num_workers", "dataloader_num_workers"),
    "data.rand_augment.magnitude": ("rand_augment", "randaugment"),
    "data.mixup.alpha": ("mixup", "mixup_alpha"),
    "data.cutmix.alpha": ("cutmix", "cutmix_alpha"),
    "ema.decay": ("ema", "model_ema", "ema_decay"),
    "early_stopping.patience": ("patience", "early_stopping"),
    "tracking.mode": ("wandb", "tracking", "report_to"),
    "tracking.project": ("project", "wandb_project"),
}
"""Our key -> words of other programs that mean it, and sections whose value it is."""
MEANT = {word: key for key, words in WORDS.items() for word in words}
DERIVED = ("data.seed", "model.seed", "model.num_classes", "model.in_channels", "early_stopping.monitor")
"""Keys that follow from others."""
SHOWN = 8
"""Keys of a section that a message names."""


def explain(message: str, keys: list[str]) -> str:
    """Shorten a message of jsonargparse to one sentence, and suggest the nearest of ``keys`` for an unknown one."""
    if section := section_given_a_value(message):
        return value_for_section(*section, keys)
    if missing := missing_key(message):
        return f"{missing} is missing: state it in the recipe, or as --{missing} VALUE"
    name = unknown_key(message)
    if name is None:
        return plain(message)
    near = nearest_key(name, keys)
    return f"the recipe has no key {name!r}" + (f"; did you mean {near!r}?" if near else "")


def value_for_section(name: str, value: str, keys: list[str]) -> str:
    """The sentence on a section that was given a value: its keys, and the one whose value that may be."""
    below = [key.removeprefix(f"{name}.") for key in keys if key.startswith(f"{name}.")]
    inner = list(dict.fromkeys(key.partition(".")[0] for key in below))
    meant = MEANT.get(name.rpartition(".")[2])
    named = meant if meant in keys and meant.startswith(f"{name}.") else f"{name}.{below[0]}" if below else None
    more = f" and {len(inner) - SHOWN} more" if len(inner) > SHOWN else ""
    hint = f"; did you mean --{named} {value}?" if named else ""
    return f"{name} is a section with the keys {', '.join(inner[:SHOWN])}{more}, not a value ({value}){hint}"


def nearest_key(name: str, keys: list[str]) -> str | None:
    """The key that was meant: by a word of other programs, or by its last part, first among its siblings, then among
    all; None where none resembles it. What only describes a recipe, or follows from other keys, was never meant."""
    parent, _, last = name.replace("-", "_").rpartition(".")
    keys = [key for key in keys if key not in DERIVED and (parent == "about" or not key.startswith("about."))]
    siblings = {key.rpartition(".")[2]: key for key in keys if key.rpartition(".")[0] == parent}
    meant = MEANT.get(last.lower())
    section = parent.partition(".")[0]
    if meant in keys and last not in siblings and (not parent or meant.startswith(f"{section}.")):
        return meant
    if near := difflib.get_close_matches(last, siblings, n=1):
        return siblings[near[0]]
    if near := difflib.get_close_matches(name, keys, n=1, cutoff=0.75):
        return near[0]
    if near := difflib.get_close_matches(last, MEANT, n=1, cutoff=0.8):
        return MEANT[near[0]] if MEANT[near[0]] in keys and not parent else None
    return next(
        (key for key in keys if difflib.get_close_matches(last, [key.rpartition(".")[2]], n=1, cutoff=0.8)), None
    )
