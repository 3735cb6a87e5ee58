"""Tracking: which mode a run gets, an offline run in a process of its own, and a service that fails."""

import json
import os
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lit_cnn import tracking
from lit_cnn.tracking import TrackingSettings, project_of, resolve_mode, sync_command


@pytest.fixture(autouse=True)
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any W&B settings; returns the home folder."""
    for name in list(os.environ):
        if name.startswith("WANDB_") or name.lower().endswith("_proxy") or name == "NETRC":
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A port of this machine that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield listener


# Which mode ----------------------------------------------------------------------------------------------------------


def test_importing_is_cheap() -> None:
    code = "import sys, lit_cnn.tracking; print('wandb' in sys.modules, 'lightning' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]


@pytest.mark.usefixtures("server")
def test_auto_is_offline_without_a_login() -> None:
    assert resolve_mode(TrackingSettings()) == "offline"


@pytest.mark.usefixtures("server")
def test_auto_is_online_with_a_key_and_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert resolve_mode(TrackingSettings()) == "online"


def test_auto_is_offline_with_a_key_and_no_server(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    server.close()
    assert resolve_mode(TrackingSettings()) == "offline"


def test_a_server_that_never_answers_costs_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*_: Any, **__: Any) -> None:
        time.sleep(4)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", wait)
    started = time.monotonic()
    assert not tracking.host_answers()
    assert time.monotonic() - started < 3


def test_a_proxy_is_asked_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def connect(address: tuple[str, int], timeout: float) -> SimpleNamespace:
        asked.append((address, timeout))
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert tracking.host_answers()
    monkeypatch.delenv("https_proxy")
    assert tracking.host_answers()
    assert asked == [(("proxy.example", 3128), 2.0), (("api.wandb.ai", 443), 2.0)]


@pytest.mark.parametrize(
    ("value", "mode"),
    [("offline", "offline"), ("dryrun", "offline"), ("disabled", "disabled"), ("online", "online"), ("run", "online")],
)
@pytest.mark.usefixtures("server")
def test_auto_follows_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, mode: str) -> None:
    monkeypatch.setenv("WANDB_MODE", value)
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert resolve_mode(TrackingSettings()) == mode
    assert resolve_mode(TrackingSettings(mode="disabled")) == "disabled"


def test_an_unknown_mode_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "onlin")
    with pytest.raises(ValueError, match="WANDB_MODE is 'onlin': set it to online, offline or disabled"):
        resolve_mode(TrackingSettings())


def test_online_without_a_login_warns_and_is_offline() -> None:
    with pytest.warns(UserWarning, match="no W&B login for api.wandb.ai, so the run is recorded offline"):
        assert resolve_mode(TrackingSettings(mode="online")) == "offline"


def test_online_without_a_network_warns_and_is_offline(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert resolve_mode(TrackingSettings(mode="online")) == "online"
    server.close()
    with pytest.warns(UserWarning, match=r"127.0.0.1:\d+ does not answer, so the run is recorded offline"):
        assert resolve_mode(TrackingSettings(mode="online")) == "offline"


@pytest.mark.slow
def test_a_run_that_is_to_be_recorded_online_trains_without_a_network(stranger: Path) -> None:
    """In a process of its own, whose W&B server refuses connections."""
    environment = {**os.environ, "WANDB_API_KEY": "x" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "lit_cnn", "fit", "--config", "quickstart", "--tracking.mode", "online"]
    command += ["--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false"]
    done = subprocess.run(
        command, cwd=stranger, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("127.0.0.1:9 does not answer, so the run is recorded offline") == 1
    assert "upload with: wandb sync" in done.stdout


def test_a_login_is_found_in_the_netrc_file_of_the_right_host(stranger: Path) -> None:
    netrc = stranger / ".netrc"
    netrc.write_text("machine example.org\n  login user\n  password abc\n")
    assert not tracking.has_login()
    netrc.write_text("machine api.wandb.ai\n  login user\n  password abc\n")
    assert tracking.has_login()
    netrc.write_text("machine api.wandb.ai\n  login\n")
    assert not tracking.has_login()


def test_a_login_is_found_in_the_settings_file(stranger: Path) -> None:
    folder = stranger / ".config" / "wandb"
    folder.mkdir(parents=True)
    (folder / "settings").write_text("[default]\napi_key = abc%def\n")
    assert tracking.has_login()
    (folder / "settings").write_text("no section\n")
    assert not tracking.has_login()


# Recording -----------------------------------------------------------------------------------------------------------

RUN = """
import sys, time
from pathlib import Path
from lit_cnn import tracking
folder, resume = Path(sys.argv[1]), sys.argv[2] == "resume"
started = time.monotonic()
logger = tracking.make_logger(
    tracking.TrackingSettings(tags=["test"]), folder, "abc123", "a name", {"model": {"depth": 50}}, resume
)
assert time.monotonic() - started < 30, "slow to start"
first = 2 if resume else 0
for step in (first, first + 1):
    logger.log_metrics({"train/loss": 10.0 + step, "epoch": 0}, step)
tracking.log_picture(logger, "curves", folder / "curves.png", first + 1)
tracking.finish(0)
assert tracking.finish(0) is None
"""


def records(path: Path) -> list[Any]:
    """The records of a W&B file: a 7-byte header, then blocks of 32 KiB with chunks (checksum 4, length 2, kind 1)."""
    from wandb.proto import wandb_internal_pb2

    data, place, whole, found = path.read_bytes(), 7, b"", []
    while place + 7 <= len(data):
        if (left := 32768 - place % 32768) < 7:
            place += left
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole or last
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            found.append(record)
            whole = b""
    return found


@pytest.mark.slow
def test_an_offline_run_and_its_continuation_are_recorded_in_the_run_folder(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "a run"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "curves.png")
    for part in ("start", "resume"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", RUN, str(folder), part],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout + done.stderr == ""
        time.sleep(1.1)  # W&B names the parts by the second
    parts = sorted((folder / "wandb").glob("offline-run-*-abc123"))
    assert sync_command(folder) == f"wandb sync '{parts[0]}' '{parts[1]}'"

    steps = []
    for part in parts:
        found = records(part / "run-abc123.wandb")
        kinds = [record.WhichOneof("record_type") for record in found]
        config = {item.key: item.value_json for record in found for item in record.config.update}
        assert config["model"] == '{"depth":50}'
        globs = [record.metric for record in found if record.metric.glob_name == "*"]
        assert [metric.step_metric for metric in globs] == [tracking.STEP]
        for record in found:
            values = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
            if "train/loss" in values:
                steps.append((int(values[tracking.STEP]), float(values["train/loss"])))
        assert kinds[-1] == "exit"
        assert len(list((part / "files" / "media").rglob("*.png"))) == 1
    assert steps == [(0, 10.0), (1, 11.0), (2, 12.0), (3, 13.0)]


def test_nothing_is_recorded_when_disabled_or_on_another_rank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning.pytorch.utilities.rank_zero import rank_zero_only

    def start(*_: Any) -> None:
        raise AssertionError("W&B was started")

    monkeypatch.setattr(tracking, "_start", start)
    assert tracking.make_logger(TrackingSettings(mode="disabled"), tmp_path, "id", "name", {}, False) is None
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tracking.make_logger(TrackingSettings(mode="offline"), tmp_path, "id", "name", {}, False) is None


def test_a_service_that_does_not_start_is_gone_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: Any) -> None:
        raise RuntimeError("no port is free.\nmore lines")

    monkeypatch.setattr(tracking, "_start", start)
    with pytest.warns(UserWarning, match=r"^W&B does not start \(no port is free\), the run goes on without it$"):
        assert tracking.make_logger(TrackingSettings(mode="offline"), tmp_path, "id", "name", {}, False) is None


class FakeRun:
    """Takes calls, and fails as soon as told."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self.broken = False
        self.recipe: dict[str, Any] = {}
        self.config = SimpleNamespace(update=lambda recipe, **_: self.recipe.update(recipe))
        self.id = "id"

    def define_metric(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def log(self, values: dict[str, Any]) -> None:
        if self.broken:
            raise ConnectionError("the service is gone")
        self.logged.append(values)


@pytest.mark.usefixtures("server")
def test_online_falls_back_to_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def start(*arguments: Any) -> FakeRun:
        mode = arguments[4]
        modes.append(mode)
        if mode == "online":
            raise TimeoutError("timed out")
        return FakeRun()

    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    monkeypatch.setattr(tracking, "_start", start)
    with pytest.warns(UserWarning, match=r"W&B does not start online \(timed out\), recording offline"):
        logger = tracking.make_logger(TrackingSettings(mode="online"), tmp_path, "id", "name", {}, False)
    assert logger is not None
    assert modes == ["online", "offline"]


def test_the_recipe_is_the_runs_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, recipe = FakeRun(), {"model": {"depth": 50}}
    monkeypatch.setattr(tracking, "_start", lambda *_: run)
    tracking.make_logger(TrackingSettings(mode="offline"), tmp_path, "id", "name", recipe, False)
    assert run.recipe == recipe


def test_names_of_any_characters_and_length_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, started = FakeRun(), {}
    bytes_of_latin_1, long = os.fsdecode(b"caf\xe9"), "a" * 200
    monkeypatch.setitem(
        sys.modules,
        "wandb",
        SimpleNamespace(Settings=lambda **_: None, init=lambda **stated: started.update(stated) or run, run=run),
    )
    settings = TrackingSettings(mode="offline", tags=[long, bytes_of_latin_1, long], group=f"{long}/end")
    recipe = {"data": {"path": [f"{bytes_of_latin_1}/猫", 3, None]}}
    assert tracking.make_logger(settings, tmp_path, "id", f"{bytes_of_latin_1}\n", recipe, False) is not None
    assert run.recipe == {"data": {"path": [r"caf\xe9/猫", 3, None]}}
    assert started["name"] == r"caf\xe9\n"
    assert started["tags"] == ["a" * 64, r"caf\xe9"]
    assert started["group"] == f"…{'a' * 123}/end"


def test_a_service_that_fails_during_the_run_warns_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = FakeRun()
    monkeypatch.setattr(tracking, "_start", lambda *_: run)
    logger = tracking.make_logger(TrackingSettings(mode="offline"), tmp_path, "id", "name", {}, False)
    assert logger is not None
    logger.log_metrics({"train/loss": 1.0}, 3)
    assert run.logged == [{"train/loss": 1.0, "trainer/global_step": 3}]
    run.broken = True
    with pytest.warns(UserWarning, match="^W&B failed .the service is gone., the run goes on without it$"):
        logger.log_metrics({"train/loss": 1.0}, 4)
    (tmp_path / "a.png").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logger.log_metrics({"train/loss": 1.0}, 5)
        tracking.log_picture(logger, "a", tmp_path / "a.png", 5)


def test_a_missing_picture_is_named_and_no_logger_is_fine(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no picture"):
        tracking.log_picture(None, "curves", tmp_path / "none.png", 0)
    (tmp_path / "a.png").touch()
    tracking.log_picture(None, "curves", tmp_path / "a.png", 0)


@pytest.mark.slow
def test_boxes_are_recorded_with_classes_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    true = tracking.Boxes([[1, 2, 9, 8]], [1])
    found = tracking.Boxes([[1, 2, 10, 8], [3, 3, 6, 6]], [1, 0], [0.9, 0.25])
    image = tracking.BoxedImage(np.zeros((12, 16, 3), np.uint8), {"true boxes": true, "found boxes": found}, "a.png")
    logger = tracking.make_logger(TrackingSettings(mode="offline"), tmp_path, "run", "run", {}, False)
    tracking.log_boxes(logger, "boxes", [image], ["apple", "pear"], 3)
    tracking.finish(0)
    (run,) = (tmp_path / "wandb").glob("offline-run-*")
    (first, second) = sorted((run / "files" / "media" / "metadata" / "boxes2D").glob("*.json"), key=_boxes_of)
    (box,) = json.loads(first.read_text())["box_data"]
    assert box["position"] == {"minX": 1.0, "minY": 2.0, "maxX": 9.0, "maxY": 8.0}
    assert (box["class_id"], box["box_caption"]) == (1, "pear")
    boxes = json.loads(second.read_text())["box_data"]
    assert [each["scores"]["score"] for each in boxes] == [0.9, 0.25]
    assert [each["box_caption"] for each in boxes] == ["pear 0.90", "apple 0.25"]
    assert tracking.log_boxes(None, "boxes", [image], ["apple", "pear"], 3) is None


def _boxes_of(file: Path) -> int:
    return len(json.loads(file.read_text())["box_data"])


def test_there_is_no_command_without_an_offline_part(tmp_path: Path) -> None:
    assert sync_command(tmp_path) == ""


def test_the_project_is_the_recipes_or_the_environments_or_that_of_wandb_init(
    stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project_of(TrackingSettings()) == "lit-cnn"
    (stranger / "wandb").mkdir()
    (stranger / "wandb" / "settings").write_text("[default]\nentity = team\nproject = initialized\n")
    assert project_of(TrackingSettings()) == "initialized"
    monkeypatch.setenv("WANDB_PROJECT", "exported")
    assert project_of(TrackingSettings()) == "exported"
    assert project_of(TrackingSettings(project="stated")) == "stated"


def test_a_table_is_a_run_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    rows = [["resnet18", 70.1], ["a", None]]
    tracking.log_table(TrackingSettings(), tmp_path, "compare", ["name", "top1"], rows)
    (run,) = (tmp_path / "wandb").glob("offline-run-*")
    (table,) = (run / "files" / "media" / "table").glob("compare_*.table.json")
    written = json.loads(table.read_text())
    assert (written["columns"], written["data"]) == (["name", "top1"], rows)
