"""Make the pictures of the report and of `whyops ui`, and the README's text of `whyops show`, from examples/quickstart.py and a shop's day.

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

A_DAY = """
import whyops

SHOP = {"where": "track_parcel", "money": "refund_order", "invoice": "find_invoice", "change": "change_address"}
QUESTIONS = [
    ("mia", "Where is my tea set?", "where", {"carrier": "DHL", "eta": "Wednesday"}),
    ("jonas", "The lamp came broken, I want my money back", "money", PermissionError("paid by voucher: a manager decides")),
    ("lea", "I need the invoice of order 1007 again", "invoice", {"sent_to": "lea@example.com"}),
    ("noor", "Can I still change the address of order 1015?", "change", {"changed": True}),
    ("mia", "And the cups?", "where", {"carrier": "GLS", "eta": "tomorrow"}),
    ("tom", "You charged me twice!", "money", {"refunded_cents": 1990}),
    ("ada", "Where is order 1020?", "where", TimeoutError("the carrier did not answer")),
    ("lea", "Thanks, now the one of order 1003", "invoice", {"sent_to": "lea@example.com"}),
]
for number, (user, question, kind, result) in enumerate(QUESTIONS):
    with whyops.trace(f"session-{4711 + 37 * number}", external_user_id=user) as trace:
        trace.user_message_sync([{"role": "user", "content": question}])
        try:
            with trace.tool_span(SHOP[kind], {"customer": user}) as span:
                if isinstance(result, Exception):
                    raise result
                span.result = result
        except Exception:
            pass
        usage = {"promptTokens": 212 + 9 * number, "completionTokens": 31 + number, "totalTokens": 243 + 10 * number}
        trace.llm_response_sync("openai/gpt-4o-mini", "openai", "Done.", usage=usage)
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
        subprocess.run([sys.executable, "-c", A_DAY], env={**home, "WHYOPS_AGENT_NAME": "shop-support"}, check=True)
        photograph_ui(home, folder)
    readme = ROOT / "README.md"
    text, count = SHOWN.subn(lambda _: shown, readme.read_text("utf-8"), count=1)
    if not count:
        sys.exit("README.md has no text of `whyops show last` to replace.")
    readme.write_text(text, "utf-8")


def photograph_ui(home: dict[str, str], folder: str) -> None:
    """Take pictures of the list that `whyops ui` serves."""
    command = [sys.executable, "-m", "whyops", "ui", "--no-open"]
    with subprocess.Popen(command, env=home, stdout=subprocess.PIPE, encoding="utf-8") as serving:
        address = serving.stdout.readline().strip() if serving.stdout else ""
        for scheme, number in SCHEMES.items():
            photograph(address, ROOT / "docs" / f"ui-{scheme}.png", number, f"{folder}/ui", size="1600,720")
        serving.terminate()


def photograph(url: str, target: Path, scheme: str, folder: str, size: str = SIZE) -> None:
    """Take a picture of a page in a colour scheme."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("Chromium is not installed: the package chromium.")
    flags = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    flags += ["--disable-sync", "--hide-scrollbars", f"--window-size={size}", f"--blink-settings=preferredColorScheme={scheme}"]
    flags += ["--virtual-time-budget=2000", f"--user-data-dir={folder}/chromium-{scheme}", f"--screenshot={target}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    subprocess.run([program, *flags, url], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
