"""This package without its compiled parts: in that environment it was installed as it is where no C compiler is."""

from adapters.ours import Peer

__all__ = ["Peer"]
