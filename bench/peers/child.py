"""The process of one figure: sets one SDK up, makes the calls of one scenario, and prints what it measured as JSON.

`child.py SCENARIO ADAPTER URL STARTED CALLS`, in the SDK's own environment; STARTED is the monotonic time at which it was started. Before
the SDK it imports next to nothing, so that what the SDK itself imports can be counted.
"""

import sys
import time

import work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scenarios import Figures, Peer

HARNESS = {"work", "adapters"}


def main() -> None:
    """Run the scenario."""
    scenario, name, url, started, calls = sys.argv[1:6]
    clock, before = time.perf_counter(), count_modules()
    __import__(f"adapters.{name}")
    imported, loaded = time.perf_counter() - clock, count_modules() - before
    make_peer = sys.modules[f"adapters.{name}"].Peer
    if scenario == "import":
        figures = {"ms": imported * 1000, "modules": loaded}
    elif scenario == "first":
        figures = first_call(make_peer(url), float(started))
    else:
        import scenarios  # noqa: PLC0415 - after the SDK's own imports are measured

        figures = scenarios.SCENARIOS[scenario](make_peer(url), int(calls))

    import json  # noqa: PLC0415 - as above

    print(json.dumps(figures), flush=True)


def first_call(peer: "Peer", started: float) -> "Figures":
    """Record one call, and tell how long that took since the process was started, and how much was loaded by then."""
    tool = peer.tool(work.search_orders)
    with peer.trace():
        tool("order-00017", limit=5)
        return {"s": time.monotonic() - started, "modules": count_modules()}


def count_modules() -> int:
    """Count what is loaded, without the parts of this bench."""
    return sum(name.partition(".")[0] not in HARNESS for name in list(sys.modules))


if __name__ == "__main__":
    main()
