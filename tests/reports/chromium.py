"""A headless Chromium that opens a page as a phone, a desk or a printer does, and tells what it asked for and said."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
)
START = """
import os, sys
pipes = [os.dup(os.dup(os.dup(int(number)))) for number in sys.argv[1:3]]  # above 4
for place, pipe in zip((3, 4), pipes):
    os.dup2(pipe, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium hears on file 3 and answers on file 4."""
SECONDS = 60.0
"""How long an answer is waited for."""


def find_chromium() -> str | None:
    """The program, or None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """Chromium's DevTools protocol over a pipe: JSON messages that end in a null byte."""

    def __init__(self, ask: int, hear: int) -> None:
        self.ask, self.hear = ask, hear
        self.events: list[dict[str, Any]] = []
        self._rest, self._number, self._session = b"", 0, ""

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command; events that come before it are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self.ask, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)
        raise TimeoutError(method)

    def attach(self) -> None:
        """Speak to a new tab from here on."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def evaluate(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def _messages(self) -> Iterator[dict[str, Any]]:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            while b"\0" in self._rest:
                text, _, self._rest = self._rest.partition(b"\0")
                yield json.loads(text)
            self._rest += os.read(self.hear, 1 << 20)


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium of its own, with one tab."""
    program = find_chromium()
    assert program is not None
    theirs_in, ask = os.pipe()
    hear, theirs_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-SEc", START, str(theirs_in), str(theirs_out), program, *FLAGS,
             f"--user-data-dir={profile}"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            tab = Browser(ask, hear)
            tab.attach()
            yield tab
        finally:
            with suppress(OSError):
                os.close(ask)
            process.kill()
            process.wait()
            os.close(hear)


def open_page(tab: Browser, page: Path, width: int = 390, height: int = 844, dark: bool = False) -> None:
    """Load a file at a width in px, and wait until it is there; ``tab.events`` has what happened meanwhile."""
    for domain in ("Page", "Network", "Log", "Runtime"):
        tab.call(f"{domain}.enable")
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)
    scheme = "dark" if dark else "light"
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    tab.call("Page.navigate", url=page.resolve().as_uri())
    ends = time.monotonic() + SECONDS
    while tab.evaluate("document.readyState") != "complete":
        assert time.monotonic() < ends
        time.sleep(0.05)
    time.sleep(0.1)
    tab.evaluate("0")  # events until here have been read


def screenshot(tab: Browser, path: Path) -> None:
    """The whole page as a PNG."""
    answer = tab.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
    path.write_bytes(base64.b64decode(answer["data"]))


def printed(tab: Browser, path: Path) -> None:
    """The page as a PDF."""
    path.write_bytes(base64.b64decode(tab.call("Page.printToPDF", printBackground=False)["data"]))
