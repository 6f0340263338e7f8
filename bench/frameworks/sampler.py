"""One process that runs one scenario under one handler, a sample for each line that it reads: `sampler.py SCENARIO HANDLER HOME`.

It prints the CPU time of a sample in microseconds, of all threads, until what was recorded is delivered.
"""

from __future__ import annotations

import gc
import importlib
import sys

from handlers import HANDLERS
from peer_handlers import PEERS


def main(scenario: str, name: str, home: str) -> None:
    """Take samples until nothing more is asked for."""
    gc.disable()
    module = importlib.import_module(scenario)
    handler = (PEERS[name] if name in PEERS else HANDLERS[name])(scenario, home)
    for _ in range(2):
        module.sample(handler)
    print("ready", flush=True)
    for _ in sys.stdin:
        gc.collect()
        print("sample", module.sample(handler), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
