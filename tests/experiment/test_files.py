from pathlib import Path

import pytest

from lit_cnn.experiment.files import KINDS, configs_of, find_recipe, list_recipes, overlaid, read_recipe, recipe_id
from lit_cnn.experiment.parser import recipe_name

ROOT = Path(__file__).parents[2] / "recipes"
RECIPE = "# What.\n#   lit-cnn fit --config mine\nmodel: {architecture: resnet18, options: {dropout: 0.1}}\n"
OVERLAY = "# What.\n#   lit-cnn fit --config mine --config overlays/wide.yaml\nmodel: {options: {drop_path: 0.2}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes" / "overlays").mkdir(parents=True)
    (tmp_path / "recipes" / "mine.yaml").write_text(RECIPE)
    (tmp_path / "recipes" / "overlays" / "wide.yaml").write_text(OVERLAY)
    return tmp_path / "recipes"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("quickstart", "quickstart.yaml"),
        ("small/resnet_rs", "small/resnet_rs.yaml"),
        ("overlays/resnet_rs_101_192", "overlays/resnet_rs_101_192.yaml"),
        ("overlays/resnet_rs_101_192.yaml", "overlays/resnet_rs_101_192.yaml"),
        ("recipes/resnet_rs.yaml", "resnet_rs.yaml"),
        ("./recipes/resnet_rs.yaml", "resnet_rs.yaml"),
        ("recipes/small/resnet_rs.yaml", "small/resnet_rs.yaml"),
        ("recipes/overlays/resnet_rs_101_192.yaml", "overlays/resnet_rs_101_192.yaml"),
        ("recipes/sweeps/rand_augment_grid.yaml", "sweeps/rand_augment_grid.yaml"),
        (str(ROOT / "resnet50.yaml"), "resnet50.yaml"),
    ],
)
def test_a_recipe_is_found_by_name_and_by_path(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipe(name).resolve() == (ROOT / file).resolve()


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("quickstrt", "quickstart"), ("small/resnet_sr", "small/resnet_rs"), ("recipes/resnet5O.yaml", "resnet50")],
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"there is no recipe {wrong}; did you mean {near}\\?"):
        find_recipe(wrong)


def test_own_recipes_come_first(folder: Path) -> None:
    (folder / "quickstart.yaml").write_text(RECIPE)
    assert find_recipe("quickstart") == find_recipe("recipes/quickstart.yaml") == Path("recipes/quickstart.yaml")
    assert find_recipe("recipes/resnet50.yaml").resolve() == ROOT / "resnet50.yaml"
    assert [path.parent for path in list_recipes() if path.stem == "quickstart"] == [Path("recipes")]
    assert {"mine", "resnet50"} <= {path.stem for path in list_recipes()}


@pytest.mark.usefixtures("folder")
def test_a_path_elsewhere_is_not_a_shipped_recipe() -> None:
    with pytest.raises(ValueError, match=r"there is no recipe mine/recipes/resnet50\.yaml; did you mean resnet50\?"):
        find_recipe("mine/recipes/resnet50.yaml")


@pytest.mark.parametrize("kind", KINDS)
def test_the_headers_of_shipped_recipes_hold_in_any_folder(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = list_recipes(kind)
    assert len(files) >= (5 if kind == "detection" else 20)
    assert [configs_of(file)[-1].resolve() for file in files] == [file.resolve() for file in files]


def test_an_overlay_comes_on_the_recipe_of_its_header(folder: Path) -> None:
    overlay = folder / "overlays" / "wide.yaml"
    assert [file.name for file in configs_of(overlay)] == ["mine.yaml", "wide.yaml"]
    assert read_recipe(overlay) == {
        "model": {"architecture": "resnet18", "options": {"dropout": 0.1, "drop_path": 0.2}}
    }


def test_a_header_without_the_command_is_refused(folder: Path) -> None:
    (folder / "mine.yaml").write_text("model: {architecture: resnet18}\n")
    with pytest.raises(ValueError, match=r"mine.yaml must say in its header how it is run"):
        configs_of(folder / "mine.yaml")


def test_overlaid_replaces_lists_and_keeps_both_arguments() -> None:
    base, overlay = {"a": {"b": [1, 2], "c": 3}, "d": 4}, {"a": {"b": [5]}, "e": None}
    assert overlaid(base, overlay) == {"a": {"b": [5], "c": 3}, "d": 4, "e": None}
    assert base == {"a": {"b": [1, 2], "c": 3}, "d": 4}


def test_a_twin_is_told_from_its_recipe() -> None:
    assert recipe_id(ROOT / "small" / "resnet50.yaml") == "small/resnet50"
    assert recipe_id(ROOT / "resnet50.yaml") == "resnet50"
    assert recipe_name(["--config", "resnet50"]) == "resnet50"
    assert recipe_name(["--config", "small/resnet50"]) == "small_resnet50"
    assert recipe_name(["--config=recipes/resnet50.yaml", "--config", "overlays/resnet50_torch"]) == "resnet50"
