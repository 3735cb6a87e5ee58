"""Weights & Biases, and nothing else names it: where a run is recorded besides its own folder.

A run never waits for the service, never asks a question, and goes on without it when it fails.
"""

import configparser
import contextlib
import functools
import netrc
import os
import secrets
import shlex
import socket
import sys
import threading
import urllib.request
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from lit_cnn.printable import printable

if TYPE_CHECKING:
    from lightning.pytorch.loggers import WandbLogger

Mode = Literal["online", "offline", "disabled"]
CONNECT_SECONDS = 2.0
NAME_LENGTH = 128
TAG_LENGTH = 64
"""The most characters of a run's or group's name and of a tag that W&B takes."""
STEP = "trainer/global_step"
"""The one horizontal axis of all metrics; Lightning restores it at resume, so it goes on where the run stopped."""
_failed = threading.Event()
"""Set when W&B fails during the run of this process; nothing is sent from then on."""


@dataclass
class TrackingSettings:
    """Where a run is recorded besides its folder.

    Args:
        project: W&B project; null takes WANDB_PROJECT, or what wandb init has chosen, or lit-cnn.
        mode: ``auto`` is online if there is a login and the server answers within two seconds, otherwise offline.
        entity: W&B user or team; your default one if left out.
        tags: Labels to filter runs by.
        group: Name that puts runs together, such as the seeds of one recipe.
    """

    project: str | None = None
    mode: Literal["auto", "online", "offline", "disabled"] = "auto"
    entity: str | None = None
    tags: list[str | int | float] = field(default_factory=list)
    group: str | int | None = None


# Which mode -----------------------------------------------------------------------------------------------------------


def resolve_mode(settings: TrackingSettings) -> Mode:
    """The mode of a run. Takes at most about two seconds and never asks for a login.

    ``auto`` follows ``WANDB_MODE`` if that is set. An online run without a login, or whose server does not answer, is
    recorded offline, with a warning.

    Raises:
        ValueError: If ``WANDB_MODE`` has an unknown value.
    """
    mode = settings.mode
    if mode == "auto":
        mode = _mode_of_environment()
    if mode == "auto":
        return "online" if has_login() and host_answers() else "offline"
    if mode == "online" and not has_login():
        warnings.warn(f"no W&B login for {_host()}, so the run is recorded offline: run `wandb login`", stacklevel=2)
        return "offline"
    if mode == "online" and not host_answers():
        warnings.warn(f"{_host()} does not answer, so the run is recorded offline", stacklevel=2)
        return "offline"
    return mode


def project_of(settings: TrackingSettings) -> str:
    """The recipe's project, or the environment's, or that of ``wandb init``, or ours."""
    return settings.project or os.environ.get("WANDB_PROJECT") or _settings_file().get("project") or "lit-cnn"


def _mode_of_environment() -> Literal["auto", "online", "offline", "disabled"]:
    value = os.environ.get("WANDB_MODE") or _settings_file().get("mode", "")
    known = {"": "auto", "online": "online", "run": "online", "shared": "online"}
    known |= {"offline": "offline", "dryrun": "offline", "disabled": "disabled"}
    if value not in known:
        raise ValueError(f"WANDB_MODE is {value!r}: set it to online, offline or disabled, or unset it")
    return cast(Literal["auto", "online", "offline", "disabled"], known[value])


def has_login() -> bool:
    """Whether W&B finds a key for its server: in the environment, in the netrc file or in its settings file."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    if _settings_file().get("api_key"):
        return True
    named = os.environ.get("NETRC")
    files = [Path(named).expanduser()] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]
    path = next((path for path in files if path.is_file()), None)
    if path is None:
        return False
    try:
        entry = netrc.netrc(path).authenticators(_host())
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return False
    return entry is not None and bool(entry[2])


def host_answers(timeout: float = CONNECT_SECONDS) -> bool:
    """Whether the server, or the proxy before it, accepts a connection within ``timeout`` seconds."""
    url = urlsplit(_base_url())
    proxy = urllib.request.getproxies().get(url.scheme)
    if proxy and not urllib.request.proxy_bypass(url.hostname or ""):
        url = urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    answered = threading.Event()

    def connect() -> None:
        try:
            port = url.port or (80 if url.scheme == "http" else 443)
            socket.create_connection((url.hostname or "", port), timeout=timeout).close()
        except (OSError, ValueError):
            return
        answered.set()

    # A thread, because looking up the name has no timeout of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout)
    return answered.is_set()


def _base_url() -> str:
    return os.environ.get("WANDB_BASE_URL") or _settings_file().get("base_url") or "https://api.wandb.ai"


def _host() -> str:
    return urlsplit(_base_url()).netloc


def _settings_file() -> Mapping[str, str]:
    """What ``wandb login`` and ``wandb offline`` have written; empty if unreadable."""
    folder = os.environ.get("WANDB_CONFIG_DIR")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read([Path(folder or "~/.config/wandb").expanduser() / "settings", Path("wandb/settings")])
    except (configparser.Error, UnicodeDecodeError):
        return {}
    return dict(parser["default"]) if parser.has_section("default") else {}


# Recording ------------------------------------------------------------------------------------------------------------


def make_logger(
    settings: TrackingSettings, run_dir: Path, run_id: str, run_name: str, config: dict[str, Any], resume: bool
) -> "WandbLogger | None":
    """Start recording a run.

    Args:
        settings: Where.
        run_dir: The run folder; everything is written to ``run_dir/wandb``.
        run_id: W&B's id of the run, the same at every resume.
        run_name: The name shown.
        config: The resolved recipe, and what its data turned out to be.
        resume: Whether the run goes on from a checkpoint.

    Returns:
        A logger for the Trainer; None on other ranks than zero, when disabled, or, after a warning, when W&B fails.
    """
    from lightning.pytorch.utilities.rank_zero import rank_zero_only

    if getattr(rank_zero_only, "rank", 0) != 0:
        return None
    mode = resolve_mode(settings)
    if mode == "disabled":
        return None
    run_dir.mkdir(parents=True, exist_ok=True)
    _failed.clear()
    try:
        try:
            run = _start(settings, run_dir, run_id, run_name, mode, resume)
        except Exception as error:
            if mode == "offline":
                raise
            warnings.warn(f"W&B does not start online ({_first_line(error)}), recording offline", stacklevel=2)
            run = _start(settings, run_dir, run_id, run_name, "offline", resume)
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP, step_sync=True)
        run.config.update(_printable(config), allow_val_change=True)
        return cast(
            "WandbLogger", _logger_class()(experiment=run, project=project_of(settings), save_dir=run_dir, id=run_id)
        )
    except Exception as error:
        warnings.warn(f"W&B does not start ({_first_line(error)}), the run goes on without it", stacklevel=2)
        return None


def _start(settings: TrackingSettings, run_dir: Path, run_id: str, run_name: str, mode: Mode, resume: bool) -> Any:
    import wandb

    quiet = wandb.Settings(
        silent=True,
        quiet=True,
        console="off",
        save_code=False,
        disable_code=True,
        init_timeout=30.0,
        finish_timeout=60.0,
    )
    return wandb.init(
        project=project_of(settings),
        entity=settings.entity,
        group=_label(settings.group),
        tags=list(dict.fromkeys(printable(str(tag))[:TAG_LENGTH] for tag in settings.tags)) or None,
        dir=run_dir,
        id=run_id,
        name=_label(os.environ.get("WANDB_NAME") or run_name),
        mode=mode,
        resume="allow" if resume and mode == "online" else None,  # offline, the equal id alone joins the parts
        settings=quiet,
    )


def _label(name: str | int | None) -> str | None:
    """A name as W&B takes it: no characters that it cannot encode, at most 128, of which the last tell runs apart."""
    shown = printable(str(name or ""))
    return (shown if len(shown) <= NAME_LENGTH else f"…{shown[1 - NAME_LENGTH :]}") or None


def _printable(value: Any) -> Any:
    """Plain values with their texts such that W&B can encode them."""
    if isinstance(value, dict):
        return {_printable(key): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return printable(value) if isinstance(value, str) else value


@functools.cache
def _logger_class() -> type:
    """Lightning's W&B logger that stops recording, with one warning, when W&B fails."""
    from lightning.pytorch.loggers import WandbLogger

    class ForgivingWandbLogger(WandbLogger):
        def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
            _attempt(lambda: super(ForgivingWandbLogger, self).log_metrics(metrics, step))

        def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
            """Nothing: the resolved recipe is the run's config."""

    return ForgivingWandbLogger


def log_picture(logger: "WandbLogger | None", name: str, path: Path, step: int) -> None:
    """Record a picture file under a name; nothing without a logger.

    Raises:
        FileNotFoundError: If there is no such picture.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no picture {path} to record")
    if logger is None:
        return

    def record() -> None:
        import wandb

        logger.experiment.log({name: wandb.Image(str(path)), STEP: step})

    _attempt(record)


@dataclass(frozen=True)
class Boxes:
    """Boxes on an image.

    Args:
        corners: For each box left, top, right, bottom in pixels of the image.
        labels: For each its class.
        scores: For each its score; empty for true boxes.
    """

    corners: Sequence[Sequence[float]]
    labels: Sequence[int]
    scores: Sequence[float] = ()


@dataclass(frozen=True)
class BoxedImage:
    """An image with named layers of boxes, which W&B shows and hides by class and score.

    Args:
        pixels: uint8 (H, W, 3) array.
        layers: Name such as "true boxes" -> boxes.
        caption: A text below the image.
    """

    pixels: Any
    layers: Mapping[str, Boxes]
    caption: str = ""


def log_boxes(
    logger: "WandbLogger | None", name: str, images: Sequence[BoxedImage], class_names: Sequence[str], step: int
) -> None:
    """Record images with their boxes under a name; nothing without a logger.

    Args:
        logger: The run's.
        name: Of the pictures.
        images: What is shown.
        class_names: K names.
        step: Optimizer steps done.
    """
    if logger is None:
        return
    names = {label: printable(text) for label, text in enumerate(class_names)}

    def record() -> None:
        import wandb

        shown = [
            wandb.Image(
                image.pixels,
                caption=printable(image.caption),
                boxes={
                    layer: {"box_data": _box_data(boxes, names), "class_labels": names}
                    for layer, boxes in image.layers.items()
                },
            )
            for image in images
        ]
        logger.experiment.log({name: shown, STEP: step})

    _attempt(record)


def _box_data(boxes: Boxes, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Boxes in W&B's form."""
    data: list[dict[str, Any]] = []
    for number, ((left, top, right, bottom), label) in enumerate(zip(boxes.corners, boxes.labels, strict=True)):
        sides = {"minX": float(left), "minY": float(top), "maxX": float(right), "maxY": float(bottom)}
        score = float(boxes.scores[number]) if len(boxes.scores) else None
        text = names[int(label)] + ("" if score is None else f" {score:.2f}")
        entry = {"position": sides, "domain": "pixel", "class_id": int(label), "box_caption": text}
        data.append(entry if score is None else {**entry, "scores": {"score": score}})
    return data


def _attempt(action: Callable[[], object]) -> None:
    """Do it, unless W&B has failed before; a failure is a warning."""
    if _failed.is_set():
        return
    try:
        action()
    except Exception as error:
        _failed.set()
        warnings.warn(f"W&B failed ({_first_line(error)}), the run goes on without it", stacklevel=3)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


# The end --------------------------------------------------------------------------------------------------------------


def finish(exit_code: int = 0) -> None:
    """Close the recording, waiting at most a minute for uploads; nothing if none was started.

    Args:
        exit_code: 0 marks the run as finished, anything else as failed.
    """
    wandb = sys.modules.get("wandb")
    if wandb is None or wandb.run is None:
        return
    _attempt(lambda: wandb.run.finish(exit_code=exit_code))
    if _failed.is_set():
        with contextlib.suppress(Exception):  # or W&B prints its own traceback when the process exits
            wandb.teardown(exit_code)


def sync_command(run_dir: Path) -> str:
    """The command that sends a run's offline parts to the server, in order; empty if there are none."""
    parts = sorted(path for path in (run_dir / "wandb").glob("offline-run-*") if path.is_dir())
    return " ".join(["wandb", "sync", *(shlex.quote(str(path)) for path in parts)]) if parts else ""


def log_table(
    settings: TrackingSettings, folder: Path, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Record a table as a run of its own.

    Args:
        settings: Where.
        folder: ``wandb/`` is made in it.
        name: Of the run and the table.
        columns: Names of the columns.
        rows: Built-in values.
    """
    mode = resolve_mode(settings)
    if mode == "disabled":
        return
    import wandb

    run = _start(settings, folder, secrets.token_hex(4), name, mode, False)
    run.log({name: wandb.Table(columns=list(columns), data=[_printable(list(row)) for row in rows])})
    run.finish()
