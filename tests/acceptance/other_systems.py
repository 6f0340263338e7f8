"""What a program runs first to be on a system that it is not on: what that one lacks is taken away before whyops is imported."""

from __future__ import annotations

POSIX_ONLY = (
    "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK chown fchmod fchown fork forkpty getegid geteuid getgid getuid killpg lchown posix_spawn "
    "pread pwrite register_at_fork setsid setuid uname wait4"
)

_TAKEN = """
import sys
import concurrent.futures.thread, http.client, asyncio, multiprocessing, shutil, socket, sqlite3, ssl, subprocess, tempfile, threading
asyncio.new_event_loop().close()  # from Python 3.14 on it looks at the platform when it is first used
import os  # the standard library, loaded above, keeps what it has of it

for name in {names!r}.split():
    if hasattr(os, name):
        delattr(os, name)
for name in {modules!r}.split():
    sys.modules[name] = None
sys.platform = {platform!r}
"""

WINDOWS = _TAKEN.format(names=POSIX_ONLY, modules="fcntl grp pwd resource termios", platform="win32")
"""Windows, so far as that is a matter of what there isn't: its paths, and its hold on files that are open, are not in it."""

BROWSER = _TAKEN.format(
    names="chown fork forkpty getegid geteuid getgid getuid pread pwrite register_at_fork",
    modules="fcntl grp pwd resource",
    platform="emscripten",
)
BROWSER += """
def start(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = start
"""
"""Python in a browser, with those of its packages loaded that are not there from the beginning (ssl, sqlite3)."""

BARE_BROWSER = BROWSER + 'sys.modules.update(dict.fromkeys(("ssl", "_ssl", "sqlite3", "_sqlite3"), None))\n'
"""The same before they are loaded."""
