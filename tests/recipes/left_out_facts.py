"""Facts of ../shared/reference/recipes.json that no recipe repeats, and why. Paths are prefixes of dotted paths."""

DIFFERENT: dict[tuple[str, str], dict[str, str]] = {
    ("alexnet", "alexnet"): {
        "train_resolution_px": "227 px",
        "test": "one centre crop, not 10 patches",
        "preprocessing": "normalized per channel",
        "optimizer.momentum_form": "the rate multiplies the momentum's sum",
    },
    ("alexnet", "overlays/alexnet_bvlc"): {"reproduction.bvlc_caffe.bias_init": "not at 0.1"},
    ("zfnet", "zfnet"): {
        "weight_decay": "weight decay 5e-4",
        "augmentation.ten_fixed_crops": "instead of its 10 fixed ones",
        "resize": "Random crops of the central 256x256",
        "preprocessing": "normalized per channel",
    },
    ("vgg", "vgg16"): {"test.single_scale": "not the whole image"},
    ("googlenet", "googlenet"): {
        "learning_rate": "learning rate 0.01",
        "weight_averaging": "the average's decay 0.9999",
        "augmentation.photometric": "colour jitter of strength 0.4",
        "augmentation.interpolation": "draws the interpolation at random",
        "optimizer.name": "Its SGD is asynchronous",
    },
    ("resnet_imagenet", "resnet50"): {
        "augmentation.per_pixel_mean": "normalized per channel",
        "bn_inference": "recompute them after training",
    },
    ("resnet_imagenet", "resnet152"): {"augmentation.per_pixel_mean": "normalized per channel"},
    ("resnet_cifar10", "cifar10_resnet20"): {"augmentation.per_pixel_mean": "not by the per-pixel mean"},
    ("stochastic_depth", "stochastic_depth_resnet110"): {
        "shortcut": "averages 2x2 and pads",
        "survival.test": "survivors are scaled up in training",
    },
    ("mobilenetv1", "mobilenet_v1"): {
        "optimizer.decay": "without constants",
        "optimizer.epsilon": "Epsilon 1.0",
        "weight_decay": "little or none",
        "regularisation": "smaller distortions",
    },
    ("mobilenetv2", "mobilenet_v2"): {
        "optimizer.epsilon": "epsilon 1.0",
        "batch_note": "16 asynchronous workers of 96",
    },
    ("shufflenet_v1", "shufflenet"): {"augmentation": "less aggressive"},
    ("efficientnet", "efficientnet_b0"): {
        "batch_size_images": "the released code's default is 2048",
        "bn.group": "where the code groups replicas",
        "minival_images": "25,022 training images held out",
    },
    ("nfnet", "nfnet_f0"): {"augmentation.split": "splits the batch in halves"},
    ("resnet_rs", "resnet_rs"): {"bn_momentum_note": "sets its momentum to 0"},
}
"""(block, recipe) -> fact that the recipe leaves or the paper does not state -> words of its ``about.deviations``."""

UNVERIFIED: dict[str, tuple[str, ...]] = {
    "alexnet": (
        *("ablation_points.pca_colour", "reproduction.bvlc_caffe.batch_size_images"),
        *("reproduction.bvlc_caffe.step_iterations", "reproduction.bvlc_caffe.iterations"),
    ),
    "zfnet": ("initialisation.weights",),
    "googlenet": ("dropout_rate", "test", "hardware"),
    "resnet_cifar10": ("special.depth_1202",),
    "resnext": ("cifar.epochs", "cifar.lr_drop_epochs"),
    "senet": ("weight_decay",),
    "mobilenetv1": ("slim_defaults",),
    "shufflenet_v1": ("optimizer.momentum",),
    "nasnet": ("imagenet.optimizer.momentum", "cifar.optimizer.momentum"),
    "mixup": ("alpha_imagenet_paper", "imagenet"),
    "cutout": ("length_px.stl10",),
    "efficientnetv2": ("paper_table6",),
    "torchvision_new_recipe": ("warmup_decay", "ema.decay"),
}
"""Recalled, not checked, by the reference's own words (or resting on such a fact): no test may rest on them."""

EVERYWHERE = ("paper", "year", "dataset", "hardware", "duration", "disagreements", "unverified", "sources")
"""Words about a block."""

NO_KEY: dict[str, dict[str, tuple[str, ...]]] = {
    "lies in the network, where the architecture's tests are": {
        "alexnet": (
            "dropout_where",
            "initialisation",
            "local_response_norm",
            "pooling",
            "reproduction.bvlc_caffe.lrn_k",
        ),
        "zfnet": ("dropout_where", "initialisation.biases"),
        "vgg": ("dropout_where",),
        "googlenet": ("dropout_where", "aux_dropout_rate"),
        "resnet_imagenet": ("bn.position", "initialisation", "zero_gamma_note"),
        "resnet_cifar10": ("bn", "initialisation", "dropout_rate"),
        "resnext": ("stride", "initialisation"),
        "senet": ("initialisation", "reduction_ratio", "fc_bias"),
        "stochastic_depth": ("survival.rule", "survival.formula", "survival.blocks_L"),
        "mobilenetv1": ("width_multipliers",),
        "mobilenetv2": ("bn",),
        "shufflenet_v1": ("authors_pytorch.fc_bias", "authors_pytorch.init"),
        "nasnet": ("imagenet.large.stem", "imagenet.large.bn", "imagenet.mobile.stem", "initialisation", "drop_path"),
        "amoebanet": ("tpu_code.bn",),
        "efficientnet": (
            *("compound_scaling", "bn.decay", "bn.epsilon", "stochastic_depth.schedule", "stochastic_depth.scope"),
            *("initialisation", "activation", "se_ratio", *(f"variants.b{n}.width_coefficient" for n in range(8))),
            *(f"variants.b{n}.depth_coefficient" for n in range(8)),
        ),
        "nfnet": (
            *("agc", "stochastic_depth.schedule", "final_fc_init", "skip_gain_init", "residual_alpha", "activation"),
            *(f"variants.f{number}.depth" for number in range(7)),
        ),
        "resnet_rs": ("dropout_where", "se_ratio", "stem", "stochastic_depth_schedule", "depths"),
        "efficientnetv2": ("bn.epsilon", "activation"),
    },
    "lies in the data, where its tests are": {
        "alexnet": ("resize", "augmentation.pca_colour.per"),
        "vgg": ("preprocessing",),
        "randaugment": ("ops_paper", "ops", "magnitude_mode", "max_level", "code_ops_", "code_magnitude"),
        "mixup": ("pairing", "loss"),
        "cutout": ("holes", "centre", "fill"),
        "cutmix": ("lambda_distribution", "box"),
        "efficientnet": ("autoaugment",),
    },
    "is a result, a time or a test protocol beside the recipe's target": {
        "alexnet": ("ablation_points", "reproduction.bvlc_caffe.top5_percent", "epochs_note"),
        "vgg": ("test", "results"),
        "googlenet": ("reproduction.bvlc_googlenet.top5_percent",),
        "resnet_imagenet": ("test",),
        "resnet_cifar10": ("test", "split", "preact_paper", "errors_percent"),
        "resnext": ("gpus", "test", "seconds_per_batch"),
        "senet": ("test", "ensemble_top5", "released_readme.hardware"),
        "stochastic_depth": ("split", "training_time_hours", "p_final", "seconds_per_epoch"),
        "mobilenetv1": ("tf_models_tpu.top5",),
        "mobilenetv2": ("tf_models_tpu.top5",),
        "shufflenet_v1": ("gpus", "test"),
        "nasnet": ("imagenet.hardware_paper",),
        "amoebanet": ("imagenet.gpu",),
        "efficientnet": (
            *("batch_note", "steps_at_batch_2048", "readme_results_top1_percent.plain_augmentation"),
            "readme_results_top1_percent.randaugment",  # the overlays' targets are the paper's own
        ),
        "cutmix": ("imagenet_training.baseline", "reporting"),
        "nfnet": ("train_step_ms", "ablation", "seeds", "sam.time_cost"),
        "resnet_rs": ("additive_study",),
        "resnet_strikes_back": (*(f"a{n}.top1_percent_timm_weights" for n in (1, 2, 3)), "reproduction_mmpretrain"),
        "torchvision_new_recipe": ("results", "batch_note"),
    },
    "belongs to training that no recipe here repeats": {
        "vgg": ("train_scales.multi",),
        "googlenet": ("reproduction.bvlc_googlenet.schedule",),
        "resnet_imagenet": ("augmentation.colour", "torch_recipe_fb.augmentation"),
        "resnet_cifar10": ("special",),
        "resnext": ("cifar", "augmentation"),
        "senet": (
            *("augmentation", "label_smoothing_senet154", "dropout_rate_senet154", "bn_frozen"),
            "released_readme.extra_augmentation",
        ),
        "stochastic_depth": ("optimizer.dampening", "resnet1202", "svhn", "imagenet"),
        "shufflenet_v1": ("mmpretrain",),
        "nasnet": ("search", "cifar"),
        "amoebanet": ("search", "cifar_final", "tpu_code.default_cell", "tpu_code.min_lr_factor", "tpu_code.classes"),
        "efficientnet": ("nas_",),
        "randaugment": ("training.cifar_wrn", "settings"),
        "cutout": ("length_px.cifar100", "length_px.svhn", "training.wrn_dropout_rate", "svhn"),
        "efficientnetv2": (
            *("released_configs.xl", "released_configs.b", "imagenet21k", "released_progressive.dropout"),
            *(f"results_top1_percent.{net}_21k" for net in ("s", "m", "l", "xl")),
        ),
        "torchvision_new_recipe": ("ema.steps",),
    },
}
"""Why there is no key -> block -> facts."""
NO_RECIPE = ("_meta", "efficientnet_lite")
"""Blocks without a recipe: EfficientNet-Lite's README states no training."""
