"""zkDPS off chain: models, proofs, roles, the command line, and the SDK.

`from offchain import Client, AsyncClient` is the SDK's door. It is imported when it is asked for:
nothing else of this package waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offchain.sdk import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from offchain import sdk

        return getattr(sdk, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
