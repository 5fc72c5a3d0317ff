"""The chain's fixtures serve here too."""

from tests.unit.chain.conftest import call, client, journal, node, place, signer

__all__ = ["call", "client", "journal", "node", "place", "signer"]
