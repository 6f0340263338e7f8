"""What the tests of the providers' APIs share."""

from tests._providers.asking import _clients, providers

__all__ = ["_clients", "providers"]
