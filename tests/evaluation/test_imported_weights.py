"""``import_weights``: images, recorded logits or names decide; the preprocessing and the classes are checked."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from foreign import LITE0, hub_with_lite0, known_images, offline, random_lite0, renamed, telling_network
from PIL import Image

from lit_cnn.evaluation.imported_weights import Request, also_seen, import_weights
from lit_cnn.evaluation.trained import load_trained
from lit_cnn.pretrained.equality import evaluate
from lit_cnn.pretrained.proving import Proof

__all__ = ["hub_with_lite0", "offline"]


@pytest.fixture
def file_of_both_sides(tmp_path: Path) -> Path:
    """A CIFAR ResNet of another program that puts half of the zero channels on each side."""
    network = telling_network("cifar_resnet8", shortcut="zero_pad_both")
    known_images(network, tmp_path / "known.npz")
    file = tmp_path / "w.th"
    torch.save({"state_dict": renamed(network.state_dict()), "best_prec1": torch.tensor(91.7)}, file)
    return file


@pytest.mark.slow
def test_images_choose_between_networks_that_the_weights_fit(file_of_both_sides: Path) -> None:
    said: list[str] = []
    data = str(file_of_both_sides.with_name("known.npz"))
    done = import_weights(Request(str(file_of_both_sides), "cifar_resnet8", data=data), said.append)
    assert done.checkpoint["network"]["options"] == {"shortcut": "zero_pad_both"}
    assert done.proof.status == "images"
    assert done.proof.sentence.startswith(
        "confirmed by images: 200 of 200 images are recognized with shortcut=zero_pad_b"
    )
    assert done.checkpoint["class_names"] == [f"class{number}" for number in range(10)]
    assert "assumed is ImageNet's usual: 32 px of 32 px" in said[0]


@pytest.mark.slow
def test_the_classes_of_weights_may_be_those_of_a_list(file_of_both_sides: Path) -> None:
    folder = file_of_both_sides.parent
    known = np.load(folder / "known.npz")
    labels = [*known["val_labels"][:40].tolist(), *range(10)]  # the noise that the network knows is of few classes
    for row, pixels in enumerate(known["val_images"][: len(labels)]):
        Image.fromarray(pixels).save(folder / f"{row}.png")
    rows = [f"{row}.png,class{label}" for row, label in enumerate(labels)]
    (folder / "images.csv").write_text("\n".join(["path,label", *rows]))
    options, data = {"shortcut": "zero_pad_both"}, str(folder / "images.csv")
    done = import_weights(Request(str(file_of_both_sides), "cifar_resnet8", data=data, options=options), print)
    assert done.proof.status == "images"
    assert done.checkpoint["class_names"] == [f"class{number}" for number in range(10)]


@pytest.mark.slow
def test_without_images_several_networks_are_refused_and_a_choice_is_unproven(file_of_both_sides: Path) -> None:
    with pytest.raises(
        ValueError, match=r"fit cifar_resnet8 in 2 ways .*\(the default options; shortcut=zero_pad_both\)"
    ):
        import_weights(Request(str(file_of_both_sides), "cifar_resnet8"), print)
    chosen = Request(str(file_of_both_sides), "cifar_resnet8", options={"shortcut": "zero_pad_both"})
    done = import_weights(chosen, print)
    assert done.proof.status == "unproven"
    assert "nothing has checked it" in done.proof.sentence


def test_a_resize_below_the_crop_is_refused(file_of_both_sides: Path) -> None:
    options, stated = {"shortcut": "zero_pad_both"}, {"resize": 24}
    with pytest.raises(ValueError, match="--resize 24 is below the crop of 32 px: state --image-size, too"):
        import_weights(Request(str(file_of_both_sides), "cifar_resnet8", options=options, stated=stated), print)


@pytest.mark.slow
def test_images_that_no_network_recognizes_refute_the_weights(file_of_both_sides: Path) -> None:
    other = telling_network("cifar_resnet20")
    data = known_images(other, file_of_both_sides.with_name("other.npz"))
    with pytest.raises(ValueError, match="none of the 2 ways in which they do recognizes the images"):
        import_weights(Request(str(file_of_both_sides), "cifar_resnet8", data=str(data)), print)


@pytest.mark.slow
def test_too_few_images_refute_and_prove_nothing(file_of_both_sides: Path) -> None:
    with np.load(file_of_both_sides.with_name("known.npz")) as arrays:
        kept = {name: array if name == "class_names" else array[:2] for name, array in arrays.items()}
    few = file_of_both_sides.with_name("few.npz")
    np.savez(few, **kept)
    chosen = {"shortcut": "zero_pad_both"}
    done = import_weights(Request(str(file_of_both_sides), "cifar_resnet8", data=str(few), options=chosen), print)
    assert done.proof.status == "unproven"
    assert done.proof.sentence.startswith(
        "pairing unproven: 2 images of 10 classes are too few to tell a right pairing"
    )
    with pytest.raises(
        ValueError, match=r"fit in 2 ways .*, and 2 images of 10 classes are too few .*: give more images"
    ):
        import_weights(Request(str(file_of_both_sides), "cifar_resnet8", data=str(few)), print)


def test_images_add_to_what_is_known_without_them() -> None:
    proven, unproven = Proof("proven", "proven: equal"), Proof("unproven", "pairing unproven: by order")
    confirmed, few = Proof("images", "confirmed by images: 5 of 5"), Proof("unproven", "pairing unproven: too few")
    assert also_seen(proven, confirmed) == Proof("proven", "proven: equal; confirmed by images: 5 of 5")
    assert also_seen(proven, few) == Proof("proven", "proven: equal; too few")
    assert also_seen(unproven, confirmed) == Proof("images", "by order; confirmed by images: 5 of 5")
    assert also_seen(unproven, few) == Proof("unproven", "pairing unproven: by order; too few")


@pytest.mark.slow
def test_another_order_of_classes_is_noticed(file_of_both_sides: Path) -> None:
    network = telling_network("cifar_resnet8", shortcut="zero_pad_both")
    with np.load(known_images(network, file_of_both_sides.with_name("a.npz"))) as arrays:
        kept = dict(arrays)
    turned = {name: (value + 3) % 10 if name.endswith("labels") else value for name, value in kept.items()}
    np.savez(file_of_both_sides.with_name("turned.npz"), **turned)
    request = Request(str(file_of_both_sides), "cifar_resnet8", data=str(file_of_both_sides.with_name("turned.npz")))
    with pytest.raises(ValueError, match="order of the classes is wrong"):
        import_weights(request, print)


def test_recorded_logits_prove(file_of_both_sides: Path, tmp_path: Path) -> None:
    network, images = telling_network("cifar_resnet8", shortcut="zero_pad_both"), torch.randn(3, 3, 32, 32)
    recorded = tmp_path / "recorded.npz"
    np.savez(recorded, images=images.numpy(), logits=evaluate(network, images).numpy())
    done = import_weights(Request(str(file_of_both_sides), "cifar_resnet8", recorded=recorded), print)
    assert done.proof.status == "proven"
    assert done.checkpoint["network"]["options"] == {"shortcut": "zero_pad_both"}


@pytest.mark.slow
def test_a_file_with_a_librarys_names_is_proven(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save({"model": torchvision.models.resnet18().state_dict(), "epoch": 3}, tmp_path / "w.bin")
    done = import_weights(Request(str(tmp_path / "w.bin"), "resnet18"), print)
    assert done.proof.status == "proven"
    done.save(tmp_path / "w.ckpt")
    assert load_trained(tmp_path / "w.ckpt").class_names[985] == "daisy"
    with pytest.raises(ValueError, match="is a checkpoint of lit-cnn already"):
        import_weights(Request(str(tmp_path / "w.ckpt"), "resnet18"), print)
    with pytest.raises(ValueError, match="add --architecture NAME"):
        import_weights(Request(str(tmp_path / "w.bin")), print)


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_file_of_other_classes_is_not_what_was_published(tmp_path: Path) -> None:
    torch.save(timm.create_model("tf_efficientnet_lite0", num_classes=5).state_dict(), tmp_path / "w.pth")
    expected = rf"w\.pth has 5 classes, and {LITE0} was published with 1000: .*--architecture efficientnet_lite0"
    with pytest.raises(ValueError, match=expected):
        import_weights(Request(LITE0, file=tmp_path / "w.pth"), print)


@pytest.mark.slow
@pytest.mark.usefixtures("hub_with_lite0")
def test_a_wrong_preprocessing_by_hand_is_noticed(tmp_path: Path) -> None:
    said: list[str] = []
    done = import_weights(Request(LITE0, stated={"mean": (0.485, 0.456, 0.406), "image_size": 192}), said.append)
    assert said[0].startswith(f"warning: mean, image_size, resize differ from what {LITE0} was published with (224 px")
    assert done.checkpoint["preprocessing"]["resize"] == 219
    said.clear()
    import_weights(Request(LITE0, stated={"mean": (0.5, 0.5, 0.5)}), said.append)
    assert said == []
    torch.save(renamed(random_lite0().state_dict()), tmp_path / "w.pth")
    chosen = {"padding": "tensorflow", "norm_eps": 1e-3}
    request = Request(str(tmp_path / "w.pth"), "efficientnet_lite0", options=chosen, stated={"std": (0.2, 0.2, 0.2)})
    import_weights(request, said.append)
    assert any(text.startswith(f"warning: std differ from what {LITE0}") for text in said)


@pytest.mark.parametrize("name", ["daisy", "n11939491", "985"])
@pytest.mark.slow
def test_folders_are_matched_by_name_synset_or_index(tmp_path: Path, hub_with_lite0: Path, name: str) -> None:
    folder = tmp_path / "data" / name
    folder.mkdir(parents=True)
    for number in range(6):
        pixels = torch.randint(0, 256, (40, 40, 3), generator=torch.Generator().manual_seed(number)).byte().numpy()
        Image.fromarray(pixels).save(folder / f"{number}.png")
    del hub_with_lite0
    with pytest.raises(ValueError, match="does not recognize the images: 0 of 6"):
        import_weights(Request(LITE0, data=str(tmp_path / "data")), print)
    folder.rename(folder.with_name("rose of the garden"))
    with pytest.raises(ValueError, match="is not named as one of the network's classes"):
        import_weights(Request(LITE0, data=str(tmp_path / "data")), print)
