"""Make the README's pictures of the report, and its text of `whyops show`, from a run of examples/quickstart.py.

Run by `python -m nox -s pictures`. It needs Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SIZE = "1600,900"
STEP = 3
"""The step that is open in the pictures: the refund that the tool refused."""

RECORD = """
__file__ = "examples/quickstart.py"  # as a stack shows it: without where the clone lies
exec(compile(open(__file__, encoding="utf-8").read(), __file__, "exec"))
"""

SCHEMES = {"dark": "0", "light": "1"}
SHOWN = re.compile(r"(?<=^```\n\$ whyops show last\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def main() -> None:
    """Record the example in an empty home, and picture what it recorded."""
    with tempfile.TemporaryDirectory() as folder:
        home = {**os.environ, "WHYOPS_HOME": str(Path(folder, "home")), "WHYOPS_API_KEY": "", "TZ": "UTC", "PYTHONIOENCODING": "utf-8"}
        page = Path(folder, "run.html")
        subprocess.run([sys.executable, "-c", RECORD], cwd=ROOT, env=home, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, "-m", "whyops", "report", "last", "-o", page], env=home, check=True)
        for scheme, number in SCHEMES.items():
            photograph(f"{page.as_uri()}#{STEP}", ROOT / "docs" / f"report-{scheme}.png", number, folder)
        command = [sys.executable, "-m", "whyops", "show", "last"]
        shown = subprocess.run(command, env={**home, "COLUMNS": "80"}, check=True, capture_output=True, encoding="utf-8").stdout
    readme = ROOT / "README.md"
    text, count = SHOWN.subn(lambda _: shown, readme.read_text("utf-8"), count=1)
    if not count:
        sys.exit("README.md has no text of `whyops show last` to replace.")
    readme.write_text(text, "utf-8")


def photograph(url: str, target: Path, scheme: str, folder: str) -> None:
    """Take a picture of a page in a colour scheme."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("Chromium is not installed: the package chromium.")
    flags = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    flags += ["--disable-sync", "--hide-scrollbars", f"--window-size={SIZE}", f"--blink-settings=preferredColorScheme={scheme}"]
    flags += ["--virtual-time-budget=2000", f"--user-data-dir={folder}/chromium-{scheme}", f"--screenshot={target}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    subprocess.run([program, *flags, url], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
