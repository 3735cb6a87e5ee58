"""A recipe in the list."""

from lit_cnn.benchmarking.cost import cost_of
from lit_cnn.benchmarking.listing import listed_recipe
from lit_cnn.experiment.files import find_recipe, read_recipe


def test_an_overlay_is_listed_as_its_whole_recipe() -> None:
    path = find_recipe("overlays/resnet_rs_101_192")
    listed = listed_recipe(path)
    assert (listed.name, listed.architecture, listed.image_size) == ("overlays/resnet_rs_101_192", "resnet_rs_101", 192)
    assert listed.cost == cost_of(read_recipe(path))
    assert listed.speed is None


def test_the_report_has_the_paper_s_epochs_beside_the_recipe_s() -> None:
    report = listed_recipe(find_recipe("small/resnet_rs")).report()
    recipe = read_recipe(find_recipe("small/resnet_rs"))
    assert (report["epochs"], report["paper_epochs"]) == (
        recipe["trainer"]["max_epochs"],
        recipe["about"].get("epochs"),
    )
    assert (report["title"], report["speed"]) == (recipe["about"]["title"], None)
