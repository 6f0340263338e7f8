"""This package without its compiled parts: in that environment it was installed as pip does where nobody asks for them."""

from adapters.ours import Peer

__all__ = ["Peer"]
