"""The sender: takes lines from the outbox and hands them to a sink. One page on how its parts work together.

**Who does what.** `Delivery` is the face: it records, and answers those who wait. The `Queue` (in `_outbox`) holds the lines, in files or
in memory. The `Sender` is a loop that takes batches from the queue to the `Sinks`; the `Worker` gives it a thread. `Requests` is what the
sender sleeps on. Calls go one way, Delivery → Worker → Sender → Queue, Requests, Sinks; nothing calls back, but for the queue, which logs
that it has to use memory.

**States of the sender.**

    no thread ── wake() ──→ at work ──→ lingering: lines wait for more to come (`Pace.linger`, `Pace.quiet`)
        ↑                     ↑  │ ──→ backing off: the last attempt failed (`Backoff`)
        │                     │  └──→ asleep: nothing waits
        │                     └── a bell, or the time is over
        └── idle for `Pace.idle`, or closed, or a sink has ended the thread

Each turn of the loop listens (`_listen`), works (`_work`: look after files, send one batch, do one job) and answers (`_answer`). A request
is answered when all that was recorded before it is settled, at its deadline, or when waiting on is no use. The thread ends itself: it first
gives up its place (`Worker.thread = None`), then looks once more; so an event that came before is seen, and one after starts a thread.

**Which thread may touch what.**

- *Any thread*, a signal handler and a `__del__` included: `Delivery.record`, `lose`, `flush`, `close`, `submit`, `counts`;
  `Queue.open`, `append_elsewhere`, `waiting`; `Requests.put`, `ring`; all of `Counters`. Recording takes no lock but around the opening of
  an outbox and the bound of the one in memory; locks that such a thread may meet again further up are reentrant.
- *The thread that has the sender* (`Worker.thread`), and no other: `Sender.run` and its fields, `Batch`, the sinks, the other half of
  `Queue`, `Orphans`, and all reading and acknowledging. Where no thread can be started, whoever waits takes its place
  (`Worker.attend`): still one at a time.
- *A forked child* touches nothing of its parent's: `Delivery.after_fork_in_child` makes all parts anew, and keeps the old ones from being
  closed by letting go of them.

**Who wakes whom.** The first event, a request and a loss wake the sender (`Worker.wake`), which starts a thread or rings the bell. Later
events add to `Requests.unseen` and ring only if the sender is asleep and `loud_at` bytes came. Those who wait sleep on a future, and look
twice a second whether somebody is at work. At the end of the process `begin_exit` asks and `finish_exit` waits, within the limit.
"""
