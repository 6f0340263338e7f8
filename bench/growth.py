"""How the cost of recording grows: with the size and depth of arguments, with threads, open traces and backlog. Draws it, and judges it.

`growth.py` measures each curve in a process of its own, writes the picture that the docs show, and fails if a curve is worse than linear.
`growth.py NAME` measures one curve and prints its points.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curves import TOLERANCE, Points, exponent, svg

import whyops
from whyops._encoding.encoder import Encoder

PICTURE = Path(__file__).parents[1] / "docs" / "performance" / "growth.svg"
NOBODY = "http://127.0.0.1:9"


@whyops.tool
def echo(value: object) -> object:
    """Return what came."""
    return value


# --- measuring


@contextmanager
def client(url: str = NOBODY) -> Iterator[whyops.WhyOps]:
    """Make a client with its outbox in a folder that goes; at the default address nobody listens, so events wait in the file."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        sdk = whyops.WhyOps(
            api_key="whyops_bench",
            agent_name="bench",
            analyse_base_url=url,
            proxy_base_url=url,
            home=home,
            exit_timeout=0,
            outbox_max_bytes=2**31,
        )
        yield sdk
        sdk.close_sync(0)


def ordinary(value: object, calls: int = 200) -> float:
    """Return the microseconds of an ordinary call: of four, the second quickest, as what is slower has met other processes."""
    times = []
    for _ in range(calls):
        started = time.perf_counter_ns()
        echo(value)
        times.append(time.perf_counter_ns() - started)
    return statistics.quantiles(times, n=4)[0] / 1000


def memory() -> float:
    """Return what this process holds now, in MB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def by_text_size() -> Points:
    """Call with one text of growing length."""
    with client() as sdk, sdk.trace("bench"):
        return [(size, ordinary("x" * size, fewer(size))) for size in powers(100, 1_000_000)]


def by_object_size() -> Points:
    """Call with growing lists of small objects; the size is that of their JSON."""
    item = {"sku": "SKU-1043", "name": "Desk lamp, brass", "quantity": 2}
    each = len(json.dumps(item)) + 2
    with client() as sdk, sdk.trace("bench"):
        return [(size, ordinary([dict(item) for _ in range(size // each + 1)], fewer(size))) for size in powers(100, 1_000_000)]


def fewer(size: int) -> int:
    """Return how many calls to make with a value of that size."""
    return max(20, 2_000_000 // (size + 10_000))


def by_depth() -> Points:
    """Call with objects in objects; more than some hundred levels are cut."""

    def nested(depth: int) -> object:
        value: object = "leaf"
        for _ in range(depth):
            value = {"child": value}
        return value

    with client() as sdk, sdk.trace("bench"):
        return [(depth, ordinary(nested(depth))) for depth in powers(1, 1000)]


def by_hostile_text() -> Points:
    """Encode texts made so that a careless search goes back and forth in them; of all of them the one that costs most.

    Raises:
        AssertionError: one of them costs more than in proportion to its length.
    """
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests._encoding.redaction.hostile_texts import texts  # noqa: PLC0415  (on the path that was just set)

    encode = Encoder().encode

    def least(text: str) -> float:
        times = []
        for _ in range(max(3, 200_000 // len(text))):
            started = time.process_time_ns()
            encode({"text": text})
            times.append(time.process_time_ns() - started)
        return min(times) / 1000

    sizes = powers(800, 80_000)  # the JSON of each is still within the bound, beyond which values are cut
    by_size = {size: {name: least(text) for name, text in texts(size).items()} for size in sizes}
    grown = {name: exponent([(size, costs[name]) for size, costs in by_size.items()]) for name in by_size[sizes[0]]}
    worse = {name: round(power, 2) for name, power in grown.items() if power > 1 + TOLERANCE}
    assert not worse, worse
    return [(size, max(costs.values())) for size, costs in by_size.items()]


def by_threads() -> Points:
    """Make 6,400 calls, from growing numbers of threads: wall time per call."""
    total = 6_400

    def together(count: int) -> float:
        bound = whyops.bind_context(lambda: [echo("order-00017") for _ in range(total // count)])
        threads = [threading.Thread(target=bound) for _ in range(count)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.perf_counter() - started) / total * 1e6

    with client() as sdk, sdk.trace("bench"):
        return [(count, min(together(count) for _ in range(5))) for count in (1, 2, 4, 8, 16, 32, 64)]


def by_traces() -> Points:
    """Call in one trace while others are open, each with a call in it."""
    return [(count, cost) for count, cost, _ in _with_traces()]


def memory_of_traces() -> Points:
    """Hold that many traces: memory in MB."""
    return [(count, held) for count, _, held in _with_traces()]


def _with_traces() -> list[tuple[int, float, float]]:
    found: list[tuple[int, float, float]] = []
    traces: list[whyops.Trace] = []
    with client() as sdk:
        for count in powers(1, 100_000):
            while len(traces) < count:
                traces.append(sdk.trace(f"trace-{len(traces)}"))
                with traces[-1]:
                    echo("order-00017")
            with traces[-1]:
                found.append((count, ordinary("order-00017"), memory()))
    return found


def by_backlog() -> Points:
    """Call while events wait for a service that can't be reached."""
    return [(waiting, cost) for waiting, cost, _ in _with_backlog()]


def memory_of_backlog() -> Points:
    """Let that many events wait: memory in MB."""
    return [(waiting, held) for waiting, _, held in _with_backlog()]


def _with_backlog() -> list[tuple[int, float, float]]:
    found, recorded = [], 0
    with client() as sdk, sdk.trace("bench"):
        for waiting in (1, *powers(100, 100_000)):
            while recorded < waiting:
                echo("order-00017")
                recorded += 2
            found.append((waiting, ordinary("order-00017"), memory()))
            recorded += 400
    return found


def delivery() -> Points:
    """Deliver growing backlogs to a service on loopback that takes 50 ms for each request: our CPU, in ms."""
    return [(events, spent * 1000) for events, spent, _ in _delivered()]


def delivery_time() -> Points:
    """Deliver growing backlogs to a service on loopback that takes 50 ms for each request: seconds until all is there."""
    return [(events, took) for events, _, took in _delivered()]


def _delivered() -> list[tuple[int, float, float]]:
    sys.path.insert(0, str(Path(__file__).parent / "peers"))
    from processes import Service  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  (on the path that was just set)

    found = []
    with Service() as service:
        service.reset(0.05)
        for events in powers(1000, 100_000):
            with client(service.url + "/api") as sdk, sdk.trace("bench"):
                for _ in range(events // 2):
                    echo("order-00017")
                spent, started = time.process_time(), time.perf_counter()
                left = sdk.flush_sync(120).waiting
                assert left == 0, left
                found.append((events, time.process_time() - spent, time.perf_counter() - started))
    return found


def powers(least: int, most: int) -> list[int]:
    """Return sizes from the least to the most, with a factor of about three between them."""
    steps = round(math.log10(most / least) * 2)
    return [round(least * 10 ** (step / 2)) for step in range(steps + 1)]


# --- judging


@dataclass(frozen=True)
class Curve:
    """A cost that may grow no faster than linearly."""

    measure: Callable[[], Points]
    title: str
    axis: str
    unit: str

    def measured(self) -> Points:
        """Measure it in a process of its own."""
        done = subprocess.run([sys.executable, __file__, self.measure.__name__], check=True, capture_output=True, text=True)
        points: Points = json.loads(done.stdout)
        return points


CURVES = (
    Curve(by_text_size, "one text as argument", "bytes", "µs"),
    Curve(by_object_size, "a list of objects as argument", "bytes of JSON", "µs"),
    Curve(by_depth, "depth of the argument", "levels", "µs"),
    Curve(by_hostile_text, "the worst of all hostile texts", "characters", "µs"),
    Curve(by_threads, "threads that call", "threads", "µs"),
    Curve(by_traces, "traces open", "traces", "µs"),
    Curve(memory_of_traces, "memory with traces open", "traces", "MB"),
    Curve(by_backlog, "events waiting", "events", "µs"),
    Curve(memory_of_backlog, "memory with events waiting", "events", "MB"),
    Curve(delivery, "our CPU to deliver a backlog", "events", "ms"),
    Curve(delivery_time, "time to deliver it, 50 ms a request", "events", "s"),
)


def main() -> int:
    """Measure, judge and draw all curves; return how many are worse than linear."""
    panels, worse = [], 0
    for curve in CURVES:
        points = curve.measured()
        power = exponent(points)
        worse += power > 1 + TOLERANCE
        ends = f"{points[0][1]:.3g} {curve.unit} at {points[0][0]:g}, {points[-1][1]:.3g} {curve.unit} at {points[-1][0]:g} {curve.axis}"
        print(
            f"{curve.title}: {ends}; grows with power {power:.2f}: {'WORSE THAN LINEAR' if power > 1 + TOLERANCE else 'fine'}", flush=True
        )
        panels.append((curve, points))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(svg(panels), "utf-8")
    return worse


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(next(curve for curve in CURVES if curve.measure.__name__ == sys.argv[1]).measure()))
    else:
        sys.exit(main())
