"""`whyops ui`: the recorded traces in a browser, served from this machine to this machine."""

from __future__ import annotations

import argparse
import sys
import threading
import webbrowser

from .. import __version__
from ._command import Command, Context
from ._service import service_of
from ._values import port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--port", type=port, default=0, metavar="N", help="port to listen on (default: one that is free)")
    parser.add_argument("--no-open", action="store_true", help="only print the address; don't open a browser")
    parser.add_argument("--allow-delete", action="store_true", help="let the page delete traces from this machine")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Serve until interrupted, which is how it ends."""
    from .._ui.server import UiServer  # noqa: PLC0415  (loads an HTTP server, which no other command needs)
    from .._ui.site import Site  # noqa: PLC0415  (as above)

    service = service_of(context.home)
    site = Site(
        context.home,
        version=__version__,
        service=None if service is None else service.reader(),
        may_delete=arguments.allow_delete,
    )
    with UiServer(site, arguments.port) as server:
        context.print(server.address)
        sys.stdout.flush()
        if not arguments.no_open:
            threading.Thread(target=_open, args=(server.address_for_once(),), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _open(address: str) -> None:
    """Open a browser in a window of its own, if there is one; one that shows pages in this terminal would take it over."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(address)


COMMAND = Command(
    description="Serve the traces of this machine to a browser on this machine, and with the key in WHYOPS_API_KEY those of the service, "
    "too. Prints the address, whose token lets nobody else in; reads only; Ctrl-C ends it.",
    epilog="From another machine: `ssh -L 8000:127.0.0.1:8000 HOST`, there `whyops ui --no-open --port 8000`, and here open the address "
    "that it prints.",
    run=run,
    add_arguments=add_arguments,
)
