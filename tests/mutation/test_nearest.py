"""Which tests are near: the mirror, the importers, and for commands those that run them."""

from nearest import NEAR, Nearest, affordable

PACKAGE = {
    "lit_cnn/cli/main.py": 'COMMANDS = {"bake": ("lit_cnn.cli.bake", "bread"), "eat": ("lit_cnn.cli.eat", "it")}',
    "lit_cnn/cli/bake.py": "from lit_cnn.cli import oven",
    "lit_cnn/cli/eat.py": "from lit_cnn.data.lonely import a",
    "lit_cnn/cli/oven.py": "",
    "lit_cnn/data/flour.py": "",
    "lit_cnn/data/lonely.py": "",
}
RUNS = "from lit_cnn.cli.main import main\n"
TESTS = {
    "tests/data/test_flour.py": "import lit_cnn.data.flour",
    "tests/training/test_flour.py": "",
    "tests/training/test_dough.py": "from lit_cnn.data import flour",
    "tests/training/helper.py": "from lit_cnn.data.flour import a",
    "tests/training/test_helped.py": "from helper import b",
    "tests/cli/test_bake.py": RUNS + 'main(["bake"])',
    "tests/cli/test_bread.py": RUNS + 'main(["bake", "eat"])',
    "tests/cli/test_words.py": 'print("bake")',
}


def test_the_mirror_has_the_name_and_the_room() -> None:
    assert Nearest(PACKAGE, TESTS).mirrors("lit_cnn/data/flour.py") == ["tests/data/test_flour.py"]


def test_importers_are_near_also_through_a_helper() -> None:
    near = Nearest(PACKAGE, TESTS).near("lit_cnn/data/flour.py")
    assert near == ["tests/training/test_dough.py", "tests/training/test_helped.py"]


def test_commands_are_near_those_that_run_them() -> None:
    assert Nearest(PACKAGE, TESTS).near("lit_cnn/cli/bake.py") == ["tests/cli/test_bread.py"]
    assert Nearest(PACKAGE, TESTS).near("lit_cnn/cli/oven.py") == ["tests/cli/test_bake.py", "tests/cli/test_bread.py"]


def test_what_no_test_imports_is_near_those_of_its_users() -> None:
    assert Nearest(PACKAGE, TESTS).near("lit_cnn/data/lonely.py") == ["tests/cli/test_bread.py"]


def test_the_most_special_of_many_importers_are_taken() -> None:
    many = {f"tests/training/test_{index}.py": "import lit_cnn.data.flour, lit_cnn.cli.oven" for index in range(9)}
    near = Nearest(PACKAGE, {**TESTS, **many}).near("lit_cnn/data/flour.py")
    assert len(near) == NEAR
    assert near[:2] == ["tests/training/test_dough.py", "tests/training/test_helped.py"]


def test_the_budget_limits_all_but_the_mirror_and_a_first_file() -> None:
    seconds = {"mirror": 50.0, "quick": 1.0, "slow": 30.0, "all slow": 0.0}
    assert affordable(["mirror"], ["slow", "quick", "all slow"], seconds, 40) == ["mirror"]
    assert affordable(["mirror"], ["slow", "quick", "all slow"], seconds, 60) == ["mirror", "quick"]
    assert affordable([], ["slow", "quick"], seconds, 60) == ["quick", "slow"]
    assert affordable([], ["slow"], seconds, 10) == ["slow"]
