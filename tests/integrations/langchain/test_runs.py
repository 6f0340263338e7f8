"""The runs that are open: none is kept for ever, and none is recorded twice."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests._recording.recording import Recording
from whyops._recording.model_call import ModelCall
from whyops._recording.place import Place
from whyops.integrations._shared.open_table import QUIET_SECONDS
from whyops.integrations._shared.tool_run import ToolRun
from whyops.integrations.langchain import WhyOpsCallbackHandler
from whyops.integrations.langchain._frames import BodyFrame
from whyops.integrations.langchain._runs import QUIET_SECONDS_AFTER_ROOT, Run, Runs, give_up, open_runs, streams


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    """Open runs on a clock of the test's, in one trace."""

    def __init__(self, most: int = 1_000) -> None:
        self.clock = Clock()
        self.runs = Runs(most, clock=self.clock, given_up=give_up)
        self.recording = Recording()
        self.trace = self.recording.writer("t")

    def start(self, parent: Run | None = None, handler: object = "handler", run_id: uuid.UUID | None = None, *, span: bool = False) -> Run:
        run = Run(run_id or uuid.uuid4(), handler, Place(self.trace, None), parent)
        if span:
            run.tool = ToolRun(run.place, "tool", {})
        assert self.runs.start(run)
        return run

    def open_ones(self, *runs: Run) -> list[Run]:
        return [run for run in runs if self.runs.own(run.id, run.handler) is run]


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_is_forgotten_when_it_ends(world):
    """Its end comes once: a second one finds nothing."""
    run = world.start()
    assert world.runs.end(run.id, "handler") is run
    assert world.runs.end(run.id, "handler") is None
    assert len(world.runs) == 0


def test_a_child_may_end_after_its_root(world):
    """The end of a root does not drop what is still open below it."""
    root = world.start()
    child = world.start(root)
    world.runs.end(root.id, "handler")
    assert world.runs.end(child.id, "handler") is child
    assert len(world.runs) == 0


def test_the_same_run_is_added_once(world):
    """A run that is known is not added again, by the same handler or by another of the same client."""
    run = world.start()
    again = Run(run.id, "handler", run.place, None)
    other = Run(run.id, "other", run.place, None)
    assert not world.runs.start(again)
    assert not world.runs.start(other)
    assert world.runs.end(run.id, "other") is None


def test_two_clients_each_have_their_run(world):
    """Handlers of two clients each have a run of one id, find their own as a parent, and end it alone."""
    mine = world.start()
    theirs = Run(mine.id, "other", Place(Recording().writer("t"), None), None)
    assert world.runs.start(theirs)
    assert world.runs.find(mine.id, "other") is theirs
    assert world.runs.find(mine.id, "a third") is mine
    assert world.runs.find(None, "other") is None
    assert world.runs.end(mine.id, "handler") is mine
    assert world.runs.find(mine.id, "other") is theirs
    assert world.runs.end(mine.id, "other") is theirs


def test_runs_that_never_end_are_given_up_after_a_quiet_time(world):
    """What is open is given up once nothing happened under its root for long; a call without an end is closed then."""
    quiet = world.start(span=True)
    frame = quiet.frame = BodyFrame(quiet.place, None, quiet.id, quiet.handler, None)
    busy = world.start()
    world.clock.now = QUIET_SECONDS
    child = world.start(busy)
    world.clock.now = QUIET_SECONDS + 100
    new = world.start()
    assert world.open_ones(quiet, busy, child, new) == [busy, child, new]
    assert world.recording.only("tool_call_response")["metadata"]["interrupted"] == "its end was never told"
    assert frame.ended


def test_what_outlives_its_root_is_given_up_sooner(world):
    """Once the root has ended, what is left below it has minutes, not an hour."""
    root = world.start()
    left = world.start(root)
    world.runs.end(root.id, "handler")
    world.clock.now = QUIET_SECONDS_AFTER_ROOT + 1
    new = world.start()
    assert world.open_ones(root, left, new) == [new]


def test_the_number_of_open_runs_has_a_cap():
    """Beyond the cap the oldest are given up, a tenth at a time."""
    world = World(most=100)
    started = [world.start() for _ in range(101)]
    assert world.open_ones(*started) == started[-90:]
    assert len(world.runs) == 90


def test_what_is_inside_a_cancelled_run_goes_with_it(world):
    """Runs at any depth inside the cancelled one are taken, innermost first; those beside it stay."""
    root = world.start()
    cancelled, beside = world.start(root), world.start(root)
    inner = world.start(world.start(cancelled))
    taken = world.runs.end_inside(cancelled)
    assert taken[0] is inner
    assert len(taken) == 2
    assert world.open_ones(root, cancelled, beside, inner) == [root, cancelled, beside]


def test_threads_start_and_end_runs_at_once(world):
    """Many threads leave nothing behind and lose nothing."""

    def work(_: int) -> bool:
        root = world.start()
        child = world.start(root)
        return world.runs.end(child.id, "handler") is child and world.runs.end(root.id, "handler") is root

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(500)))
    assert len(world.runs) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_starts_with_none():
    """What runs in the parent does not run in a child."""
    run = Run(uuid.uuid4(), "handler", World().start().place, None)
    assert open_runs.start(run)
    pid = os.fork()
    if pid == 0:
        failed = True
        try:
            failed = len(open_runs) > 0
        finally:
            os._exit(failed)  # whatever happened: a child that went on would run the other tests too
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert open_runs.end(run.id, "handler") is run


@pytest.mark.parametrize("end", ["end", "close"])
def test_a_stream_is_known_by_the_object_of_its_id_until_it_ends(world, end):
    """From the first token with content on, and not once the run is over."""
    run = world.start()
    run.begin_model(ModelCall(run.place, "m", "p"), ())
    run.hear("", None)
    assert id(run.id) not in streams
    run.hear("word", None)
    assert streams[id(run.id)] is run
    world.runs.end(run.id, "handler") if end == "end" else run.close("CancelledError")
    assert id(run.id) not in streams
    run.hear("late", None)
    assert id(run.id) not in streams


class CountedId(uuid.UUID):
    """An id that counts how often it is looked up."""

    hashed = 0

    def __hash__(self) -> int:
        CountedId.hashed += 1
        return super().__hash__()


def test_no_token_but_the_first_is_looked_up(captured):
    """The others cost no hash of a UUID, and all are kept in case that no more comes."""
    handler, run_id = WhyOpsCallbackHandler(), CountedId(int=17)
    handler.on_llm_start({}, ["Tell a story."], run_id=run_id)
    handler.on_llm_new_token("Once", run_id=run_id)
    CountedId.hashed = 0
    for word in (" upon", " a", " time"):
        handler.on_llm_new_token(word, run_id=run_id)
    assert CountedId.hashed == 0
    handler.on_llm_error(ConnectionError("gone"), run_id=run_id)
    assert [event["content"]["content"] for event in captured.events if event["eventType"] == "llm_response"] == ["Once upon a time"]


def test_a_token_that_is_told_wrongly_raises_nothing(captured):
    """Whatever arguments come with it."""
    handler = WhyOpsCallbackHandler()
    handler.on_llm_new_token()
    handler.on_llm_new_token("a", "b", run_id=None, more=1)
    assert captured.events == []
