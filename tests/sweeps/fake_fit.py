"""Stands in for ``lit-cnn fit`` in tests of the sweep: writes metrics.csv and a checkpoint, and notes each start.

Its recipe keys: x and y give the score 10 x + y, or do what they say: x=crash exits with 1, x=die is SIGKILL to itself,
x=hang waits for a signal, x=nan scores nan, x=other logs another metric. --seed_everything=s adds s times (x - 2) to
the score, so that x=3 gains by lucky seeds and x=1 loses. With --pause-after=N it stops after N epochs with exit code
75 and is resumed to the next pause or to its 9th epoch, the score growing with the epochs.
"""

import os
import signal
import sys
import time
from pathlib import Path

run_dir = Path(os.environ["LIT_CNN_RUN_DIR"])
values = dict(part.removeprefix("--").split("=", 1) for part in sys.argv[1:] if "=" in part)
resumed = "--resume" in sys.argv
settings = run_dir / "settings"
if resumed:
    values = dict(line.split("=", 1) for line in settings.read_text().splitlines())
else:
    settings.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
with (run_dir / "starts").open("a") as starts:
    starts.write("resume\n" if resumed else "new\n")
x, y = values["x"], float(values.get("y", 0))
if x == "crash":
    sys.exit("lit-cnn: the images are missing")
if x == "die":
    os.kill(os.getpid(), signal.SIGKILL)
if x == "hang" and not resumed:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    (run_dir / "checkpoints").mkdir()
    (run_dir / "checkpoints" / "last.ckpt").touch()
    while True:
        time.sleep(0.02)
time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
pauses = [int(part.split("=")[1]) for part in sys.argv if part.startswith("--pause-after=")]
if pauses or (resumed and x != "hang"):
    (run_dir / "checkpoints").mkdir(exist_ok=True)
    (run_dir / "checkpoints" / "last.ckpt").touch()
    last = pauses[0] if pauses else 9
    rows = "".join(f"{epoch},{epoch},{float(x) * (epoch + 1)}\n" for epoch in range(last))
    (run_dir / "metrics.csv").write_text(f"epoch,step,val/acc1\n{rows}")
    sys.exit(75 if pauses else 0)
score = float("nan") if x == "nan" else 1.0 if x in ("hang", "other") else 10 * float(x) + y
score += float(values.get("seed_everything", 0)) * (float(x) - 2) if x.isdigit() else 0
name = "val/loss" if x == "other" else "val/acc1"
rows = "".join(f"{epoch},{epoch},{part * score}\n" for epoch, part in enumerate((0.5, 1.0, 0.75)))
(run_dir / "metrics.csv").write_text(f"epoch,step,{name}\n{rows}")
