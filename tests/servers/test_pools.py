"""Real pools of processes: the calls in them are in the trace, under the span, that they were sent from."""

from __future__ import annotations

import pytest

from .conftest import Service

PROGRAM = """
import asyncio, multiprocessing, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
import cloudpickle, joblib, whyops

@whyops.tool
def inner(number):
    return number + 1

@whyops.tool
def work(number, iban="DE-0123"):
    return 2 * inner(number)

def pooled(method):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        return list(pool.map(whyops.bind_context(work), range(6)))

def mapped(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        result = pool.map(whyops.bind_context(work), range(6))
        pool.close()
        pool.join()
    return result

def in_joblib(backend):
    bound = joblib.delayed(whyops.bind_context(work))  # here: joblib takes its items in threads of its own
    result = joblib.Parallel(2, backend=backend)(bound(number) for number in range(6))
    if backend == "loky":
        from joblib.externals.loky import get_reusable_executor
        get_reusable_executor().shutdown()
    return result

def by_value(_):
    sent = cloudpickle.dumps(whyops.bind_context(lambda: [work(number) for number in range(6)]))
    program = "import sys, cloudpickle; print(cloudpickle.load(sys.stdin.buffer)())"
    return eval(subprocess.run([sys.executable, "-c", program], input=sent, capture_output=True, check=True).stdout)

def by_trace(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        result = pool.map(in_trace, [(trace, number) for number in range(6)])
        pool.close()
        pool.join()
    return result

def in_trace(sent):
    with sent[0]:
        return work(sent[1])

if __name__ == "__main__":
    whyops.configure(redact_keys=["iban"])
    for way in sys.argv[1:]:
        how, method = way.split(":")
        with whyops.trace(way, "someone") as trace, trace.tool_span("outer"):
            result = globals()[how](method)
        assert list(result) == [2, 4, 6, 8, 10, 12], result
"""

WAYS = {
    "fork": ["pooled:fork", "mapped:fork", "by_trace:fork"],
    "spawn": ["pooled:spawn", "mapped:spawn", "by_trace:spawn"],
    "forkserver": ["pooled:forkserver", "mapped:forkserver", "by_trace:forkserver"],
    "joblib": ["in_joblib:loky", "in_joblib:multiprocessing"],
    "cloudpickle": ["by_value:cloudpickle"],
}


@pytest.mark.parametrize("kind", WAYS)
def test_calls_in_a_pool_are_in_the_trace_they_were_sent_from(service: Service, kind: str) -> None:
    """Each once, with the settings of the client, under the span where they were bound.

    Of a bare trace the thread that pickles it knows no span.
    """
    (service.folder / "program.py").write_text(PROGRAM)
    service.run("-W", "ignore", "program.py", *WAYS[kind])
    every = service.calls(13 * len(WAYS[kind]))
    assert {call.user for call in every} == {"someone"}
    for way in WAYS[kind]:
        calls = [call for call in every if call.trace == way]
        (outer,) = [call for call in calls if call.tool == "outer"]
        work = [call for call in calls if call.tool == "work"]
        inner = [call for call in calls if call.tool == "inner"]
        assert sorted(call.arguments["number"] for call in work) == [0, 1, 2, 3, 4, 5]
        assert {call.arguments["iban"] for call in work} == {"[redacted]"}
        if not way.startswith("by_trace"):
            assert {call.parent for call in work} == {outer.span}
        assert sorted(call.parent or "" for call in inner) == sorted(call.span for call in work)
