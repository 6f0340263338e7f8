"""What recording costs in this tree beside another revision: both run in turns, and the ratio is told with its interval.

`against.py REV` prints, for each thing that is measured, the median ratio (above 1: this tree is slower) and its 95 % interval.
`against.py` alone, with a tree's `src` on the path, measures that tree once and prints its seconds as JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import whyops

HERE = Path(__file__).resolve().parents[1]
FEWEST_ROUNDS = 20
BATCHES = 15
CALLS = 400
NOBODY = "http://127.0.0.1:9"

Seconds = dict[str, float]


# --- one tree, in a process of its own


@whyops.tool
def echo(number: int) -> int:
    """Return what came."""
    return number


def decorated_call() -> None:
    """Call a decorated function."""
    echo(1)


def trace_block() -> None:
    """Enter and leave a block."""
    with whyops.trace("block"):
        pass


def measure() -> Seconds:
    """Return what each takes of this thread's time: the quickest of several batches, which disturbs the least."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        sdk = whyops.configure(
            api_key="whyops_bench", agent_name="bench", analyse_base_url=NOBODY, proxy_base_url=NOBODY, home=home, exit_timeout=0
        )
        message = partial(sdk.trace("messages").user_message_sync, [{"role": "user", "content": "Where is my order?"}])
        measured: dict[str, Callable[[], object]] = {"decorated call": decorated_call, "trace block": trace_block, "message": message}
        taken = {name: min(_batch(function) for _ in range(BATCHES)) for name, function in measured.items()}
        sdk.close_sync(0)
    return taken


def _batch(function: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(CALLS):
        function()
    return (time.thread_time() - began) / CALLS


# --- two trees, in turns


def compare(revision: str, rounds: int) -> None:
    """Measure both trees so many times, each first in every other round, and print what came of it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        archive = subprocess.run(["git", "archive", revision, "src"], cwd=HERE, check=True, capture_output=True).stdout  # noqa: S607  (the user's git)
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        trees = [HERE, Path(folder)]
        measured = [_round(trees, swapped=number % 2 == 1) for number in range(rounds)]
    for name in measured[0][0]:
        ratios = [new[name] / old[name] for new, old in measured]
        low, high = interval(ratios)
        microseconds = 1e6 * statistics.median(new[name] for new, _ in measured)
        print(f"{name:15} {statistics.median(ratios):.3f}  95 %: {low:.3f} to {high:.3f}  ({microseconds:.1f} µs)")


def _round(trees: list[Path], *, swapped: bool) -> list[Seconds]:
    taken = {tree: _measured_in(tree) for tree in (reversed(trees) if swapped else trees)}
    return [taken[tree] for tree in trees]


def _measured_in(tree: Path) -> Seconds:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    done = subprocess.run([sys.executable, __file__], env=environment, check=True, capture_output=True, text=True)
    seconds: Seconds = json.loads(done.stdout)
    where = seconds.pop("in " + str(tree / "src"), None)
    if where is None:
        raise RuntimeError(f"another package than that in {tree} was measured")
    return seconds


def interval(values: list[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median, by order statistics: it asks nothing of how the values are spread."""
    count = len(values)
    below, rank = 0.0, 0
    while below + math.comb(count, rank) / 2**count <= 0.025:
        below += math.comb(count, rank) / 2**count
        rank += 1
    ordered = sorted(values)
    lowest = max(rank - 1, 0)
    return ordered[lowest], ordered[-1 - lowest]


def main() -> None:
    """Compare, or measure once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", help="what git knows the other tree by")
    parser.add_argument("--rounds", type=int, default=30, help="how often each is measured, at least 20")
    given = parser.parse_args()
    if given.revision is not None:
        compare(given.revision, max(given.rounds, FEWEST_ROUNDS))
    else:
        print(json.dumps({**measure(), "in " + str(Path(whyops.__file__).parents[1]): 0.0}))


if __name__ == "__main__":
    main()
