"""The larger bench beside this checkout, where it is there: bridge among nginx, mitmproxy and others, one run.

What it prints is kept as it is in `docs/figures/field.md`; the page `docs/performance.md` takes it in. With
SPIKE_PYTHON in the environment, the path of a Python with uvloop and isal, the spike that bridge's goals come from is
measured too: it does next to nothing but put the tag in, and tells what a proxy in Python can reach on the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT.parent / "shared" / "bench" / "bench.py"
SPIKES = BENCH.parent / "spikes"
FIELD = ROOT / "docs" / "figures" / "field.md"
LOADS = "html60,html60gz,html60fly,html250,jpg200,json"
ANCHORS = "nginx-sub,nginx-sub-gz,nginx-sub-stock,nginx-pass"


def measure(environ: dict[str, str], folder: Path) -> None:
    """Run it on `bridge web` with the environment given; its database must be there and its Redis must run."""
    mitmdump = shutil.which("mitmdump")
    anchors = f"{ANCHORS},mitmproxy" if mitmdump else ANCHORS
    web = f"{sys.executable} -m bridge web"
    product = f"bridge=env BRIDGE_LISTEN=127.0.0.1:{{port}} BRIDGE_STORE_URL={{store}} BRIDGE_WORKERS=2 {web}"
    words = ["--marker", "bridge=data-bridge", "--product", product, "--loads", LOADS, "--anchors", anchors]
    python = os.environ.get("SPIKE_PYTHON")  # one with uvloop and isal
    if python:
        words += ["--product", f"spike=env PYTHONPATH={SPIKES} {python} {SPIKES / 'proxy_uvloop.py'} 2"]
    own = {name: value for name, value in environ.items() if name not in {"BRIDGE_LISTEN", "BRIDGE_PUBLIC_URL"}}
    own |= {"BRIDGE_DASHBOARD_LISTEN": "127.0.0.1:0", "BRIDGE_ACCESS_LOG": str(folder / "access.log")}
    done = subprocess.run(  # noqa: S603 our own
        [sys.executable, str(BENCH), *words], cwd=ROOT, env=own, capture_output=True, text=True, check=True
    )
    text = "\n".join(
        line.replace("## ", "### ", 1) if line.startswith("## ") else line for line in done.stdout.splitlines()
    )
    FIELD.write_text(text.strip() + "\n", encoding="utf-8")
