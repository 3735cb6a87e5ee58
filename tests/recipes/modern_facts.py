"""Which fact of tests/facts/recipes.json stands in which key of which recipe: 2017 to 2021.

Block -> recipe -> {path of the fact: key of the resolved recipe, or (key, conversion of the fact)}. Beside the recipe's
own keys there are ``rate``, the learning rate at the recipe's batch, ``rate_per_256``, ``epochs_per_stage`` and
``stage_sizes`` in px.
"""

from conversions import (
    AUXILIARY,
    DECAY,
    DECAY_OF,
    DROPOUT,
    EMA,
    EPOCHS,
    MOMENTUM,
    NESTEROV,
    POLICIES,
    PROCEDURE,
    RATE,
    RMSPROP,
    SCHEDULE,
    SCHEDULES,
    SMOOTHING,
    SPARED,
    WARMUP,
    Key,
    below,
    epochs_at,
    optimizer,
    survival,
)

NFNET_ROW: dict[str, Key] = {
    "train_resolution_px": "data.image_size",
    "test_resolution_px": "data.evaluation.image_size",
    "dropout_rate": "model.options.dropout",
    "randaugment_magnitude": "data.rand_augment.magnitude",
    "sam": ("model.sam.rho", lambda trained: 0.05 if trained is True else 0.0),
}
RESNET_RS_ROW: dict[str, Key] = {
    "depth": ("model.architecture", lambda depth: f"resnet_rs_{depth}"),
    "resolution_px": "data.image_size",
    "dropout_rate": "model.options.dropout",
    "stochastic_depth_rate": "model.options.drop_path",
    "randaugment_magnitude": "data.rand_augment.magnitude",
    "top1_percent": "about.value",
}
RESNET_RS_ROWS = (
    *((101, 160), (101, 192), (152, 192), (152, 224), (152, 256)),
    *((200, 256), (270, 256), (350, 256), (350, 320), (420, 320)),
)
# fmt: off
MODERN: dict[str, dict[str, dict[str, Key]]] = {
    "nasnet": {
        name: below("imagenet", {
            **PROCEDURE, **SMOOTHING, **AUXILIARY, **DROPOUT, **EMA,
            "optimizer.decay": "model.optimizer.rho",
            "optimizer.epsilon": "model.optimizer.epsilon",
            "slim_trainer.momentum": "model.optimizer.momentum",
            "slim_trainer.decay": "model.optimizer.rho",
            "slim_trainer.epsilon": "model.optimizer.epsilon",
            **below(net, {
                "resolution_px": "data.image_size",
                "batch_size_per_replica_images": "model.optimizer.base_batch_size",
                "replicas": ("data.batch_size", lambda replicas, images=images: replicas * images),
                "learning_rate_per_replica": "model.optimizer.learning_rate",
                "weight_decay": "model.optimizer.weight_decay",
                "drop_path_keep_prob": ("model.options.drop_path", survival),
            }),
            "large.lr_decay": "model.schedule.decay_rate",
            "large.lr_decay_epochs": "model.schedule.decay_epochs",
            "large.gradient_clip_norm": "model.clipping.limit",
        }) | {"schedule_steps": ("trainer.max_epochs", epochs_at(1600))}
        for name, net, images in (("nasnet_a_mobile", "mobile", 32), ("overlays/nasnet_a_large", "large", 16))
    },
    "amoebanet": {
        "amoebanet_a": below("imagenet", {
            **PROCEDURE, **DECAY, **SMOOTHING, **AUXILIARY, **DROPOUT,
            "resolution_px": "data.image_size",
            "optimizer.decay": "model.optimizer.rho",
            "optimizer.epsilon": "model.optimizer.epsilon",
            "replicas": ("data.batch_size", lambda replicas: 16 * replicas),
            "scheduled_drop_path_keep_prob": ("model.options.drop_path", survival),
            "learning_rate": "model.optimizer.learning_rate",
            "lr_decay": "model.schedule.decay_rate",
            "lr_decay_epochs": "model.schedule.decay_epochs",
        }),
        "overlays/amoebanet_a_tpu": below("tpu_code", {
            **RMSPROP, **RATE, **WARMUP, **EPOCHS, **EMA, **DECAY,
            "resolution_px": "data.image_size",
            "optimizer.epsilon": "model.optimizer.epsilon",
            "lr_decay": "model.schedule.decay_rate",
            "lr_decay_epochs": "model.schedule.decay_epochs",
            "gradient_clip_norm": "model.clipping.limit",
            "drop_path_keep_prob": ("model.options.drop_path", survival),
        }),
    },
    "efficientnet": {
        "efficientnet_b0": {
            **RMSPROP, **SCHEDULE, **WARMUP, **EPOCHS, **DECAY_OF, **SMOOTHING, **EMA,
            "learning_rate": "rate",
            "lr_note": ("rate_per_256", lambda text: float(text.split()[0])),
            "optimizer.epsilon": "model.optimizer.epsilon",
            "warmup_from": "model.schedule.warmup_start_factor",
            "stochastic_depth.rate_last": "model.options.drop_path",
            "augmentation": ("data.auto_augment", POLICIES.__getitem__),
            "interpolation": "data.crop.interpolation",
            "eval_crop": ("data.evaluation.crop_ratio", lambda text: float(text.split()[-3])),
            "readme_results_top1_percent.autoaugment.b0": "about.value",
            "variants.b0.resolution_px": "data.image_size",
            "variants.b0.dropout_rate": "model.options.dropout",
            "variants.b0.stochastic_depth_rate": "model.options.drop_path",
        },
        "overlays/efficientnet_plain": {"readme_results_top1_percent.plain_augmentation.b0": "about.value"},
        **{
            f"overlays/efficientnet_{name}": {
                f"variants.{name}.resolution_px": "data.image_size",
                f"variants.{name}.dropout_rate": "model.options.dropout",
                f"variants.{name}.stochastic_depth_rate": "model.options.drop_path",
                f"readme_results_top1_percent.autoaugment.{name}": "about.value",
            }
            for name in ("b1", "b2", "b3", "b4", "b5", "b6", "b7")
        },
    },
    "randaugment": {
        "rand_augment_resnet50": {
            "settings.10.n": "data.rand_augment.layers",
            "settings.10.m": "data.rand_augment.magnitude",
            **below("training.resnet50", {
                "epochs": "trainer.max_epochs",
                "lr_per_256": "rate_per_256",
                "batch_size_images": "data.batch_size",
                "weight_decay": "model.optimizer.weight_decay",
            }),
        },
        **{
            f"overlays/efficientnet_rand_augment_{name}": {
                f"settings.{row}.n": "data.rand_augment.layers",
                f"settings.{row}.m": "data.rand_augment.magnitude",
                **below("training.efficientnet", {
                    "epochs": "trainer.max_epochs",
                    "lr_per_256": "rate_per_256",
                    "batch_size_images": "data.batch_size",
                }),
            }
            for name, row in (("b5", 11), ("b7", 12))
        },
        "overlays/rand_augment_released": {
            "code_ops": ("data.rand_augment.operations", {16: "released", 14: "paper"}.__getitem__)
        },
    },
    "mixup": {"overlays/mixup_resnet18": {
        "alpha_cifar_code": "data.mixup.alpha",
        "alpha_cifar_paper": "data.mixup.alpha",
        "authors_repository.weight_decay": "model.optimizer.weight_decay",
        "authors_repository.mixup_error_percent": ("about.value", lambda error: 100 - error),
        "lambda_scope": ("data.mixing.per_image", {"one lambda per mini-batch (code)": False}.__getitem__),
        **below("code_training", {
            **MOMENTUM, **RATE, **EPOCHS, **DECAY, "lr_drop_epochs": "model.schedule.step_epochs",
        }),
    }},
    "cutout": {"cutout_resnet18": {
        "length_px.cifar10": "data.cutout.size",
        "applied": ("data.cutout.probability", lambda text: 1.0 if text.startswith("every image") else None),
        **below("training", {
            **NESTEROV, **RATE, **EPOCHS, **DECAY,
            "lr_drop_epochs": "model.schedule.step_epochs",
            "lr_factor": "model.schedule.step_factor",
        }),
    }},
    "cutmix": {
        "cutmix_resnet50": {
            "alpha": "data.cutmix.alpha",
            "lambda_scope": ("data.mixing.per_image", {"one box per mini-batch in code": False}.__getitem__),
            "probability.imagenet_code": "data.cutmix.probability",
            **below("imagenet_training", {
                **RATE, **EPOCHS,
                "lr_drop_epochs": "model.schedule.step_epochs",
                "model": ("model.architecture", lambda text: text.lower().replace("-", "")),
                "top1_error_percent": ("about.value", lambda error: 100 - error),
            }),
        },
        "overlays/cutmix_resnet18": {
            "alpha": "data.cutmix.alpha",
            "probability.cifar_code": "data.cutmix.probability",
            **below("cifar_training", {
                **RATE, **EPOCHS, **DECAY,
                "lr_drop_epochs": "model.schedule.step_epochs",
                "nesterov": "model.optimizer.nesterov",
            }),
        },
    },
    "nfnet": {
        "nfnet_f0": {
            **NESTEROV, **RATE, **EPOCHS, **WARMUP, **SCHEDULE, **DECAY_OF, **SMOOTHING, **EMA,
            "warmup_from": "model.schedule.warmup_start_factor",
            "lr_rule": ("rate_per_256", lambda rule: float(rule.split("*")[0])),
            "eval_resize": (
                "data.evaluation",
                lambda text: {"crop_ratio": round(256 / (256 + 32), 4), "interpolation": text.split()[-1]},
            ),
            "agc.lambda_": "model.clipping.limit",
            "ema_warmup": ("ema.warmup", lambda rule: rule == "(1+t)/(10+t)"),
            "stochastic_depth.rate": "model.options.drop_path",
            "augmentation.mixup_alpha": "data.mixup.alpha",
            "augmentation.cutmix_lambda": ("data.cutmix.alpha", {"uniform(0,1)": 1.0}.__getitem__),
            "augmentation.lambda_scope": ("data.mixing.per_image", lambda scope: scope == "per image"),
            "augmentation.randaugment_layers": "data.rand_augment.layers",
            "augmentation.order": ("data.mixing.first", lambda order: order.startswith("mixing first")),
            **below("variants.f0", NFNET_ROW),
        },
        **{
            f"overlays/nfnet_f{number}": below(f"variants.f{number}", NFNET_ROW) | (
                {"sam.rho": "model.sam.rho", "sam.ascent_batch_fraction": "model.sam.ascent_fraction"}
                if number == 6 else {}
            )
            for number in range(1, 7)
        },
        "overlays/nfnet_f5_sam": {
            "variants.f5.sam": ("model.sam.rho", {"optional": 0.05}.__getitem__),
            "sam.ascent_batch_fraction": "model.sam.ascent_fraction",
        },
    },
    "resnet_rs": {
        "resnet_rs": {
            **MOMENTUM, **RATE, **EPOCHS, **WARMUP, **DECAY_OF, **SMOOTHING, **EMA,
            "optimizer.nesterov": ("model.optimizer.nesterov", lambda text: text.startswith("True")),
            "lr_per_256": "rate_per_256",
            "lr_schedule_paper": ("model.schedule", SCHEDULES.__getitem__),
            "lr_schedule_tf_models": ("model.schedule.name", lambda text: text.split(",")[0]),
            "randaugment_layers": "data.rand_augment.layers",
            "zero_gamma": "model.options.zero_init_last",
            **below("variants.0", RESNET_RS_ROW),
        },
        **{
            f"overlays/resnet_rs_{depth}_{size}": below(f"variants.{row}", RESNET_RS_ROW)
            for row, (depth, size) in enumerate(RESNET_RS_ROWS, start=1)
        },
        "overlays/resnet_rs_step_schedule": {"lr_schedule_tpu_code": ("model.schedule", SCHEDULES.__getitem__)},
    },
    "efficientnetv2": {
        "efficientnet_v2_s": {
            **RMSPROP, **RATE, **EPOCHS, **WARMUP, **SCHEDULE, **DECAY_OF, **SMOOTHING, **EMA,
            "lr_per_256": "rate_per_256",
            "optimizer.epsilon": "model.optimizer.epsilon",
            "gradient_clip_norm": ("model.clipping.kind", {0: "none"}.__getitem__),
            "bn.decay_paper": ("model.options.norm_momentum", survival),
            "stochastic_depth_survival": ("model.options.drop_path", survival),
            "stages": "progressive_learning.stages",
            "epochs_per_stage": "epochs_per_stage",
            "randaugment_layers": "data.rand_augment.layers",
            "results_top1_percent.s": "about.value",
            **below("paper_table6.min", {
                "resolution_px": "progressive_learning.image_size",
                "randaugment": "progressive_learning.magnitude",
                "mixup": "data.mixup.alpha",
                "dropout_rate": "progressive_learning.dropout",
            }),
            **below("paper_table6.s_max", {
                "resolution_px": "data.image_size",
                "randaugment": "data.rand_augment.magnitude",
                "mixup": "data.mixup.alpha",
                "dropout_rate": "model.options.dropout",
            }),
        },
        **{f"overlays/efficientnet_v2_{net}": {f"results_top1_percent.{net}": "about.value"} for net in "ml"},
        **{
            f"overlays/efficientnet_v2_{net}_released": {
                **below(f"released_configs.{net}", {
                    "train_px": "data.image_size",
                    "eval_px": "data.evaluation.image_size",
                    "dropout_rate": "model.options.dropout",
                    "randaugment": "data.rand_augment.magnitude",
                    "mixup_cutmix": "data.mixup.alpha",
                }),
                "bn.decay_code": ("model.options.norm_momentum", survival),
                **({"released_progressive.stage_sizes_s_px": "stage_sizes"} if net == "s" else {
                    "released_progressive.mixup_cutmix": (
                        "progressive_learning",
                        lambda text: dict.fromkeys(("mixup", "cutmix"), float(text.split()[1][0])),
                    ),
                }),
                "released_progressive.stage_size": (
                    "progressive_learning.includes_start",
                    lambda rule: "(s+1)" not in rule,
                ),
                "released_progressive.randaugment": (
                    "progressive_learning.magnitude",
                    lambda text: float(text.split()[1][0]),
                ),
            }
            for net in "sml"
        },
    },
    "resnet_strikes_back": {
        f"rsb_{name}": {
            **below("common", {
                "optimizer": ("model.optimizer.name", optimizer),
                "loss": ("model.loss.name", lambda text: text.replace("-", "_").replace(" ", "_")),
                "batch_size_images": "data.batch_size",
                **SCHEDULE, **WARMUP,
                "test_crop_ratio": "data.evaluation.crop_ratio",
                "weight_decay_excluded": ("model.optimizer.decay_excluded", SPARED.__getitem__),
            }),
            **below(name, {
                "epochs": "trainer.max_epochs",
                "learning_rate": "rate",
                "weight_decay": "model.optimizer.weight_decay",
                "label_smoothing": "model.loss.label_smoothing",
                "mixup_alpha": "data.mixup.alpha",
                "cutmix_alpha": "data.cutmix.alpha",
                "randaugment": ("data.rand_augment", lambda text: {
                    "magnitude": float(text.split("/")[0]), "magnitude_std": float(text.split("/")[1]),
                }),
                "stochastic_depth_rate": "model.options.drop_path",
                "repeated_augmentation": ("data.repeats", lambda on: 3 if on else 1),
                "train_px": "data.image_size",
                "top1_percent_224": "about.value",
            }),
        }
        for name in ("a1", "a2", "a3")
    },
    "torchvision_new_recipe": {"overlays/resnet50_torchvision": {
        **MOMENTUM, **RATE, **EPOCHS, **WARMUP, **SCHEDULE, **DECAY, **SMOOTHING,
        "auto_augment": ("data.auto_augment", POLICIES.__getitem__),
        "warmup_decay": "model.schedule.warmup_start_factor",
        "ema.effective_decay": ("ema.decay", lambda decay: round(decay ** (1 / 32), 6)),  # every step, not every 32
        "random_erase": "data.random_erasing.probability",
        "mixup_alpha": "data.mixup.alpha",
        "cutmix_alpha": "data.cutmix.alpha",
        "norm_weight_decay": ("model.optimizer.decay_excluded", {0.0: "norm"}.__getitem__),
        "train_crop_px": "data.image_size",
        "val_resize_px": ("data.evaluation.crop_ratio", lambda side: round(224 / side, 4)),
        "val_crop_px": "data.evaluation.image_size",
        "repeated_augmentation_reps": "data.repeats",
        "results.resnet50_v2_top1_percent": "about.value",
    }},
}
# fmt: on
