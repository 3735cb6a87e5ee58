"""The catalog: name -> builder and the paper's facts, in the order of the lecture.

``params`` and ``madds`` (multiply-adds of convolutions and linear layers at ``image_size``) are stored, so that listing
needs no network; tests recompute every one. ``layers`` counts the learnable layers of the longest path as the paper
does, without those of squeeze-and-excitation; where a paper prints no depth it is our own count.
"""

import difflib
import fnmatch
from collections.abc import Mapping, Sequence

from lit_cnn.architectures.alexnet import alexnet, alexnet_one_tower
from lit_cnn.architectures.amoebanet import amoebanet_a, cifar_amoebanet_a
from lit_cnn.architectures.cifar_vgg import cifar_vgg
from lit_cnn.architectures.efficientnet import efficientnet
from lit_cnn.architectures.efficientnet_lite import efficientnet_lite
from lit_cnn.architectures.efficientnet_v2 import efficientnet_v2
from lit_cnn.architectures.entry import Entry, Paper, Value
from lit_cnn.architectures.googlenet import googlenet
from lit_cnn.architectures.mobilenet_v1 import mobilenet_v1
from lit_cnn.architectures.mobilenet_v2 import mobilenet_v2
from lit_cnn.architectures.nasnet import cifar_nasnet_a, nasnet_a
from lit_cnn.architectures.network import Network
from lit_cnn.architectures.nfnet import nfnet
from lit_cnn.architectures.resnet import cifar_resnet, imagenet_resnet
from lit_cnn.architectures.resnet_rs import resnet_rs
from lit_cnn.architectures.resnext import resnext
from lit_cnn.architectures.senet import se_resnet, se_resnext
from lit_cnn.architectures.shufflenet import shufflenet
from lit_cnn.architectures.vgg import vgg
from lit_cnn.architectures.zfnet import zfnet


def _vgg(params: float, top1: float, top5: float) -> Paper:
    protocol = "ImageNet val, dense evaluation at one scale (train 256, test 256); no single-crop figure"
    return Paper("VGG", "Simonyan and Zisserman", 2014, "arXiv:1409.1556", params, None, top1, top5, protocol)


def _vgg_bn() -> Paper:
    return Paper("VGG", "Simonyan and Zisserman", 2014, "arXiv:1409.1556", protocol="not in the paper")


def _mobilenet_v1(params: float, madds: float, top1: float) -> Paper:
    protocol = "ImageNet val, single crop 224"
    where = "arXiv:1704.04861"
    return Paper("MobileNet", "Howard et al.", 2017, where, params, madds, top1, protocol=protocol)


def _mobilenet_v2(params: float, madds: float, top1: float) -> Paper:
    protocol = "ImageNet val, single crop 224"
    return Paper("MobileNetV2", "Sandler et al.", 2018, "arXiv:1801.04381", params, madds, top1, protocol=protocol)


def _shufflenet(madds: float, top1: float) -> Paper:
    protocol = "ImageNet val, single crop 224"
    where = "arXiv:1707.01083"
    return Paper("ShuffleNet", "Zhang et al.", 2017, where, madds_millions=madds, top1=top1, protocol=protocol)


def _resnet(top1: float | None, top5: float | None, madds: float | None, protocol: str) -> Paper:
    return Paper(
        "ResNet", "He et al.", 2015, "arXiv:1512.03385", madds_millions=madds, top1=top1, top5=top5, protocol=protocol
    )


def _cifar_resnet(params: float | None = None, top1: float | None = None) -> Paper:
    protocol = "CIFAR-10 test" if top1 else "not reported as a number"
    return Paper("ResNet", "He et al.", 2015, "arXiv:1512.03385", params_millions=params, top1=top1, protocol=protocol)


def _resnet_rs(params: float, madds: float | None, top1: float, image_size: int) -> Paper:
    return Paper(
        "ResNet-RS",
        "Bello et al.",
        2021,
        "arXiv:2103.07579",
        params_millions=params,
        madds_millions=madds,
        top1=top1,
        protocol=f"single crop {image_size}",
    )


def _nasnet(params: float | None, madds: float | None, top1: float, top5: float | None, protocol: str) -> Paper:
    return Paper(
        "NASNet",
        "Zoph et al.",
        2017,
        "arXiv:1707.07012",
        params_millions=params,
        madds_millions=madds,
        top1=top1,
        top5=top5,
        protocol=protocol,
    )


def _amoebanet(
    params: float | None, madds: float | None, top1: float | None, top5: float | None, protocol: str
) -> Paper:
    return Paper(
        "AmoebaNet",
        "Real et al.",
        2018,
        "arXiv:1802.01548",
        params_millions=params,
        madds_millions=madds,
        top1=top1,
        top5=top5,
        protocol=protocol,
    )


def _resnext(
    params: float | None = None,
    madds: float | None = None,
    top1: float | None = None,
    top5: float | None = None,
    protocol: str = "ImageNet val, single crop 224",
) -> Paper:
    return Paper("ResNeXt", "Xie et al.", 2016, "arXiv:1611.05431", params, madds, top1, top5, protocol)


def _senet(
    params: float | None = None,
    madds: float | None = None,
    top1: float | None = None,
    top5: float | None = None,
    protocol: str = "ImageNet val, single crop 224",
) -> Paper:
    return Paper("SENet", "Hu et al.", 2017, "arXiv:1709.01507", params, madds, top1, top5, protocol)


def _efficientnet(params: float, madds: float, top1: float, top5: float, image_size: int) -> Paper:
    protocol = f"ImageNet val, single crop {image_size}"
    return Paper("EfficientNet", "Tan and Le", 2019, "arXiv:1905.11946", params, madds, top1, top5, protocol)


def _efficientnet_lite(params: float, madds: float, top1: float, image_size: int) -> Paper:
    protocol = f"ImageNet val, single crop {image_size}, float32; figures of the README"
    where = "tensorflow/tpu, README of EfficientNet-Lite"
    return Paper("EfficientNet-Lite", "Liu", 2020, where, params, madds, top1, protocol=protocol)


def _nfnet(params: float, madds: float, top1: float, top5: float, image_size: int, sam: str = "") -> Paper:
    protocol = f"ImageNet val, single crop {image_size}{sam}"
    return Paper("NFNet", "Brock et al.", 2021, "arXiv:2102.06171", params, madds, top1, top5, protocol)


def _efficientnet_v2(params: float, madds: float | None, top1: float, image_size: int, pretraining: str = "") -> Paper:
    protocol = f"ImageNet val, single crop {image_size}{pretraining}; figures of the released README"
    return Paper("EfficientNetV2", "Tan and Le", 2021, "arXiv:2104.00298", params, madds, top1, protocol=protocol)


_ALEXNET_SIZE = "227 px, which the 55x55 map of the first convolution needs; the paper's text says 224"
_ALEXNET_DROPOUT = "dropout after the hidden layers, as the paper has it; torchvision's is before them"
_ALEXNET_INIT = "initialized as the net of 2012; torchvision uses PyTorch's defaults"
_ZFNET_NORM = "contrast norm with AlexNet's constants; the paper gives none"
_ZFNET_INIT = 'weights normal with standard deviation 0.01; the paper\'s "10^-2" does not say of what'
_VGG_INIT = (
    "variance 0.01 as printed makes logits explode without pre-training; weight_init: glorot trains from scratch"
)
_VGG_BN = "batch norm after each convolution, whose (then useless) bias stays, as in torchvision"
_GOOGLENET_CAFFE = (
    "response norm's constants, rounding-up pools and initialization of BVLC Caffe's net; the paper has none"
)
_GOOGLENET_AUX = "auxiliary heads are off; aux_heads: true adds them in training (13,378,280 parameters)"
_GOOGLENET_BN = "torchvision's net: batch norm, 3x3 where the paper has 5x5, 2x2 last pool; not in the paper"
_MOBILENET_PADDING = "symmetric padding; the released code pads strided convolutions right and bottom (same counts)"
_MOBILENET_NORM = "batch norm with PyTorch's constants (epsilon 1e-5, momentum 0.1)"
_MOBILENET_V1 = (_MOBILENET_PADDING, _MOBILENET_NORM)
_MOBILENET_V2 = (_MOBILENET_PADDING, _MOBILENET_NORM)
_SHUFFLE = "channels are dealt out as the paper's text says; the released code uses the inverse permutation"
_SHUFFLE_HEAD = "the classifier has no bias and the stem 24 channels up to width 1.5, as released"
_V15 = "strides in the 3x3 (v1.5) as libraries do; stride_in: 1x1 gives the paper's net with 6 % fewer multiply-adds"
_OPTION_B = "projection shortcuts (option B) as libraries have; shortcut: zero_pad gives the paper's option A"
_TEN_CROP = "ImageNet val, 10 crops"
_ONE_CROP = "ImageNet val, single crop 224, authors' released v1 net"
_NO_ROW = "the paper has no such net; it follows from the rule (blocks of ResNet-152)"
_NOT_IN_RESNEXT = "a variant of the libraries; the paper has 32x4d and 64x4d"
_NFNET_EXCITE = "ReLU in squeeze-and-excitation as in the released code; excite_activation: gelu is the paper's text"
_NFNET_GELU = "exact GELU; the released code has JAX's tanh approximation of it"
_NFNET_DROP = "stochastic depth divides survivors by their probability; the released code does not"
_NFNET = (_NFNET_EXCITE, _NFNET_GELU, _NFNET_DROP)
_V2_ROWS = "stages and dropout of the released configurations, which differ from the paper's tables"
_V2_NORM = "batch norm momentum 0.01 as in the paper's text; the released nets have 0.1 (norm_momentum: 0.1)"
_V2 = (_V2_ROWS, _V2_NORM)
_AMOEBA_CIFAR_STEM = "the stem's 3F channels are NASNet's CIFAR code; the released AmoebaNet code has no CIFAR network"
_AMOEBA_STATES = "the reduction cell returns states 2 to 6 as the released code does, though it uses 2 and 4 itself"

CATALOG: tuple[Entry, ...] = (
    Entry("alexnet", alexnet, {},
          Paper("AlexNet", "Krizhevsky et al.", 2012, "NIPS 2012", params_millions=60, top1=59.3, top5=81.8,
                protocol="ImageNet 2012 val, one net, 10 crops"),
          227, 8, 60_965_224, 724_406_816, deviations=(_ALEXNET_SIZE,)),
    Entry("alexnet_one_tower", alexnet_one_tower, {},
          Paper("One weird trick", "Krizhevsky", 2014, "arXiv:1404.5997", protocol="not reported for this net"),
          224, 8, 61_100_840, 714_188_480, deviations=(_ALEXNET_DROPOUT, _ALEXNET_INIT)),
    Entry("zfnet", zfnet, {},
          Paper("ZFNet", "Zeiler and Fergus", 2013, "arXiv:1311.2901", top1=61.7, top5=83.6,
                protocol="ImageNet 2012 val, one net, 10 crops"),
          224, 8, 62_357_608, 1_168_032_896, deviations=(_ZFNET_NORM, _ZFNET_INIT)),
    Entry("vgg11", vgg, {"depth": 11, "batch_norm": False}, _vgg(133, 70.4, 89.6),
          224, 11, 132_863_336, 7_609_090_048, deviations=(_VGG_INIT,)),
    Entry("vgg13", vgg, {"depth": 13, "batch_norm": False}, _vgg(133, 71.3, 90.1),
          224, 13, 133_047_848, 11_308_466_176, deviations=(_VGG_INIT,)),
    Entry("vgg16", vgg, {"depth": 16, "batch_norm": False}, _vgg(138, 73.0, 91.2),
          224, 16, 138_357_544, 15_470_264_320, deviations=(_VGG_INIT,)),
    Entry("vgg19", vgg, {"depth": 19, "batch_norm": False}, _vgg(144, 72.7, 91.0),
          224, 19, 143_667_240, 19_632_062_464, deviations=(_VGG_INIT,)),
    Entry("vgg11_bn", vgg, {"depth": 11, "batch_norm": True}, _vgg_bn(),
          224, 11, 132_868_840, 7_609_090_048, deviations=(_VGG_BN,)),
    Entry("vgg13_bn", vgg, {"depth": 13, "batch_norm": True}, _vgg_bn(),
          224, 13, 133_053_736, 11_308_466_176, deviations=(_VGG_BN,)),
    Entry("vgg16_bn", vgg, {"depth": 16, "batch_norm": True}, _vgg_bn(),
          224, 16, 138_365_992, 15_470_264_320, deviations=(_VGG_BN,)),
    Entry("vgg19_bn", vgg, {"depth": 19, "batch_norm": True}, _vgg_bn(),
          224, 19, 143_678_248, 19_632_062_464, deviations=(_VGG_BN,)),
    Entry("cifar_vgg8", cifar_vgg, {},
          Paper("94% on CIFAR-10 in 3.29 Seconds", "Jordan", 2024, "arXiv:2404.00498", top1=94.0,
                protocol="CIFAR-10 test, mirrored and shifted views"),
          32, 8, 1_972_792, 118_147_360, num_classes=10,
          deviations=("norms keep trainable gains and torch's momentum and epsilon",)),
    Entry("googlenet", googlenet, {"batch_norm": False, "branch_kernel": 5, "last_pool": 3},
          Paper("GoogLeNet", "Szegedy et al.", 2014, "arXiv:1409.4842", top5=89.93,
                protocol="ImageNet 2014 val, one net, single crop 224"),
          224, 22, 6_998_552, 1_582_671_872, deviations=(_GOOGLENET_CAFFE, _GOOGLENET_AUX)),
    Entry("googlenet_bn", googlenet,
          {"batch_norm": True, "branch_kernel": 3, "last_pool": 2, "aux_pool": "adaptive", "response_norm": "none"},
          Paper("GoogLeNet", "Szegedy et al.", 2014, "arXiv:1409.4842", protocol="not in the paper"),
          224, 22, 6_624_904, 1_498_376_192, deviations=(_GOOGLENET_BN,)),
    Entry("plain18", imagenet_resnet, {"depth": 18, "shortcut": "none"}, _resnet(72.06, None, 1800, _TEN_CROP),
          224, 18, 11_515_688, 1_794_805_760),
    Entry("plain34", imagenet_resnet, {"depth": 34, "shortcut": "none"}, _resnet(71.46, 89.98, 3600, _TEN_CROP),
          224, 34, 21_623_848, 3_644_493_824),
    Entry("resnet18", imagenet_resnet, {"depth": 18}, _resnet(72.12, None, 1800, _TEN_CROP + ", option A"),
          224, 18, 11_689_512, 1_814_073_344, deviations=(_OPTION_B,)),
    Entry("resnet34", imagenet_resnet, {"depth": 34}, _resnet(75.48, 92.54, 3600, _TEN_CROP + ", option B"),
          224, 34, 21_797_672, 3_663_761_408),
    Entry("resnet50", imagenet_resnet, {"depth": 50}, _resnet(75.3, 92.2, 3800, _ONE_CROP),
          224, 50, 25_557_032, 4_089_184_256, deviations=(_V15,)),
    Entry("resnet101", imagenet_resnet, {"depth": 101}, _resnet(76.4, 92.9, 7600, _ONE_CROP),
          224, 101, 44_549_160, 7_801_405_440, deviations=(_V15,)),
    Entry("resnet152", imagenet_resnet, {"depth": 152}, _resnet(77.0, 93.3, 11300, _ONE_CROP),
          224, 152, 60_192_808, 11_513_626_624, deviations=(_V15,)),
    Entry("resnet200", imagenet_resnet, {"depth": 200},
          Paper("Identity Mappings", "He et al.", 2016, "arXiv:1603.05027", protocol="pre-activation"),
          224, 200, 64_673_832, 15_007_481_856,
          deviations=("post-activation, as timm's; the 2016 paper's ResNet-200 is pre-activation", _V15)),
    Entry("cifar_plain20", cifar_resnet, {"depth": 20, "shortcut": "none"}, _cifar_resnet(),
          32, 20, 269_722, 40_551_040, num_classes=10),
    Entry("cifar_plain32", cifar_resnet, {"depth": 32, "shortcut": "none"}, _cifar_resnet(),
          32, 32, 464_154, 68_862_592, num_classes=10),
    Entry("cifar_plain44", cifar_resnet, {"depth": 44, "shortcut": "none"}, _cifar_resnet(),
          32, 44, 658_586, 97_174_144, num_classes=10),
    Entry("cifar_plain56", cifar_resnet, {"depth": 56, "shortcut": "none"}, _cifar_resnet(),
          32, 56, 853_018, 125_485_696, num_classes=10),
    Entry("cifar_plain110", cifar_resnet, {"depth": 110, "shortcut": "none"}, _cifar_resnet(),
          32, 110, 1_727_962, 252_887_680, num_classes=10),
    Entry("cifar_plain1202", cifar_resnet, {"depth": 1202, "shortcut": "none"}, _cifar_resnet(),
          32, 1202, 19_421_274, 2_829_238_912, num_classes=10),
    Entry("cifar_resnet8", cifar_resnet, {"depth": 8}, _cifar_resnet(),
          32, 8, 75_290, 12_239_488, num_classes=10),
    Entry("cifar_resnet20", cifar_resnet, {"depth": 20}, _cifar_resnet(0.27, 91.25),
          32, 20, 269_722, 40_551_040, num_classes=10),
    Entry("cifar_resnet32", cifar_resnet, {"depth": 32}, _cifar_resnet(0.46, 92.49),
          32, 32, 464_154, 68_862_592, num_classes=10),
    Entry("cifar_resnet44", cifar_resnet, {"depth": 44}, _cifar_resnet(0.66, 92.83),
          32, 44, 658_586, 97_174_144, num_classes=10),
    Entry("cifar_resnet56", cifar_resnet, {"depth": 56}, _cifar_resnet(0.85, 93.03),
          32, 56, 853_018, 125_485_696, num_classes=10),
    Entry("cifar_resnet110", cifar_resnet, {"depth": 110}, _cifar_resnet(1.7, 93.57),
          32, 110, 1_727_962, 252_887_680, num_classes=10),
    Entry("cifar_resnet1202", cifar_resnet, {"depth": 1202}, _cifar_resnet(19.4, 92.07),
          32, 1202, 19_421_274, 2_829_238_912, num_classes=10),
    Entry("resnext50_32x4d", resnext, {"depth": 50, "groups": 32, "group_width": 4}, _resnext(25.0, 4100, 77.8),
          224, 50, 25_028_904, 4_230_479_872),
    Entry("resnext101_32x4d", resnext, {"depth": 101, "groups": 32, "group_width": 4},
          _resnext(44.0, 7800, 78.8, 94.4),
          224, 101, 44_177_704, 7_969_996_800),
    Entry("resnext101_64x4d", resnext, {"depth": 101, "groups": 64, "group_width": 4},
          _resnext(None, 15600, 79.6, 94.7),
          224, 101, 83_455_272, 15_460_270_080),
    Entry("resnext101_32x8d", resnext, {"depth": 101, "groups": 32, "group_width": 8},
          _resnext(protocol="not in the paper"),
          224, 101, 88_791_336, 16_414_015_488, deviations=(_NOT_IN_RESNEXT,)),
    Entry("resnext152_32x4d", resnext, {"depth": 152, "groups": 32, "group_width": 4},
          _resnext(protocol="not in the paper"),
          224, 152, 59_951_400, 11_709_513_728, deviations=(_NO_ROW,)),
    Entry("se_resnet50", se_resnet, {"depth": 50}, _senet(28.1, 3870, 76.71, 93.38),
          224, 50, 28_088_024, 3_860_488_192),
    Entry("se_resnet101", se_resnet, {"depth": 101}, _senet(None, 7600, 77.62, 93.93),
          224, 101, 49_326_872, 7_574_937_600),
    Entry("se_resnet152", se_resnet, {"depth": 152}, _senet(None, 11320, 78.43, 94.27),
          224, 152, 66_821_848, 11_288_993_792),
    Entry("se_resnext50_32x4d", se_resnext, {"depth": 50}, _senet(None, 4250, 78.9, 94.51),
          224, 50, 27_559_896, 4_232_994_816),
    Entry("se_resnext101_32x4d", se_resnext, {"depth": 101}, _senet(None, 8000, 79.3, 94.99),
          224, 101, 48_955_416, 7_974_739_968),
    Entry("se_resnext152_32x4d", se_resnext, {"depth": 152}, _senet(protocol="no row in the paper"),
          224, 152, 66_580_440, 11_716_091_904, deviations=(_NO_ROW,)),
    Entry("mobilenet_v1", mobilenet_v1, {"width": 1.0, "separable": True, "shallow": False},
          _mobilenet_v1(4.2, 569, 70.6),
          224, 28, 4_231_976, 568_740_352, deviations=_MOBILENET_V1),
    Entry("mobilenet_v1_0.75", mobilenet_v1, {"width": 0.75, "separable": True, "shallow": False},
          _mobilenet_v1(2.6, 325, 68.4),
          224, 28, 2_585_560, 325_400_448, deviations=_MOBILENET_V1),
    Entry("mobilenet_v1_0.5", mobilenet_v1, {"width": 0.5, "separable": True, "shallow": False},
          _mobilenet_v1(1.3, 149, 63.7),
          224, 28, 1_331_592, 149_497_088, deviations=_MOBILENET_V1),
    Entry("mobilenet_v1_0.25", mobilenet_v1, {"width": 0.25, "separable": True, "shallow": False},
          _mobilenet_v1(0.5, 41, 50.6),
          224, 28, 470_072, 41_030_272, deviations=_MOBILENET_V1),
    Entry("shallow_mobilenet", mobilenet_v1, {"width": 1.0, "separable": True, "shallow": True},
          _mobilenet_v1(2.9, 307, 65.3),
          224, 18, 2_887_976, 307_323_392, deviations=_MOBILENET_V1),
    Entry("conv_mobilenet", mobilenet_v1, {"width": 1.0, "separable": False, "shallow": False},
          _mobilenet_v1(29.3, 4866, 71.7),
          224, 15, 29_294_088, 4_867_293_184, deviations=_MOBILENET_V1),
    Entry("mobilenet_v2", mobilenet_v2, {"width": 1.0}, _mobilenet_v2(3.4, 300, 72.0),
          224, 53, 3_504_872, 300_774_272, deviations=_MOBILENET_V2),
    Entry("mobilenet_v2_1.4", mobilenet_v2, {"width": 1.4}, _mobilenet_v2(6.9, 585, 74.7),
          224, 53, 6_108_776, 582_195_824,
          deviations=(*_MOBILENET_V2, "the paper prints 6.9 M parameters; its rule gives 6.1 M, as released")),
    Entry("shufflenet_v1_g3_1.0x", shufflenet, {"groups": 3, "width": 1.0}, _shufflenet(137, 67.4),
          224, 50, 1_864_728, 137_460_672, deviations=(_SHUFFLE, _SHUFFLE_HEAD)),
    Entry("shufflenet_v1_g3_1.5x", shufflenet, {"groups": 3, "width": 1.5}, _shufflenet(292, 71.5),
          224, 50, 3_441_168, 292_443_552, deviations=(_SHUFFLE, _SHUFFLE_HEAD)),
    Entry("shufflenet_v1_g3_2.0x", shufflenet, {"groups": 3, "width": 2.0}, _shufflenet(524, 73.7),
          224, 50, 5_449_776, 524_045_184, deviations=(_SHUFFLE, _SHUFFLE_HEAD)),
    Entry("nasnet_a_mobile", nasnet_a,
          {"repeats": 4, "penultimate": 1056, "stem_width": 32, "skip_reduction": False, "aux_kernel": 4},
          _nasnet(5.3, 564, 74.0, 91.6, "ImageNet val, single crop 224"),
          224, 98, 5_289_978, 563_638_816),
    Entry("nasnet_a_large", nasnet_a,
          {"repeats": 6, "penultimate": 4032, "stem_width": 96, "skip_reduction": True, "aux_kernel": 6},
          _nasnet(88.9, 23_800, 82.7, 96.2, "ImageNet val, single crop 331; 88.9 M counts batch norm's statistics"),
          331, 128, 88_753_150, 23_783_414_658,
          deviations=("average pools skip padding (TensorFlow); count_padding: true is timm's net",)),
    Entry("nasnet_a_6_768_cifar", cifar_nasnet_a, {"repeats": 6, "penultimate": 768},
          _nasnet(3.3, None, 96.59, None, "CIFAR-10 test; 97.35 with cutout"),
          32, 110, 3_346_538, 544_333_312, num_classes=10),
    Entry("nasnet_a_7_2304_cifar", cifar_nasnet_a, {"repeats": 7, "penultimate": 2304},
          _nasnet(27.6, None, 97.03, None, "CIFAR-10 test; 97.60 with cutout"),
          32, 125, 32_590_954, 5_151_250_944, num_classes=10,
          deviations=("the paper prints 27.6 M parameters; the released code's rule gives 32.6 M",)),
    Entry("amoebanet_a_n6_f190", amoebanet_a, {"repeats": 6, "filters": 190},
          _amoebanet(86.7, 23_100, 82.8, 96.1, "ImageNet val, single crop 331"),
          331, 115, 86_718_797, 23_133_663_507,
          deviations=(_AMOEBA_STATES,
                      "odd widths (47, 95 in the stem) are split unevenly where the released code refuses them")),
    Entry("amoebanet_a_n6_f448", amoebanet_a, {"repeats": 6, "filters": 448},
          _amoebanet(469, 104_000, 83.9, 96.6, "ImageNet val, single crop 331; 469 M counts batch norm's statistics"),
          331, 115, 468_151_184, 126_520_757_776,
          deviations=(_AMOEBA_STATES,
                      "the paper's 104 B multiply-adds are those at 299 px (103,887,693,968 here), not at 331")),
    Entry("amoebanet_a_n6_f32_cifar", cifar_amoebanet_a, {"repeats": 6, "filters": 32},
          _amoebanet(2.6, None, 96.6, None, "CIFAR-10 test, mean of runs with standard deviation 0.08"),
          32, 102, 2_567_754, 407_671_808, num_classes=10, deviations=(_AMOEBA_CIFAR_STEM,)),
    Entry("amoebanet_a_n6_f36_cifar", cifar_amoebanet_a, {"repeats": 6, "filters": 36},
          _amoebanet(3.2, None, 96.66, None, "CIFAR-10 test, mean of runs with standard deviation 0.06"),
          32, 102, 3_218_266, 509_668_992, num_classes=10, deviations=(_AMOEBA_CIFAR_STEM,)),
    Entry("amoebanet_a_proxy_n3_f24", cifar_amoebanet_a, {"repeats": 3, "filters": 24},
          _amoebanet(None, None, None, None, "the net in which the search trains each candidate for 25 epochs"),
          32, 57, 843_322, 139_349_760, num_classes=10, deviations=(_AMOEBA_CIFAR_STEM,)),
    Entry("efficientnet_b0", efficientnet, {"variant": "b0"}, _efficientnet(5.3, 390, 77.1, 93.3, 224),
          224, 50, 5_288_548, 385_814_752),
    Entry("efficientnet_b1", efficientnet, {"variant": "b1"}, _efficientnet(7.8, 700, 79.1, 94.4, 240),
          240, 70, 7_794_184, 686_802_832),
    Entry("efficientnet_b2", efficientnet, {"variant": "b2"}, _efficientnet(9.2, 1000, 80.1, 94.9, 260),
          260, 70, 9_109_994, 993_561_872),
    Entry("efficientnet_b3", efficientnet, {"variant": "b3"}, _efficientnet(12, 1800, 81.6, 95.7, 300),
          300, 79, 12_233_232, 1_827_141_392),
    Entry("efficientnet_b4", efficientnet, {"variant": "b4"}, _efficientnet(19, 4200, 82.9, 96.4, 380),
          380, 97, 19_341_616, 4_393_771_024),
    Entry("efficientnet_b5", efficientnet, {"variant": "b5"}, _efficientnet(30, 9900, 83.6, 96.7, 456),
          456, 117, 30_389_784, 10_266_384_752),
    Entry("efficientnet_b6", efficientnet, {"variant": "b6"}, _efficientnet(43, 19000, 84.0, 96.8, 528),
          528, 135, 43_040_704, 19_067_593_536),
    Entry("efficientnet_b7", efficientnet, {"variant": "b7"}, _efficientnet(66, 37000, 84.3, 97.0, 600),
          600, 164, 66_347_960, 37_745_884_192),
    Entry("efficientnet_lite0", efficientnet_lite, {"variant": "lite0"}, _efficientnet_lite(4.7, 407, 75.1, 224),
          224, 50, 4_652_008, 385_187_552),
    Entry("efficientnet_lite1", efficientnet_lite, {"variant": "lite1"}, _efficientnet_lite(5.4, 631, 76.7, 240),
          240, 65, 5_416_680, 600_185_232),
    Entry("efficientnet_lite2", efficientnet_lite, {"variant": "lite2"}, _efficientnet_lite(6.1, 899, 77.6, 260),
          260, 65, 6_092_072, 859_736_272),
    Entry("efficientnet_lite3", efficientnet_lite, {"variant": "lite3"}, _efficientnet_lite(8.2, 1440, 79.8, 280),
          280, 74, 8_197_096, 1_383_321_872),
    Entry("efficientnet_lite4", efficientnet_lite, {"variant": "lite4"}, _efficientnet_lite(13.0, 2640, 81.5, 300),
          300, 92, 13_006_568, 2_553_034_336),
    Entry("nfnet_f0", nfnet, {"variant": "f0"}, _nfnet(71.5, 12380, 83.6, 96.8, 256),
          256, 54, 71_489_284, 12_384_198_656, deviations=_NFNET),
    Entry("nfnet_f1", nfnet, {"variant": "f1"}, _nfnet(132.6, 35540, 84.7, 97.1, 320),
          320, 102, 132_634_256, 35_538_968_576, deviations=_NFNET),
    Entry("nfnet_f2", nfnet, {"variant": "f2"}, _nfnet(193.8, 62590, 85.1, 97.3, 352),
          352, 150, 193_779_228, 62_592_978_944, deviations=_NFNET),
    Entry("nfnet_f3", nfnet, {"variant": "f3"}, _nfnet(254.9, 114760, 85.7, 97.5, 416),
          416, 198, 254_924_200, 114_763_501_568, deviations=_NFNET),
    Entry("nfnet_f4", nfnet, {"variant": "f4"}, _nfnet(316.1, 215240, 85.9, 97.6, 512),
          512, 246, 316_069_172, 215_241_187_328, deviations=_NFNET),
    Entry("nfnet_f5", nfnet, {"variant": "f5"}, _nfnet(377.2, 289760, 86.0, 97.6, 544, ", without SAM"),
          544, 294, 377_214_144, 289_757_106_176, deviations=_NFNET),
    Entry("nfnet_f6", nfnet, {"variant": "f6"}, _nfnet(438.4, 377280, 86.5, 97.9, 576, ", trained with SAM"),
          576, 342, 438_359_116, 377_280_307_200, deviations=_NFNET),
    Entry("resnet_rs_50", resnet_rs, {"depth": 50}, _resnet_rs(36, None, 78.8, 160),
          160, 50, 35_691_912, 2_278_629_376),
    Entry("resnet_rs_101", resnet_rs, {"depth": 101}, _resnet_rs(64, None, 81.2, 192),
          192, 101, 63_618_696, 6_012_157_952),
    Entry("resnet_rs_152", resnet_rs, {"depth": 152}, _resnet_rs(87, 15500, 83.0, 256),
          256, 152, 86_621_576, 15_527_886_848),
    Entry("resnet_rs_200", resnet_rs, {"depth": 200}, _resnet_rs(93, None, 83.4, 256),
          256, 200, 93_209_992, 20_093_386_752),
    Entry("resnet_rs_270", resnet_rs, {"depth": 270}, _resnet_rs(130, None, 83.8, 256),
          256, 270, 129_861_448, 26_950_189_056),
    Entry("resnet_rs_350", resnet_rs, {"depth": 350}, _resnet_rs(164, None, 84.0, 256),
          256, 350, 163_956_168, 34_376_597_504),
    Entry("resnet_rs_420", resnet_rs, {"depth": 420}, _resnet_rs(192, 64000, 84.4, 320),
          320, 420, 191_891_656, 63_942_344_704),
    Entry("efficientnet_v2_b0", efficientnet_v2, {"variant": "b0"}, _efficientnet_v2(7.1, 720, 78.7, 224),
          224, 60, 7_139_704, 718_086_176, deviations=_V2),
    Entry("efficientnet_v2_b1", efficientnet_v2, {"variant": "b1"}, _efficientnet_v2(8.1, 1200, 79.8, 240),
          240, 74, 8_141_052, 1_196_819_360, deviations=_V2),
    Entry("efficientnet_v2_b2", efficientnet_v2, {"variant": "b2"}, _efficientnet_v2(10.1, 1700, 80.5, 260),
          260, 77, 10_096_086, 1_697_542_832, deviations=_V2),
    Entry("efficientnet_v2_b3", efficientnet_v2, {"variant": "b3"}, _efficientnet_v2(14.4, 3000, 82.1, 300),
          300, 89, 14_358_406, 3_011_458_816, deviations=_V2),
    Entry("efficientnet_v2_s", efficientnet_v2, {"variant": "s"}, _efficientnet_v2(21.5, 8400, 83.9, 384),
          384, 111, 21_458_488, 8_365_617_152, deviations=_V2),
    Entry("efficientnet_v2_m", efficientnet_v2, {"variant": "m"}, _efficientnet_v2(54.1, 24700, 85.2, 480),
          480, 158, 54_139_356, 24_582_460_384, deviations=_V2),
    Entry("efficientnet_v2_l", efficientnet_v2, {"variant": "l"}, _efficientnet_v2(119.5, 56300, 85.7, 480),
          480, 218, 118_515_272, 56_079_699_008, deviations=_V2),
    Entry("efficientnet_v2_xl", efficientnet_v2, {"variant": "xl"},
          _efficientnet_v2(208.1, None, 87.2, 512, ", pretrained on ImageNet-21k"),
          512, 279, 208_119_808, 93_353_451_520, deviations=_V2),
)  # fmt: skip


_BY_NAME = {entry.name: entry for entry in CATALOG}


def list_models(patterns: str | Sequence[str] = "*", exclude: str | Sequence[str] = ()) -> list[str]:
    """Names of the catalog that match a shell pattern, in the order of the lecture.

    Args:
        patterns: One, or several of which one must match.
        exclude: One or several of which none may match.
    """
    wanted = [patterns] if isinstance(patterns, str) else patterns
    unwanted = [exclude] if isinstance(exclude, str) else exclude

    def matches(name: str, several: Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in several)

    return [entry.name for entry in CATALOG if matches(entry.name, wanted) and not matches(entry.name, unwanted)]


def find_entry(name: str) -> Entry:
    """The row of ``name``.

    Raises:
        ValueError: If there is none; the message names the nearest.
    """
    if name not in _BY_NAME:
        near = difflib.get_close_matches(name, _BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`lit-cnn models` lists them."
        raise ValueError(f"there is no architecture {name!r} in the catalog; {hint}")
    return _BY_NAME[name]


def create_model(name: str, *, num_classes: int | None = None, in_channels: int = 3, **options: Value) -> Network:
    """Build a network of the catalog with fresh weights.

    Args:
        name: A name that :func:`list_models` returns.
        num_classes: Outputs; the published number by default (1000, or 10 for the CIFAR nets); 0 ends in the features
            (N, num_features).
        in_channels: Channels of the image.
        **options: Arguments of the builder, such as ``dropout`` and ``drop_path``; ``find_entry(name).options()`` lists
            them.

    Raises:
        ValueError: If the name or an option is unknown, naming the nearest; if a number is too small; if the network
            has no shortcuts and ``drop_path`` is given.
    """
    entry = find_entry(name)
    check_options(entry, options)
    classes = entry.num_classes if num_classes is None else num_classes
    for label, number, least in (("num_classes", classes, 0), ("in_channels", in_channels, 1)):
        if number < least:
            raise ValueError(f"{label} must be at least {least}, got {number}")
    network = entry.build(**entry.arguments, num_classes=classes or 1, in_channels=in_channels, **options)
    if classes == 0:
        network.reset_classifier(0)
    return network


def check_options(entry: Entry, options: Mapping[str, Value]) -> None:
    """Refuse options that the network does not have.

    Raises:
        ValueError: Naming the nearest.
    """
    known = entry.options()
    for option in options:
        if option == "drop_path" and option not in known:
            raise ValueError(f"{entry.name} has no shortcuts, so stochastic depth cannot be used: leave drop_path out")
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}."
            raise ValueError(f"{entry.name} has no option {option!r}; {hint}")
