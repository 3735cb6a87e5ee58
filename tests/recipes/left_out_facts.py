"""Facts of tests/facts/recipes.json that no recipe repeats, and why. Paths are prefixes of dotted paths."""

DIFFERENT: dict[tuple[str, str], dict[str, str]] = {
    ("alexnet", "alexnet"): {
        "train_resolution_px": "227 px",
        "test": "one center crop, not 10 patches",
        "preprocessing": "normalized per channel",
        "optimizer.momentum_form": "the rate multiplies the momentum's sum",
    },
    ("alexnet", "overlays/alexnet_bvlc"): {
        "reproduction.bvlc_caffe.bias_init": "not at 0.1",
        "reproduction.bvlc_caffe.bias_lr_multiplier": "twice as fast",
        "reproduction.bvlc_caffe.released_iteration": "iteration 360,000",
    },
    ("zfnet", "zfnet"): {
        "weight_decay": "weight decay 5e-4",
        "augmentation.ten_fixed_crops": "instead of its 10 fixed ones",
        "resize": "Random crops of the central 256x256",
        "preprocessing": "normalized per channel",
    },
    ("vgg", "vgg16"): {"test.single_scale": "not the whole image"},
    ("googlenet", "overlays/googlenet_bvlc_quick"): {
        "reproduction.bvlc_googlenet.bias_init": "not at 0.2",
        "reproduction.bvlc_googlenet.bias_lr_multiplier": "twice as fast",
    },
    ("googlenet", "googlenet"): {
        "learning_rate": "learning rate 0.01",
        "weight_averaging": "the average's decay 0.9999",
        "augmentation.photometric": "color jitter of strength 0.4",
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
        "regularization": "smaller distortions",
    },
    ("mobilenetv2", "mobilenet_v2"): {
        "optimizer.epsilon": "epsilon 1.0",
        "batch_note": "16 asynchronous workers of 96",
    },
    ("shufflenet_v1", "shufflenet"): {"augmentation": "less aggressive"},
    ("shufflenet_v1", "overlays/shufflenet_released"): {"authors_pytorch.input": "BGR levels from 0 to 255"},
    ("efficientnet", "efficientnet_b0"): {
        "batch_size_images": "the released code's default is 2048",
        "bn.group": "where the code groups replicas",
        "minival_images": "25,022 training images held out",
    },
    ("mixup", "mixup_resnet50"): {
        "alpha_imagenet_paper": "range, [0.1, 0.4]",
        "cutmix_paper_resnet50.mixup_top1_error_percent": "77.42 % with mixup",
    },
    ("cutmix", "overlays/cutmix_resnet18"): {
        "cifar_resnet110_training.learning_rate": "ResNet-110 with rate 0.1",
        "cifar_resnet110_training.probability": "CutMix in every step",
    },
    ("nfnet", "nfnet_f0"): {"augmentation.split": "splits the batch in halves"},
    ("resnet_rs", "resnet_rs"): {"bn_momentum_note": "sets its momentum to 0"},
}
"""(block, recipe) -> fact that the recipe leaves or the paper does not state -> words of its ``about.deviations``."""

UNVERIFIED: dict[str, tuple[str, ...]] = {
    "senet": ("weight_decay",),
    "nasnet": ("imagenet.optimizer.momentum",),
    "mixup": ("imagenet",),
    "efficientnetv2": ("paper_table6.m_max", "paper_table6.l_max"),
}
"""Recalled, not checked, or in none of the sources read, by the facts' own words: no test may rest on them."""

EVERYWHERE = ("paper", "year", "dataset", "hardware", "duration", "disagreements", "unverified", "sources")
"""Words about a block."""

NO_KEY: dict[str, dict[str, tuple[str, ...]]] = {
    "the machine chooses the precision; the paper's stands in about.hardware": {"nfnet": ("bf16",)},
    "lies in the network, where the architecture's tests are": {
        "alexnet": (
            "dropout_where",
            "initialization",
            "local_response_norm",
            "pooling",
            "reproduction.bvlc_caffe.lrn_k",
            "reproduction.bvlc_caffe.weight_std",
            "reproduction.bvlc_caffe.bias_note",
        ),
        "zfnet": ("dropout_where", "initialization"),
        "vgg": ("dropout_where",),
        "googlenet": ("dropout_where", "aux_dropout_rate", "reproduction.bvlc_googlenet.quick.init"),
        "resnet_imagenet": ("bn.position", "initialization", "zero_gamma_note"),
        "resnet_cifar10": ("bn", "initialization", "dropout_rate"),
        "resnext": ("stride", "initialization"),
        "senet": ("initialization", "reduction_ratio", "fc_bias"),
        "stochastic_depth": ("survival.rule", "survival.formula", "survival.blocks_L"),
        "mobilenetv1": ("width_multipliers", "slim_defaults"),
        "mobilenetv2": ("bn",),
        "shufflenet_v1": ("authors_pytorch.fc_bias", "authors_pytorch.init"),
        "nasnet": ("imagenet.large.stem", "imagenet.large.bn", "imagenet.mobile.stem", "initialization", "drop_path"),
        "amoebanet": ("tpu_code.bn",),
        "efficientnet": (
            *("compound_scaling", "bn.decay", "bn.epsilon", "stochastic_depth.schedule", "stochastic_depth.scope"),
            *("initialization", "activation", "se_ratio", *(f"variants.b{n}.width_coefficient" for n in range(8))),
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
        "alexnet": ("resize", "augmentation.pca_color.per"),
        "vgg": ("preprocessing",),
        "randaugment": ("ops_paper", "ops", "magnitude_mode", "max_level", "code_ops_", "code_magnitude"),
        "mixup": ("pairing", "loss"),
        "cutout": ("holes", "center", "fill"),
        "cutmix": ("lambda_distribution", "box"),
        "efficientnet": ("autoaugment",),
    },
    "is a result, a time or a test protocol beside the recipe's target": {
        "alexnet": (
            *("ablation_points", "reproduction.bvlc_caffe.top5_percent", "epochs_note"),
            *("reproduction.bvlc_caffe.test_batch_size_images", "reproduction.bvlc_caffe.iterations_note"),
        ),
        "vgg": ("test", "results"),
        "googlenet": ("reproduction.bvlc_googlenet.top5_percent", "test"),
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
        "mixup": ("authors_repository", "cutmix_paper_resnet50", "alpha_imagenet_note"),
        "cutmix": ("imagenet_training.baseline", "cifar_resnet110_training", "reporting"),
        "nfnet": ("train_step_ms", "ablation", "seeds", "sam.time_cost"),
        "resnet_rs": ("additive_study", "steps_rs50_160"),
        "resnet_strikes_back": (*(f"a{n}.top1_percent_timm_weights" for n in (1, 2, 3)), "reproduction_mmpretrain"),
        "torchvision_new_recipe": ("results", "batch_note", "warmup_decay_note", "ema.note"),
    },
    "belongs to training that no recipe here repeats": {
        "vgg": ("train_scales.multi",),
        "googlenet": ("reproduction.bvlc_googlenet.schedule",),
        "resnet_imagenet": ("augmentation.color", "torch_recipe_fb.augmentation"),
        "resnet_cifar10": ("special",),
        "resnext": ("cifar", "augmentation", "authors_code.dampening"),
        "senet": (
            *("augmentation", "label_smoothing_senet154", "dropout_rate_senet154", "bn_frozen"),
            *("released_readme.extra_augmentation", "cifar_weight_decay", "mobile_nets", "ablations", "fixed_schedule"),
        ),
        "stochastic_depth": ("optimizer.dampening", "resnet1202", "svhn", "imagenet"),
        "mobilenetv1": ("slim_train",),
        "shufflenet_v1": ("mmpretrain",),
        "nasnet": ("search", "cifar"),
        "amoebanet": ("search", "cifar_final", "tpu_code.default_cell", "tpu_code.min_lr_factor", "tpu_code.classes"),
        "efficientnet": ("nas_",),
        "randaugment": ("training.cifar_wrn", "training.svhn", "training.shake", "settings", "tried"),
        "cutout": (
            *("length_px.cifar100", "length_px.svhn", "length_px.stl10", "length_px_note"),
            *("training.wrn_dropout_rate", "svhn"),
        ),
        "efficientnetv2": (
            *("released_configs.xl", "released_configs.b", "imagenet21k"),
            *("released_progressive.dropout", "released_progressive.stage_end"),
            *(f"results_top1_percent.{net}_21k" for net in ("s", "m", "l", "xl")),
        ),
        "torchvision_new_recipe": ("ema.steps", "ema.flag"),
    },
}
"""Why there is no key -> block -> facts."""
NO_RECIPE = ("_meta", "efficientnet_lite")
"""Blocks without a recipe: EfficientNet-Lite's README states no training."""
