import math
from pathlib import Path

import pytest
import torch
from fitted_run import FittedRun
from torch import nn

import lit_cnn
from lit_cnn.cli.main import main
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.training.fine_tuning import InitialWeights, load_initial_weights

SMALL = {"num_classes": 3, "map_size": 1, "hidden": 8}


def make_vgg(depth: int, seed: int, **options: int) -> nn.Module:
    torch.manual_seed(seed)
    return lit_cnn.create_model(f"vgg{depth}", **{**SMALL, **options})


ANIMALS = ["cat", "dog", "fox"]
NUMBERS = ["0", "1", "2"]


def save(network: nn.Module, architecture: str, path: Path, class_names: list[str] = ANIMALS) -> Path:
    state = {f"net.{name}": value for name, value in network.state_dict().items()}
    described = {"network": {"architecture": architecture}, "state_dict": state, "class_names": class_names}
    torch.save({**described, "format": 1}, path)
    return path


def layers(network: nn.Module, kind: type) -> list[torch.Tensor]:
    return [module.weight.detach() for module in network.modules() if isinstance(module, kind)]


@pytest.fixture(scope="module")
def vgg11(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    network = make_vgg(11, 0)
    return network, save(network, "vgg11", tmp_path_factory.mktemp("vgg") / "vgg11.ckpt")


@pytest.mark.slow
@pytest.mark.parametrize("depth", [13, 16, 19])
def test_vgg_grows_by_the_first_layers_of_its_stages_and_its_linear_layers(depth: int, vgg11: tuple) -> None:
    source, path = vgg11
    grown, fresh = make_vgg(depth, 1), make_vgg(depth, 1)
    load_initial_weights(grown, InitialWeights(str(path), convolutions=4, linears=3), ANIMALS)
    for own, other in zip(layers(grown, nn.Linear), layers(source, nn.Linear), strict=True):
        assert torch.equal(own, other)
    # Column A's first four convolutions are 1_1, 2_1, 3_1 and 3_2; in B, D and E those are numbers 0, 2, 4 and 5.
    target = dict(zip((0, 2, 4, 5), layers(source, nn.Conv2d), strict=False))
    for number, (own, random) in enumerate(zip(layers(grown, nn.Conv2d), layers(fresh, nn.Conv2d), strict=True)):
        assert torch.equal(own, target.get(number, random))


def test_a_grown_head_goes_to_the_classes_of_its_names_and_never_to_others(vgg11: tuple) -> None:
    source, path = vgg11
    grown, initial = make_vgg(13, 1), InitialWeights(str(path), linears=3)
    load_initial_weights(grown, initial, ["fox", "cat", "dog"])
    assert torch.equal(layers(grown, nn.Linear)[-1], layers(source, nn.Linear)[-1][[2, 0, 1]])
    with pytest.raises(
        ValueError, match=r"its classes differ \(bird instead of cat\): train on the checkpoint's classes"
    ):
        load_initial_weights(grown, initial, ["bird", "dog", "fox"])


def test_the_same_classes_start_with_the_whole_checkpoint(vgg11: tuple) -> None:
    source, path = vgg11
    network = make_vgg(11, 1)
    said = load_initial_weights(network, InitialWeights(str(path)), ANIMALS)
    assert said.endswith("copied 20 of 20 tensors below the head; the whole head")
    state = source.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("classes", [["dog", "fox", "cat"], ["fox", "dog"]])
def test_known_classes_in_other_places_keep_their_rows_of_the_head(classes: list[str], vgg11: tuple) -> None:
    source, path = vgg11
    network = make_vgg(11, 1, num_classes=len(classes))
    said = load_initial_weights(network, InitialWeights(str(path)), classes)
    assert said.endswith("copied 20 of 20 tensors below the head; the head's rows by the names of the classes")
    rows = [ANIMALS.index(name) for name in classes]
    assert torch.equal(network.classifier.weight, source.classifier.weight[rows])
    assert torch.equal(network.classifier.bias, source.classifier.bias[rows])


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        (["a", "b", "c", "d"], r"its classes differ (a instead of cat, b instead of dog, c instead of fox, …)"),
        (NUMBERS, "the data does not name its classes"),
    ],
)
def test_a_head_of_other_classes_is_fresh_and_the_rest_copied(classes: list[str], reason: str, vgg11: tuple) -> None:
    source, path = vgg11
    network, fresh = (make_vgg(11, 1, num_classes=len(classes)) for _ in range(2))
    said = load_initial_weights(network, InitialWeights(str(path)), classes)
    assert said.endswith(f"copied 20 of 20 tensors below the head; the head is fresh: {reason}")
    drawn = fresh.classifier.weight
    torch.testing.assert_close(network.classifier.weight, drawn * (0.01 / drawn.std(correction=0)))
    assert not network.classifier.bias.any()
    for kind in (nn.Conv2d, nn.Linear):
        pairs = list(zip(layers(network, kind), layers(source, kind), strict=True))
        assert all(torch.equal(own, other) for own, other in (pairs if kind is nn.Conv2d else pairs[:-1]))


@pytest.mark.parametrize("classes", [["bird", "dog", "fox"], [*ANIMALS, "bird"]])
def test_known_classes_keep_their_rows_and_the_others_are_fresh(classes: list[str], vgg11: tuple) -> None:
    source, path = vgg11
    network = make_vgg(11, 1, num_classes=len(classes))
    said = load_initial_weights(network, InitialWeights(str(path)), classes)
    known = [name for name in classes if name in ANIMALS]
    assert said.endswith(
        f"{len(known)} of the head's {len(classes)} rows by the names of the classes ({', '.join(known)}), the others "
        "are fresh"
    )
    for row, name in enumerate(classes):
        weight, bias = network.classifier.weight[row], network.classifier.bias[row]
        if name in ANIMALS:
            assert torch.equal(weight, source.classifier.weight[ANIMALS.index(name)])
            assert bias == source.classifier.bias[ANIMALS.index(name)]
        else:
            assert 0 < weight.abs().max() < 0.05
            assert bias == 0


def test_a_head_can_be_fresh_whatever_the_classes(vgg11: tuple) -> None:
    network = make_vgg(11, 1)
    said = load_initial_weights(network, InitialWeights(str(vgg11[1]), head="fresh"), ANIMALS)
    assert said.endswith("; the head is fresh: initial.head is fresh")
    assert network.classifier.weight.std() < 0.02


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"freeze_epochs": -1}, r"initial\.freeze_epochs must be at least 0, or all, got -1"),
        ({"freeze_epochs": "half"}, "or all, got 'half'"),
        ({"batch_norm": "frosen"}, r"initial\.batch_norm must be train or frozen, got 'frosen'"),
        ({"head": "new"}, r"initial\.head must be by_name or fresh, got 'new'"),
    ],
)
def test_settings_that_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InitialWeights("some.ckpt", **settings)


def test_random_weights_are_not_frozen() -> None:
    for settings in ({"freeze_epochs": "all"}, {"batch_norm": "frozen"}):
        with pytest.raises(
            ValueError, match=r"random weights .* state the weights to start from in initial\.checkpoint"
        ):
            lit_cnn.Classifier("cifar_resnet8", initial=InitialWeights(**settings))


@pytest.mark.slow
def test_classes_without_names_keep_the_head_among_themselves_only(vgg11: tuple, tmp_path: Path) -> None:
    path = str(save(vgg11[0], "vgg11", tmp_path / "numbers.ckpt", NUMBERS))
    assert "fresh" not in load_initial_weights(make_vgg(11, 1), InitialWeights(path), NUMBERS)
    said = load_initial_weights(make_vgg(11, 1), InitialWeights(path), ANIMALS)
    assert said.endswith("the head is fresh: the checkpoint does not name its classes")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convolutions": 9}, "initial.convolutions is 9, but the checkpoint has 8"),
        ({"linears": 4}, "initial.linears is 4, but the checkpoint has 3"),
    ],
)
def test_more_layers_than_there_are(options: dict, message: str, vgg11: tuple) -> None:
    with pytest.raises(ValueError, match=message):
        load_initial_weights(make_vgg(16, 1), InitialWeights(str(vgg11[1]), **options), ANIMALS)


def test_layers_that_do_not_fit_are_named(vgg11: tuple) -> None:
    unnamed = save(vgg11[0], "vgg11", vgg11[1].with_name("unnamed.ckpt"), NUMBERS)
    last = InitialWeights(str(unnamed), linears=1)
    with pytest.raises(ValueError, match=r"do not fit: the checkpoint's .*weight is 3x8, the network needs 5x8"):
        load_initial_weights(make_vgg(16, 1, num_classes=5), last, list("abcde"))
    first = InitialWeights(str(vgg11[1]), convolutions=1)
    with pytest.raises(ValueError, match="no layer left for the checkpoint's"):
        load_initial_weights(lit_cnn.create_model("cifar_resnet20"), first, ANIMALS)


def test_a_checkpoint_of_something_else_is_refused(vgg11: tuple) -> None:
    with pytest.raises(ValueError, match="shares no layer"):
        load_initial_weights(lit_cnn.create_model("cifar_resnet20"), InitialWeights(str(vgg11[1])), ANIMALS)


def test_counts_need_a_checkpoint() -> None:
    with pytest.raises(ValueError, match=r"needs initial\.checkpoint"):
        InitialWeights(convolutions=4)


def first_loss(fitted: FittedRun, images: Path, runs: Path) -> float:
    """The training loss of the first step from the weights of a run, on images of three colors."""
    arguments = ["fit", "--config", str(fitted.recipe), "--runs", str(runs), "--data.path", str(images)]
    arguments += ["--model.initial.checkpoint", str(fitted.best), "--trainer.log_every_n_steps", "1"]
    assert main([*arguments, "--trainer.max_epochs", "1"]) == 0
    (metrics,) = runs.glob("*/*/metrics.csv")
    return next(row["train/loss_step"] for row in read_metrics(metrics) if "train/loss_step" in row)


def renamed(images: Path, folder: Path, names: dict[str, str]) -> Path:
    """The same images in classes of other names."""
    for split in ("train", "val"):
        (folder / split).mkdir(parents=True)
        for name, other in names.items():
            (folder / split / other).symlink_to(images / split / name)
    return folder


@pytest.mark.slow
def test_the_first_loss_on_other_classes_of_the_same_count_is_that_of_guessing(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = {"blue": "z_blue", "green": "a_green", "red": "m_red"}
    loss = first_loss(fitted, renamed(fitted.images, tmp_path / "others", others), tmp_path / "first")
    assert loss == pytest.approx(math.log(3), abs=0.35)
    said = capsys.readouterr().out
    assert "the head is fresh: its classes differ (a_green instead of blue, m_red instead of green, …" not in said
    assert "the head is fresh: its classes differ (a_green instead of blue, m_red instead of green, z_blue" in said


@pytest.mark.slow
def test_the_classes_that_stay_keep_their_loss(fitted: FittedRun, tmp_path: Path) -> None:
    """Two of the three classes, which the alphabet puts in other places."""
    same = first_loss(fitted, fitted.images, tmp_path / "first")
    kept = first_loss(
        fitted, renamed(fitted.images, tmp_path / "two", {"green": "green", "red": "red"}), tmp_path / "b"
    )
    assert same < 0.8 * math.log(3)
    assert kept < 0.8 * math.log(2)
