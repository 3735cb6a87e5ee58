"""Which fact of tests/facts/recipes.json stands in which key of which recipe: 2012 to 2017.

Block -> recipe -> {path of the fact: key of the resolved recipe, or (key, conversion of the fact)}. Beside the recipe's
own keys there are ``rate``, the learning rate at the recipe's batch, ``rate_per_256``, ``epochs_per_stage`` and
``stage_sizes`` in px.
"""

from conversions import (
    AUXILIARY,
    CIFAR_CROP,
    DECAY,
    DECAY_OF,
    DROPOUT,
    EMA,
    EPOCHS,
    FLIP,
    IMAGENET,
    MOMENTUM,
    NESTEROV,
    PROCEDURE,
    RATE,
    RMSPROP,
    SCHEDULE,
    SCHEDULES,
    SIZE,
    SMOOTHING,
    SPARED,
    TPU_TABLE,
    WARMUP,
    Key,
    below,
    epochs_at,
    layers_copied,
    of_100_epochs,
    survival,
    twice,
)

# fmt: off
CLASSIC: dict[str, dict[str, dict[str, Key]]] = {
    "alexnet": {
        "alexnet": {
            **NESTEROV, **RATE, **WARMUP, **EPOCHS, **DECAY_OF, **SMOOTHING, **DROPOUT, **FLIP,
            "lr_schedule.kind": ("model.schedule", SCHEDULES.__getitem__),
            "lr_schedule.times": "model.schedule.plateau_drops",
            "augmentation.random_crop": "data.crop.central",
            "augmentation.pca_color.std": "data.color_jitter.lighting",
        },
        "overlays/alexnet_bvlc": below("reproduction.bvlc_caffe", {
            "learning_rate": "rate",
            "gamma": "model.schedule.step_factor",
            "batch_size_images": "data.batch_size",
            "step_iterations": ("model.schedule.step_epochs", lambda step: [
                round(times * step * 256 / IMAGENET, 2) for times in (1, 2, 3, 4)
            ]),
            "iterations": ("trainer.max_epochs", epochs_at(256)),
            "bias_decay_multiplier": ("model.optimizer.decay_excluded", {0: "norm_and_bias"}.__getitem__),
            "relighting": ("data.color_jitter.lighting", float),
            "top1_percent": "about.value",
            "input_px": "data.image_size",
        }),
    },
    "zfnet": {"zfnet": {
        **MOMENTUM, **RATE, **SCHEDULE, **WARMUP, **EPOCHS, **DROPOUT, **SIZE, **FLIP,
        "filter_renormalization": ("model.optimizer.filter_rms", lambda text: float(text.rsplit(" ", 1)[1])),
    }},
    "vgg": {
        "vgg16": {
            **MOMENTUM, **RATE, **SCHEDULE, **WARMUP, **EPOCHS, **DECAY, **DROPOUT, **SMOOTHING, **SIZE, **FLIP,
            "iterations": ("trainer.max_epochs", epochs_at(256)),
            "train_scales.single.0": ("data.crop.shorter_side", twice),
            "augmentation.random_crop": ("data.crop.kind", {"one crop per image per iteration": "shorter_side"}.get),
            "initialization.alternative": ("model.options.weight_init", lambda text: text.split()[0].lower()),
            "augmentation.rgb_color_shift": ("data.color_jitter.lighting", lambda on: 0.1 if on else 0.0),
        },
        "vgg11": {**MOMENTUM, **RATE, **SCHEDULE, **WARMUP, **EPOCHS, **DECAY, **DROPOUT, **SIZE},
        "overlays/vgg_paper_init": {
            "initialization.random": (
                "model.options.weight_init",
                lambda text: "paper" if "variance 1e-2" in text else None,
            )
        },
        **{
            f"overlays/vgg{depth}_grown": {"initialization.pretraining": ("model.initial", layers_copied)}
            for depth in (13, 16, 19)
        },
        "overlays/vgg_scale384": {
            "train_scales.single.1": ("data.crop.shorter_side", twice),
            "train_scales.s384": ("rate", lambda text: float(text.split()[-1])),
        },
        "overlays/vgg_scale_jitter": {"train_scales.jitter": "data.crop.shorter_side"},
    },
    "googlenet": {
        "googlenet": {
            **MOMENTUM, **SCHEDULE, **AUXILIARY, **SIZE, **DROPOUT,
            "augmentation.random_area_fraction": "data.crop.scale",
            "augmentation.aspect_ratio": ("data.crop.ratio", lambda pair: [pair[0], 1.3333333]),
            "reproduction.bvlc_googlenet.learning_rate": "model.optimizer.learning_rate",
            "reproduction.bvlc_googlenet.weight_decay": "model.optimizer.weight_decay",
            "reproduction.bvlc_googlenet.epochs": "trainer.max_epochs",
        },
        "overlays/googlenet_bvlc_quick": below("reproduction.bvlc_googlenet", {
            "learning_rate": "rate",
            "weight_decay": "model.optimizer.weight_decay",
            "quick_solver": ("model.schedule", SCHEDULES.__getitem__),
            "quick.epochs": "trainer.max_epochs",
            "quick.batch_size_images": "data.batch_size",
            "quick.momentum": "model.optimizer.momentum",
            "bias_decay_multiplier": ("model.optimizer.decay_excluded", {0: "norm_and_bias"}.__getitem__),
            "scale_augmentation": ("data.crop.kind", {False: "shorter_side"}.__getitem__),
            "relighting": ("data.color_jitter.brightness", float),
            "dropout_rates.2": "model.options.dropout",
            "loss_weights.0": "model.loss.auxiliary_weight",
            "top1_percent": "about.value",
        }),
    },
    "resnet_imagenet": {
        name: {
            **NESTEROV, **RATE, **SCHEDULE, **WARMUP, **DECAY, **SMOOTHING, **SIZE, **FLIP,
            "iterations_max": ("trainer.max_epochs", epochs_at(256)),
            "dropout_rate": ("model.options.dropout", lambda rate: rate or None),
            "augmentation.shorter_side_px": "data.crop.shorter_side",
            "augmentation.random_crop_px": "data.image_size",
        }
        for name in ("resnet50", "resnet152")
    } | {"overlays/resnet50_torch": below("torch_recipe_fb", {
        **EPOCHS, **RATE, **SCHEDULE,
        "weight_decay": ("model.optimizer.decay_excluded", SPARED.__getitem__),
        "stride": ("model.options.stride_in", lambda text: text.removeprefix("in the ")),
        "nesterov": "model.optimizer.nesterov",
        "zero_init_last_gamma": "model.options.zero_init_last",
    })},
    "resnet_cifar10": {
        "cifar10_resnet20": {
            **MOMENTUM, **RATE, **DECAY, **SIZE, **CIFAR_CROP,
            "lr_schedule.kind": ("model.schedule", SCHEDULES.__getitem__),
            "lr_schedule.divide_by": ("model.schedule.step_factor", lambda divisor: 1 / divisor),
            "lr_schedule.iterations": ("model.schedule.step_epochs", lambda steps: [round(s / 351, 2) for s in steps]),
            "lr_schedule.stop_iterations": ("trainer.max_epochs", lambda steps: round(steps / 351)),
            "epochs_equivalent_45k": "trainer.max_epochs",
            "errors_percent.20": ("about.value", lambda error: 100 - error),
        },
        "overlays/cifar10_resnet_torch": below("torch_recipe_fb", {
            **EPOCHS, "lr_drop_epochs": ("model.schedule.step_epochs", lambda numbers: [each - 1 for each in numbers]),
            "nesterov": "model.optimizer.nesterov",
        }),
    },
    "resnext": {"resnext101": {
        **MOMENTUM, **RATE, **SCHEDULE, **DECAY, **SIZE,
        "authors_code.nesterov": "model.optimizer.nesterov",
        "authors_code.imagenet_epochs": "trainer.max_epochs",
        "authors_code.imagenet_lr_schedule": ("model.schedule", of_100_epochs),
    }},
    "senet": {
        "se_resnext152": {**MOMENTUM, **RATE, **EPOCHS, **SIZE, "lr_schedule": ("model.schedule", of_100_epochs)},
        "overlays/se_resnext152_readme": below("released_readme", RATE),
    },
    "stochastic_depth": {"stochastic_depth_resnet110": {
        **NESTEROV, **DECAY, **CIFAR_CROP, **RATE,
        "epochs_cifar": "trainer.max_epochs",
        "lr_drop_epochs_cifar": "model.schedule.step_epochs",
        "lr_divide": ("model.schedule.step_factor", lambda divisor: 1 / divisor),
        "survival.p_final": ("model.options.drop_path", survival),
        "survival.gate": ("stochastic_depth.gate", lambda text: text.split()[-1].removeprefix("mini-")),
    }},
    "mobilenetv1": {
        "mobilenet_v1": {
            **PROCEDURE,
            "resolutions_px.0": "data.image_size",
            "slim_defaults.weight_decay": "model.optimizer.weight_decay",
            "slim_trainer_epsilon": "model.optimizer.epsilon",
        },
        "overlays/mobilenet_v1_tf_models": below("tf_models_tpu", TPU_TABLE),
    },
    "mobilenetv2": {
        "mobilenet_v2": {
            **RMSPROP, **RATE, **SCHEDULE, **DECAY,
            **below("torchvision", {
                "epochs": "trainer.max_epochs",
                "learning_rate": "rate",
                "weight_decay": "model.optimizer.weight_decay",
                "lr_gamma": "model.schedule.decay_rate",
                "lr_step_epochs": "model.schedule.decay_epochs",
            }),
            "slim.top1_percent": "about.value",
            "slim.trainer_epsilon": "model.optimizer.epsilon",
        },
        "overlays/mobilenet_v2_slim": below("slim", {
            **SMOOTHING, **EMA,
            "lr_decay_epochs": "model.schedule.decay_epochs",
            "lr_decay_factor": "model.schedule.decay_rate",
            "steps": ("trainer.max_epochs", epochs_at(8 * 96)),
            "gpus": ("data.batch_size", lambda gpus: gpus * 96),
        }),
        "overlays/mobilenet_v2_tf_models": below("tf_models_tpu", TPU_TABLE),
    },
    "shufflenet_v1": {
        "shufflenet": {
            **MOMENTUM, **RATE, **SCHEDULE, **DECAY, **SMOOTHING,
            "iterations": ("trainer.max_epochs", epochs_at(1024)),
            "authors_pytorch.momentum": "model.optimizer.momentum",
            "authors_pytorch.weight_decay_excluded": ("model.optimizer.decay_excluded", SPARED.__getitem__),
        },
        "overlays/shufflenet_released": below("authors_pytorch", {
            **SMOOTHING,
            "color_jitter": (
                "data.color_jitter",
                lambda strength: dict.fromkeys(("brightness", "contrast", "saturation"), strength),
            ),
            "random_area_fraction": "data.crop.scale",
        }),
    },
}
# fmt: on
