"""What the tests of the providers' APIs share."""

from tests._providers.asking import _clients, _one_certificate, providers

__all__ = ["_clients", "_one_certificate", "providers"]
