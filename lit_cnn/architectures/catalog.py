"""The catalog: name -> builder and the paper's facts, in the order of the lecture.

``params`` and ``madds`` (multiply-adds of convolutions and linear layers at ``image_size``) are stored, so that listing
needs no network; tests recompute every one. ``layers`` counts the learnable layers of the longest path as the paper
does, without those of squeeze-and-excitation; where a paper prints no depth it is our own count.
"""

import difflib
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, overload

from lit_cnn.architectures import (
    alexnet,
    amoebanet,
    block_network,
    cell_network,
    cifar_vgg,
    efficientnet,
    efficientnet_lite,
    efficientnet_v2,
    googlenet,
    mbconv_chain,
    mobilenet_v1,
    mobilenet_v2,
    nasnet,
    nfnet,
    resnet,
    resnet_rs,
    resnext,
    senet,
    shufflenet,
    vgg,
    zfnet,
)
from lit_cnn.architectures.entry import Entry, Paper, Value
from lit_cnn.architectures.features import FeatureExtractor
from lit_cnn.architectures.network import Network
from lit_cnn.architectures.patterns import is_pattern

CATALOG: tuple[Entry, ...] = (
    Entry("alexnet", alexnet.alexnet, {},
          Paper("AlexNet", "Krizhevsky et al.", 2012, "NIPS 2012", params_millions=60, top1=59.3, top5=81.8,
                protocol="ImageNet 2012 val, one net, 10 crops"),
          227, 8, 60_965_224, 724_406_816, deviations=alexnet.DEVIATIONS),
    Entry("alexnet_one_tower", alexnet.alexnet_one_tower, {},
          Paper("One weird trick", "Krizhevsky", 2014, "arXiv:1404.5997", protocol="not reported for this net"),
          224, 8, 61_100_840, 714_188_480, deviations=alexnet.ONE_TOWER_DEVIATIONS),
    Entry("zfnet", zfnet.zfnet, {},
          Paper("ZFNet", "Zeiler and Fergus", 2013, "arXiv:1311.2901", top1=61.7, top5=83.6,
                protocol="ImageNet 2012 val, one net, 10 crops"),
          224, 8, 62_357_608, 1_168_032_896, deviations=zfnet.DEVIATIONS),
    Entry("vgg11", vgg.vgg, {"depth": 11, "batch_norm": False},
          replace(vgg.PAPER, params_millions=133, top1=70.4, top5=89.6),
          224, 11, 132_863_336, 7_609_090_048, deviations=vgg.DEVIATIONS),
    Entry("vgg13", vgg.vgg, {"depth": 13, "batch_norm": False},
          replace(vgg.PAPER, params_millions=133, top1=71.3, top5=90.1),
          224, 13, 133_047_848, 11_308_466_176, deviations=vgg.DEVIATIONS),
    Entry("vgg16", vgg.vgg, {"depth": 16, "batch_norm": False},
          replace(vgg.PAPER, params_millions=138, top1=73.0, top5=91.2),
          224, 16, 138_357_544, 15_470_264_320, deviations=vgg.DEVIATIONS),
    Entry("vgg19", vgg.vgg, {"depth": 19, "batch_norm": False},
          replace(vgg.PAPER, params_millions=144, top1=72.7, top5=91.0),
          224, 19, 143_667_240, 19_632_062_464, deviations=vgg.DEVIATIONS),
    Entry("vgg11_bn", vgg.vgg, {"depth": 11, "batch_norm": True}, replace(vgg.PAPER, protocol="not in the paper"),
          224, 11, 132_868_840, 7_609_090_048, deviations=vgg.BATCH_NORM_DEVIATIONS),
    Entry("vgg13_bn", vgg.vgg, {"depth": 13, "batch_norm": True}, replace(vgg.PAPER, protocol="not in the paper"),
          224, 13, 133_053_736, 11_308_466_176, deviations=vgg.BATCH_NORM_DEVIATIONS),
    Entry("vgg16_bn", vgg.vgg, {"depth": 16, "batch_norm": True}, replace(vgg.PAPER, protocol="not in the paper"),
          224, 16, 138_365_992, 15_470_264_320, deviations=vgg.BATCH_NORM_DEVIATIONS),
    Entry("vgg19_bn", vgg.vgg, {"depth": 19, "batch_norm": True}, replace(vgg.PAPER, protocol="not in the paper"),
          224, 19, 143_678_248, 19_632_062_464, deviations=vgg.BATCH_NORM_DEVIATIONS),
    Entry("cifar_vgg8", cifar_vgg.cifar_vgg, {},
          Paper("94% on CIFAR-10 in 3.29 Seconds", "Jordan", 2024, "arXiv:2404.00498", top1=94.0,
                protocol="CIFAR-10 test, mirrored and shifted views"),
          32, 8, 1_972_792, 118_147_360, num_classes=10,
          deviations=("norms keep trainable gains and torch's momentum and epsilon",)),
    Entry("googlenet", googlenet.googlenet, {"batch_norm": False, "branch_kernel": 5, "last_pool": 3},
          replace(googlenet.PAPER, top5=89.93, protocol="ImageNet 2014 val, one net, single crop 224"),
          224, 22, 6_998_552, 1_582_671_872, deviations=googlenet.DEVIATIONS),
    Entry("googlenet_bn", googlenet.googlenet,
          {"batch_norm": True, "branch_kernel": 3, "last_pool": 2, "aux_pool": "adaptive", "response_norm": "none"},
          replace(googlenet.PAPER, protocol="not in the paper"),
          224, 22, 6_624_904, 1_498_376_192, deviations=googlenet.BATCH_NORM_DEVIATIONS),
    Entry("plain18", resnet.imagenet_resnet, {"depth": 18, "shortcut": "none"},
          replace(resnet.PAPER, madds_millions=1800, top1=72.06, protocol="ImageNet val, 10 crops"),
          224, 18, 11_515_688, 1_794_805_760),
    Entry("plain34", resnet.imagenet_resnet, {"depth": 34, "shortcut": "none"},
          replace(resnet.PAPER, madds_millions=3600, top1=71.46, top5=89.98, protocol="ImageNet val, 10 crops"),
          224, 34, 21_623_848, 3_644_493_824),
    Entry("resnet18", resnet.imagenet_resnet, {"depth": 18},
          replace(resnet.PAPER, madds_millions=1800, top1=72.12, protocol="ImageNet val, 10 crops, option A"),
          224, 18, 11_689_512, 1_814_073_344, deviations=(resnet.OPTION_B,)),
    Entry("resnet34", resnet.imagenet_resnet, {"depth": 34},
          replace(resnet.PAPER, madds_millions=3600, top1=75.48, top5=92.54,
                  protocol="ImageNet val, 10 crops, option B"),
          224, 34, 21_797_672, 3_663_761_408),
    Entry("resnet50", resnet.imagenet_resnet, {"depth": 50},
          replace(resnet.PAPER, madds_millions=3800, top1=75.3, top5=92.2,
                  protocol="ImageNet val, single crop 224, authors' released v1 net"),
          224, 50, 25_557_032, 4_089_184_256, deviations=(resnet.STRIDE_IN_3X3,)),
    Entry("resnet101", resnet.imagenet_resnet, {"depth": 101},
          replace(resnet.PAPER, madds_millions=7600, top1=76.4, top5=92.9,
                  protocol="ImageNet val, single crop 224, authors' released v1 net"),
          224, 101, 44_549_160, 7_801_405_440, deviations=(resnet.STRIDE_IN_3X3,)),
    Entry("resnet152", resnet.imagenet_resnet, {"depth": 152},
          replace(resnet.PAPER, madds_millions=11300, top1=77.0, top5=93.3,
                  protocol="ImageNet val, single crop 224, authors' released v1 net"),
          224, 152, 60_192_808, 11_513_626_624, deviations=(resnet.STRIDE_IN_3X3,)),
    Entry("resnet200", resnet.imagenet_resnet, {"depth": 200},
          Paper("Identity Mappings", "He et al.", 2016, "arXiv:1603.05027", protocol="pre-activation"),
          224, 200, 64_673_832, 15_007_481_856,
          deviations=("post-activation, as timm's; the 2016 paper's ResNet-200 is pre-activation",
                      resnet.STRIDE_IN_3X3)),
    Entry("cifar_plain20", resnet.cifar_resnet, {"depth": 20, "shortcut": "none"},
          replace(resnet.PAPER, protocol="not reported as a number"), 32, 20, 269_722, 40_551_040, num_classes=10),
    Entry("cifar_plain32", resnet.cifar_resnet, {"depth": 32, "shortcut": "none"},
          replace(resnet.PAPER, protocol="not reported as a number"), 32, 32, 464_154, 68_862_592, num_classes=10),
    Entry("cifar_plain44", resnet.cifar_resnet, {"depth": 44, "shortcut": "none"},
          replace(resnet.PAPER, protocol="not reported as a number"), 32, 44, 658_586, 97_174_144, num_classes=10),
    Entry("cifar_plain56", resnet.cifar_resnet, {"depth": 56, "shortcut": "none"},
          replace(resnet.PAPER, protocol="not reported as a number"), 32, 56, 853_018, 125_485_696, num_classes=10),
    Entry("cifar_plain110", resnet.cifar_resnet, {"depth": 110, "shortcut": "none"},
          replace(resnet.PAPER, protocol="not reported as a number"), 32, 110, 1_727_962, 252_887_680, num_classes=10),
    Entry("cifar_plain1202", resnet.cifar_resnet, {"depth": 1202, "shortcut": "none"},
          replace(resnet.PAPER, protocol="not reported as a number"),
          32, 1202, 19_421_274, 2_829_238_912, num_classes=10),
    Entry("cifar_resnet8", resnet.cifar_resnet, {"depth": 8},
          replace(resnet.PAPER, protocol="not reported as a number"), 32, 8, 75_290, 12_239_488, num_classes=10),
    Entry("cifar_resnet20", resnet.cifar_resnet, {"depth": 20},
          replace(resnet.PAPER, params_millions=0.27, top1=91.25, protocol="CIFAR-10 test"),
          32, 20, 269_722, 40_551_040, num_classes=10),
    Entry("cifar_resnet32", resnet.cifar_resnet, {"depth": 32},
          replace(resnet.PAPER, params_millions=0.46, top1=92.49, protocol="CIFAR-10 test"),
          32, 32, 464_154, 68_862_592, num_classes=10),
    Entry("cifar_resnet44", resnet.cifar_resnet, {"depth": 44},
          replace(resnet.PAPER, params_millions=0.66, top1=92.83, protocol="CIFAR-10 test"),
          32, 44, 658_586, 97_174_144, num_classes=10),
    Entry("cifar_resnet56", resnet.cifar_resnet, {"depth": 56},
          replace(resnet.PAPER, params_millions=0.85, top1=93.03, protocol="CIFAR-10 test"),
          32, 56, 853_018, 125_485_696, num_classes=10),
    Entry("cifar_resnet110", resnet.cifar_resnet, {"depth": 110},
          replace(resnet.PAPER, params_millions=1.7, top1=93.57, protocol="CIFAR-10 test"),
          32, 110, 1_727_962, 252_887_680, num_classes=10),
    Entry("cifar_resnet1202", resnet.cifar_resnet, {"depth": 1202},
          replace(resnet.PAPER, params_millions=19.4, top1=92.07, protocol="CIFAR-10 test"),
          32, 1202, 19_421_274, 2_829_238_912, num_classes=10),
    Entry("resnext50_32x4d", resnext.resnext, {"depth": 50, "groups": 32, "group_width": 4},
          replace(resnext.PAPER, params_millions=25.0, madds_millions=4100, top1=77.8),
          224, 50, 25_028_904, 4_230_479_872),
    Entry("resnext101_32x4d", resnext.resnext, {"depth": 101, "groups": 32, "group_width": 4},
          replace(resnext.PAPER, params_millions=44.0, madds_millions=7800, top1=78.8, top5=94.4),
          224, 101, 44_177_704, 7_969_996_800),
    Entry("resnext101_64x4d", resnext.resnext, {"depth": 101, "groups": 64, "group_width": 4},
          replace(resnext.PAPER, madds_millions=15600, top1=79.6, top5=94.7), 224, 101, 83_455_272, 15_460_270_080),
    Entry("resnext101_32x8d", resnext.resnext, {"depth": 101, "groups": 32, "group_width": 8},
          replace(resnext.PAPER, protocol="not in the paper"),
          224, 101, 88_791_336, 16_414_015_488, deviations=(resnext.NOT_IN_PAPER,)),
    Entry("resnext152_32x4d", resnext.resnext, {"depth": 152, "groups": 32, "group_width": 4},
          replace(resnext.PAPER, protocol="not in the paper"),
          224, 152, 59_951_400, 11_709_513_728, deviations=(resnext.NO_ROW,)),
    Entry("se_resnet50", senet.se_resnet, {"depth": 50},
          replace(senet.PAPER, params_millions=28.1, madds_millions=3870, top1=76.71, top5=93.38),
          224, 50, 28_088_024, 3_860_488_192),
    Entry("se_resnet101", senet.se_resnet, {"depth": 101},
          replace(senet.PAPER, madds_millions=7600, top1=77.62, top5=93.93), 224, 101, 49_326_872, 7_574_937_600),
    Entry("se_resnet152", senet.se_resnet, {"depth": 152},
          replace(senet.PAPER, madds_millions=11320, top1=78.43, top5=94.27), 224, 152, 66_821_848, 11_288_993_792),
    Entry("se_resnext50_32x4d", senet.se_resnext, {"depth": 50},
          replace(senet.PAPER, madds_millions=4250, top1=78.9, top5=94.51), 224, 50, 27_559_896, 4_232_994_816),
    Entry("se_resnext101_32x4d", senet.se_resnext, {"depth": 101},
          replace(senet.PAPER, madds_millions=8000, top1=79.3, top5=94.99), 224, 101, 48_955_416, 7_974_739_968),
    Entry("se_resnext152_32x4d", senet.se_resnext, {"depth": 152}, replace(senet.PAPER, protocol="no row in the paper"),
          224, 152, 66_580_440, 11_716_091_904, deviations=(resnext.NO_ROW,)),
    Entry("mobilenet_v1", mobilenet_v1.mobilenet_v1, {"width": 1.0, "separable": True, "shallow": False},
          replace(mobilenet_v1.PAPER, params_millions=4.2, madds_millions=569, top1=70.6),
          224, 28, 4_231_976, 568_740_352, deviations=mobilenet_v1.DEVIATIONS),
    Entry("mobilenet_v1_0.75", mobilenet_v1.mobilenet_v1, {"width": 0.75, "separable": True, "shallow": False},
          replace(mobilenet_v1.PAPER, params_millions=2.6, madds_millions=325, top1=68.4),
          224, 28, 2_585_560, 325_400_448, deviations=mobilenet_v1.DEVIATIONS),
    Entry("mobilenet_v1_0.5", mobilenet_v1.mobilenet_v1, {"width": 0.5, "separable": True, "shallow": False},
          replace(mobilenet_v1.PAPER, params_millions=1.3, madds_millions=149, top1=63.7),
          224, 28, 1_331_592, 149_497_088, deviations=mobilenet_v1.DEVIATIONS),
    Entry("mobilenet_v1_0.25", mobilenet_v1.mobilenet_v1, {"width": 0.25, "separable": True, "shallow": False},
          replace(mobilenet_v1.PAPER, params_millions=0.5, madds_millions=41, top1=50.6),
          224, 28, 470_072, 41_030_272, deviations=mobilenet_v1.DEVIATIONS),
    Entry("shallow_mobilenet", mobilenet_v1.mobilenet_v1, {"width": 1.0, "separable": True, "shallow": True},
          replace(mobilenet_v1.PAPER, params_millions=2.9, madds_millions=307, top1=65.3),
          224, 18, 2_887_976, 307_323_392, deviations=mobilenet_v1.DEVIATIONS),
    Entry("conv_mobilenet", mobilenet_v1.mobilenet_v1, {"width": 1.0, "separable": False, "shallow": False},
          replace(mobilenet_v1.PAPER, params_millions=29.3, madds_millions=4866, top1=71.7),
          224, 15, 29_294_088, 4_867_293_184, deviations=mobilenet_v1.DEVIATIONS),
    Entry("mobilenet_v2", mobilenet_v2.mobilenet_v2, {"width": 1.0},
          replace(mobilenet_v2.PAPER, params_millions=3.4, madds_millions=300, top1=72.0),
          224, 53, 3_504_872, 300_774_272, deviations=mobilenet_v1.DEVIATIONS),
    Entry("mobilenet_v2_1.4", mobilenet_v2.mobilenet_v2, {"width": 1.4},
          replace(mobilenet_v2.PAPER, params_millions=6.9, madds_millions=585, top1=74.7),
          224, 53, 6_108_776, 582_195_824,
          deviations=(*mobilenet_v1.DEVIATIONS,
                      "the paper prints 6.9 M parameters; its rule gives 6.1 M, as released")),
    Entry("shufflenet_v1_g3_1.0x", shufflenet.shufflenet, {"groups": 3, "width": 1.0},
          replace(shufflenet.PAPER, madds_millions=137, top1=67.4),
          224, 50, 1_864_728, 137_460_672, deviations=shufflenet.DEVIATIONS),
    Entry("shufflenet_v1_g3_1.5x", shufflenet.shufflenet, {"groups": 3, "width": 1.5},
          replace(shufflenet.PAPER, madds_millions=292, top1=71.5),
          224, 50, 3_441_168, 292_443_552, deviations=shufflenet.DEVIATIONS),
    Entry("shufflenet_v1_g3_2.0x", shufflenet.shufflenet, {"groups": 3, "width": 2.0},
          replace(shufflenet.PAPER, madds_millions=524, top1=73.7),
          224, 50, 5_449_776, 524_045_184, deviations=shufflenet.DEVIATIONS),
    Entry("nasnet_a_mobile", nasnet.nasnet_a,
          {"repeats": 4, "penultimate": 1056, "stem_width": 32, "skip_reduction": False, "aux_kernel": 4},
          replace(nasnet.PAPER, params_millions=5.3, madds_millions=564, top1=74.0, top5=91.6,
                  protocol="ImageNet val, single crop 224"),
          224, 98, 5_289_978, 563_638_816),
    Entry("nasnet_a_large", nasnet.nasnet_a,
          {"repeats": 6, "penultimate": 4032, "stem_width": 96, "skip_reduction": True, "aux_kernel": 6},
          replace(nasnet.PAPER, params_millions=88.9, madds_millions=23_800, top1=82.7, top5=96.2,
                  protocol="ImageNet val, single crop 331; 88.9 M counts batch norm's statistics"),
          331, 128, 88_753_150, 23_783_414_658,
          deviations=("average pools skip padding (TensorFlow); count_padding: true is timm's net",)),
    Entry("nasnet_a_6_768_cifar", nasnet.cifar_nasnet_a, {"repeats": 6, "penultimate": 768},
          replace(nasnet.PAPER, params_millions=3.3, top1=96.59, protocol="CIFAR-10 test; 97.35 with cutout"),
          32, 110, 3_346_538, 544_333_312, num_classes=10),
    Entry("nasnet_a_7_2304_cifar", nasnet.cifar_nasnet_a, {"repeats": 7, "penultimate": 2304},
          replace(nasnet.PAPER, params_millions=27.6, top1=97.03, protocol="CIFAR-10 test; 97.60 with cutout"),
          32, 125, 32_590_954, 5_151_250_944, num_classes=10,
          deviations=("the paper prints 27.6 M parameters; the released code's rule gives 32.6 M",)),
    Entry("amoebanet_a_n6_f190", amoebanet.amoebanet_a, {"repeats": 6, "filters": 190},
          replace(amoebanet.PAPER, params_millions=86.7, madds_millions=23_100, top1=82.8, top5=96.1,
                  protocol="ImageNet val, single crop 331"),
          331, 115, 86_718_797, 23_133_663_507,
          deviations=(*amoebanet.DEVIATIONS,
                      "odd widths (47, 95 in the stem) are split unevenly where the released code refuses them")),
    Entry("amoebanet_a_n6_f448", amoebanet.amoebanet_a, {"repeats": 6, "filters": 448},
          replace(amoebanet.PAPER, params_millions=469, madds_millions=104_000, top1=83.9, top5=96.6,
                  protocol="ImageNet val, single crop 331; 469 M counts batch norm's statistics"),
          331, 115, 468_151_184, 126_520_757_776,
          deviations=(*amoebanet.DEVIATIONS,
                      "the paper's 104 B multiply-adds are those at 299 px (103,887,693,968 here), not at 331")),
    Entry("amoebanet_a_n6_f32_cifar", amoebanet.cifar_amoebanet_a, {"repeats": 6, "filters": 32},
          replace(amoebanet.PAPER, params_millions=2.6, top1=96.6,
                  protocol="CIFAR-10 test, mean of runs with standard deviation 0.08"),
          32, 102, 2_567_754, 407_671_808, num_classes=10, deviations=amoebanet.CIFAR_DEVIATIONS),
    Entry("amoebanet_a_n6_f36_cifar", amoebanet.cifar_amoebanet_a, {"repeats": 6, "filters": 36},
          replace(amoebanet.PAPER, params_millions=3.2, top1=96.66,
                  protocol="CIFAR-10 test, mean of runs with standard deviation 0.06"),
          32, 102, 3_218_266, 509_668_992, num_classes=10, deviations=amoebanet.CIFAR_DEVIATIONS),
    Entry("amoebanet_a_proxy_n3_f24", amoebanet.cifar_amoebanet_a, {"repeats": 3, "filters": 24},
          replace(amoebanet.PAPER, protocol="the net in which the search trains each candidate for 25 epochs"),
          32, 57, 843_322, 139_349_760, num_classes=10, deviations=amoebanet.CIFAR_DEVIATIONS),
    Entry("cell_network", cell_network.cell_network, {}, cell_network.PAPER,
          32, 110, 3_346_538, 544_333_312, num_classes=10),
    Entry("mbconv_chain", mbconv_chain.mbconv_chain, {}, mbconv_chain.PAPER, 224, 53, 3_504_872, 300_774_272),
    Entry("block_network", block_network.block_network, {}, block_network.PAPER,
          32, 20, 272_474, 40_813_184, num_classes=10),
    Entry("efficientnet_b0", efficientnet.efficientnet, {"variant": "b0"},
          replace(efficientnet.PAPER, params_millions=5.3, madds_millions=390, top1=77.1, top5=93.3,
                  protocol="ImageNet val, single crop 224"),
          224, 50, 5_288_548, 385_814_752),
    Entry("efficientnet_b1", efficientnet.efficientnet, {"variant": "b1"},
          replace(efficientnet.PAPER, params_millions=7.8, madds_millions=700, top1=79.1, top5=94.4,
                  protocol="ImageNet val, single crop 240"),
          240, 70, 7_794_184, 686_802_832),
    Entry("efficientnet_b2", efficientnet.efficientnet, {"variant": "b2"},
          replace(efficientnet.PAPER, params_millions=9.2, madds_millions=1000, top1=80.1, top5=94.9,
                  protocol="ImageNet val, single crop 260"),
          260, 70, 9_109_994, 993_561_872),
    Entry("efficientnet_b3", efficientnet.efficientnet, {"variant": "b3"},
          replace(efficientnet.PAPER, params_millions=12, madds_millions=1800, top1=81.6, top5=95.7,
                  protocol="ImageNet val, single crop 300"),
          300, 79, 12_233_232, 1_827_141_392),
    Entry("efficientnet_b4", efficientnet.efficientnet, {"variant": "b4"},
          replace(efficientnet.PAPER, params_millions=19, madds_millions=4200, top1=82.9, top5=96.4,
                  protocol="ImageNet val, single crop 380"),
          380, 97, 19_341_616, 4_393_771_024),
    Entry("efficientnet_b5", efficientnet.efficientnet, {"variant": "b5"},
          replace(efficientnet.PAPER, params_millions=30, madds_millions=9900, top1=83.6, top5=96.7,
                  protocol="ImageNet val, single crop 456"),
          456, 117, 30_389_784, 10_266_384_752),
    Entry("efficientnet_b6", efficientnet.efficientnet, {"variant": "b6"},
          replace(efficientnet.PAPER, params_millions=43, madds_millions=19000, top1=84.0, top5=96.8,
                  protocol="ImageNet val, single crop 528"),
          528, 135, 43_040_704, 19_067_593_536),
    Entry("efficientnet_b7", efficientnet.efficientnet, {"variant": "b7"},
          replace(efficientnet.PAPER, params_millions=66, madds_millions=37000, top1=84.3, top5=97.0,
                  protocol="ImageNet val, single crop 600"),
          600, 164, 66_347_960, 37_745_884_192),
    Entry("efficientnet_lite0", efficientnet_lite.efficientnet_lite, {"variant": "lite0"},
          replace(efficientnet_lite.PAPER, params_millions=4.7, madds_millions=407, top1=75.1,
                  protocol="ImageNet val, single crop 224, float32; figures of the README"),
          224, 50, 4_652_008, 385_187_552),
    Entry("efficientnet_lite1", efficientnet_lite.efficientnet_lite, {"variant": "lite1"},
          replace(efficientnet_lite.PAPER, params_millions=5.4, madds_millions=631, top1=76.7,
                  protocol="ImageNet val, single crop 240, float32; figures of the README"),
          240, 65, 5_416_680, 600_185_232),
    Entry("efficientnet_lite2", efficientnet_lite.efficientnet_lite, {"variant": "lite2"},
          replace(efficientnet_lite.PAPER, params_millions=6.1, madds_millions=899, top1=77.6,
                  protocol="ImageNet val, single crop 260, float32; figures of the README"),
          260, 65, 6_092_072, 859_736_272),
    Entry("efficientnet_lite3", efficientnet_lite.efficientnet_lite, {"variant": "lite3"},
          replace(efficientnet_lite.PAPER, params_millions=8.2, madds_millions=1440, top1=79.8,
                  protocol="ImageNet val, single crop 280, float32; figures of the README"),
          280, 74, 8_197_096, 1_383_321_872),
    Entry("efficientnet_lite4", efficientnet_lite.efficientnet_lite, {"variant": "lite4"},
          replace(efficientnet_lite.PAPER, params_millions=13.0, madds_millions=2640, top1=81.5,
                  protocol="ImageNet val, single crop 300, float32; figures of the README"),
          300, 92, 13_006_568, 2_553_034_336),
    Entry("nfnet_f0", nfnet.nfnet, {"variant": "f0"},
          replace(nfnet.PAPER, params_millions=71.5, madds_millions=12380, top1=83.6, top5=96.8,
                  protocol="ImageNet val, single crop 256"),
          256, 54, 71_489_284, 12_384_198_656, deviations=nfnet.DEVIATIONS),
    Entry("nfnet_f1", nfnet.nfnet, {"variant": "f1"},
          replace(nfnet.PAPER, params_millions=132.6, madds_millions=35540, top1=84.7, top5=97.1,
                  protocol="ImageNet val, single crop 320"),
          320, 102, 132_634_256, 35_538_968_576, deviations=nfnet.DEVIATIONS),
    Entry("nfnet_f2", nfnet.nfnet, {"variant": "f2"},
          replace(nfnet.PAPER, params_millions=193.8, madds_millions=62590, top1=85.1, top5=97.3,
                  protocol="ImageNet val, single crop 352"),
          352, 150, 193_779_228, 62_592_978_944, deviations=nfnet.DEVIATIONS),
    Entry("nfnet_f3", nfnet.nfnet, {"variant": "f3"},
          replace(nfnet.PAPER, params_millions=254.9, madds_millions=114760, top1=85.7, top5=97.5,
                  protocol="ImageNet val, single crop 416"),
          416, 198, 254_924_200, 114_763_501_568, deviations=nfnet.DEVIATIONS),
    Entry("nfnet_f4", nfnet.nfnet, {"variant": "f4"},
          replace(nfnet.PAPER, params_millions=316.1, madds_millions=215240, top1=85.9, top5=97.6,
                  protocol="ImageNet val, single crop 512"),
          512, 246, 316_069_172, 215_241_187_328, deviations=nfnet.DEVIATIONS),
    Entry("nfnet_f5", nfnet.nfnet, {"variant": "f5"},
          replace(nfnet.PAPER, params_millions=377.2, madds_millions=289760, top1=86.0, top5=97.6,
                  protocol="ImageNet val, single crop 544, without SAM"),
          544, 294, 377_214_144, 289_757_106_176, deviations=nfnet.DEVIATIONS),
    Entry("nfnet_f6", nfnet.nfnet, {"variant": "f6"},
          replace(nfnet.PAPER, params_millions=438.4, madds_millions=377280, top1=86.5, top5=97.9,
                  protocol="ImageNet val, single crop 576, trained with SAM"),
          576, 342, 438_359_116, 377_280_307_200, deviations=nfnet.DEVIATIONS),
    Entry("resnet_rs_50", resnet_rs.resnet_rs, {"depth": 50},
          replace(resnet_rs.PAPER, params_millions=36, top1=78.8, protocol="single crop 160"),
          160, 50, 35_691_912, 2_278_629_376),
    Entry("resnet_rs_101", resnet_rs.resnet_rs, {"depth": 101},
          replace(resnet_rs.PAPER, params_millions=64, top1=81.2, protocol="single crop 192"),
          192, 101, 63_618_696, 6_012_157_952),
    Entry("resnet_rs_152", resnet_rs.resnet_rs, {"depth": 152},
          replace(resnet_rs.PAPER, params_millions=87, madds_millions=15500, top1=83.0, protocol="single crop 256"),
          256, 152, 86_621_576, 15_527_886_848),
    Entry("resnet_rs_200", resnet_rs.resnet_rs, {"depth": 200},
          replace(resnet_rs.PAPER, params_millions=93, top1=83.4, protocol="single crop 256"),
          256, 200, 93_209_992, 20_093_386_752),
    Entry("resnet_rs_270", resnet_rs.resnet_rs, {"depth": 270},
          replace(resnet_rs.PAPER, params_millions=130, top1=83.8, protocol="single crop 256"),
          256, 270, 129_861_448, 26_950_189_056),
    Entry("resnet_rs_350", resnet_rs.resnet_rs, {"depth": 350},
          replace(resnet_rs.PAPER, params_millions=164, top1=84.0, protocol="single crop 256"),
          256, 350, 163_956_168, 34_376_597_504),
    Entry("resnet_rs_420", resnet_rs.resnet_rs, {"depth": 420},
          replace(resnet_rs.PAPER, params_millions=192, madds_millions=64000, top1=84.4, protocol="single crop 320"),
          320, 420, 191_891_656, 63_942_344_704),
    Entry("efficientnet_v2_b0", efficientnet_v2.efficientnet_v2, {"variant": "b0"},
          replace(efficientnet_v2.PAPER, params_millions=7.1, madds_millions=720, top1=78.7,
                  protocol="ImageNet val, single crop 224; figures of the released README"),
          224, 60, 7_139_704, 718_086_176, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_b1", efficientnet_v2.efficientnet_v2, {"variant": "b1"},
          replace(efficientnet_v2.PAPER, params_millions=8.1, madds_millions=1200, top1=79.8,
                  protocol="ImageNet val, single crop 240; figures of the released README"),
          240, 74, 8_141_052, 1_196_819_360, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_b2", efficientnet_v2.efficientnet_v2, {"variant": "b2"},
          replace(efficientnet_v2.PAPER, params_millions=10.1, madds_millions=1700, top1=80.5,
                  protocol="ImageNet val, single crop 260; figures of the released README"),
          260, 77, 10_096_086, 1_697_542_832, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_b3", efficientnet_v2.efficientnet_v2, {"variant": "b3"},
          replace(efficientnet_v2.PAPER, params_millions=14.4, madds_millions=3000, top1=82.1,
                  protocol="ImageNet val, single crop 300; figures of the released README"),
          300, 89, 14_358_406, 3_011_458_816, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_s", efficientnet_v2.efficientnet_v2, {"variant": "s"},
          replace(efficientnet_v2.PAPER, params_millions=21.5, madds_millions=8400, top1=83.9,
                  protocol="ImageNet val, single crop 384; figures of the released README"),
          384, 111, 21_458_488, 8_365_617_152, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_m", efficientnet_v2.efficientnet_v2, {"variant": "m"},
          replace(efficientnet_v2.PAPER, params_millions=54.1, madds_millions=24700, top1=85.2,
                  protocol="ImageNet val, single crop 480; figures of the released README"),
          480, 158, 54_139_356, 24_582_460_384, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_l", efficientnet_v2.efficientnet_v2, {"variant": "l"},
          replace(efficientnet_v2.PAPER, params_millions=119.5, madds_millions=56300, top1=85.7,
                  protocol="ImageNet val, single crop 480; figures of the released README"),
          480, 218, 118_515_272, 56_079_699_008, deviations=efficientnet_v2.DEVIATIONS),
    Entry("efficientnet_v2_xl", efficientnet_v2.efficientnet_v2, {"variant": "xl"},
          replace(efficientnet_v2.PAPER, params_millions=208.1, top1=87.2,
                  protocol="ImageNet val, single crop 512, pretrained on ImageNet-21k; figures of the released README"),
          512, 279, 208_119_808, 93_353_451_520, deviations=efficientnet_v2.DEVIATIONS),
)  # fmt: skip


SORT_KEYS = ("year", "params", "madds", "top1", "layers", "name")
"""Columns by which :func:`select_entries` sorts."""
TASKS = ("imagenet", "cifar")
"""What the published networks classify; their accuracies cannot be compared."""

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


def select_entries(
    patterns: str | Sequence[str] = "*",
    *,
    sort: str | None = None,
    task: str | None = None,
    max_params_millions: float | None = None,
    max_madds_millions: float | None = None,
) -> list[Entry]:
    """The rows whose name matches and whose cost is within limits.

    Args:
        patterns: Shell pattern of names, or several of which one must match.
        sort: One of ``SORT_KEYS``: smallest first, but the highest accuracy first and within its task; rows without a
            value last. By default the order of the lecture.
        task: One of ``TASKS``; all by default.
        max_params_millions: At most this many million parameters.
        max_madds_millions: At most this many million multiply-adds.

    Raises:
        ValueError: If ``sort`` is none of ``SORT_KEYS``, or ``task`` none of ``TASKS``.
    """
    if task is not None and task not in TASKS:
        raise ValueError(f"the catalog has the tasks {' and '.join(TASKS)}, got {task!r}")
    if sort is not None and sort not in SORT_KEYS:
        raise ValueError(f"the catalog is sorted by one of {', '.join(SORT_KEYS)}, got {sort!r}")
    names = set(list_models(patterns))
    entries = [
        entry
        for entry in CATALOG
        if entry.name in names
        and task in (None, entry.task)
        and (max_params_millions is None or entry.params <= max_params_millions * 1e6)
        and (max_madds_millions is None or entry.madds <= max_madds_millions * 1e6)
    ]
    return entries if sort is None else sorted(entries, key=lambda entry: _sort_value(entry, sort))


def _sort_value(entry: Entry, key: str) -> Any:
    if key == "top1":
        return (TASKS.index(entry.task), entry.paper.top1 is None, -(entry.paper.top1 or 0))
    return entry.paper.year if key == "year" else getattr(entry, key)


def find_entries(patterns: Sequence[str]) -> list[Entry]:
    """The rows that shell patterns or names name, each once, in the order of the patterns.

    Raises:
        ValueError: If a pattern matches nothing; for a name the message names the nearest.
    """
    found: dict[str, Entry] = {}
    for pattern in patterns:
        names = list_models(pattern) if is_pattern(pattern) else [pattern]
        if not names:
            raise ValueError(f"no architecture matches {pattern!r}; `lit-cnn models` lists all")
        found |= {name: find_entry(name) for name in names}
    return list(found.values())


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


@overload
def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int = 3,
    features_only: Literal[False] = False,
    out_strides: None = None,
    **options: Value,
) -> Network: ...


@overload
def create_model(
    name: str,
    *,
    num_classes: None = None,
    in_channels: int = 3,
    features_only: Literal[True],
    out_strides: Sequence[int] = (8, 16, 32),
    **options: Value,
) -> FeatureExtractor: ...


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int = 3,
    features_only: bool = False,
    out_strides: Sequence[int] | None = None,
    **options: Value,
) -> Network | FeatureExtractor:
    """Build a network of the catalog with fresh weights.

    Args:
        name: A name that :func:`list_models` returns.
        num_classes: Outputs; the published number by default (1000, or 10 for the CIFAR nets); 0 ends in the features
            (N, num_features).
        in_channels: Channels of the image.
        features_only: Return a :class:`FeatureExtractor`: without the head, the maps for detectors.
        out_strides: Strides of those maps, (8, 16, 32) by default.
        **options: Arguments of the builder, such as ``dropout`` and ``drop_path``; ``find_entry(name).options()`` lists
            them.

    Raises:
        ValueError: If the name or an option is unknown, naming the nearest; if a number is too small; if the network
            has no shortcuts and ``drop_path`` is given; if it has no map of a stride; if ``out_strides`` is given
            without ``features_only``, or ``num_classes`` with it.
    """
    entry = find_entry(name)
    check_options(entry, options)
    if features_only and num_classes is not None:
        raise ValueError("features_only: true leaves out the classifier, so num_classes does not apply: leave it out")
    if out_strides is not None and not features_only:
        raise ValueError("out_strides chooses the maps of features_only: set features_only to true, or leave it out")
    classes = entry.num_classes if num_classes is None else num_classes
    for label, number, least in (("num_classes", classes, 0), ("in_channels", in_channels, 1)):
        if number < least:
            raise ValueError(f"{label} must be at least {least}, got {number}")
    network = entry.build(**entry.arguments, num_classes=classes or 1, in_channels=in_channels, **options)
    if features_only:
        return FeatureExtractor(network, (8, 16, 32) if out_strides is None else out_strides)
    if classes == 0:
        network.reset_classifier(0)
    return network


def check_options(entry: Entry, options: Mapping[str, Value]) -> None:
    """Refuse options that the network does not have, and values that they cannot take.

    Raises:
        ValueError: Naming the nearest option, or the values.
    """
    known, choices = entry.options(), entry.option_choices()
    for option, value in options.items():
        if option == "drop_path" and option not in known:
            raise ValueError(f"{entry.name} has no shortcuts, so stochastic depth cannot be used: leave drop_path out")
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}."
            raise ValueError(f"{entry.name} has no option {option!r}; {hint}")
        if option in choices and value not in choices[option]:
            raise ValueError(f"{entry.name}: {option} must be {' or '.join(map(str, choices[option]))}, got {value!r}")
