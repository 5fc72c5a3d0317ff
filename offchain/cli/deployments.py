"""Which deployment is meant: the manifest that is given, or the one this package has of a chain."""

from __future__ import annotations

from pathlib import Path

import click


def choose_manifest(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001  # click calls it so
    given: Path | None,
) -> Path | None:
    """Return the manifest; without one, ask the node which chain it serves.

    Raises UsageError where this package knows no deployment on that chain. `--rpc` is eager, so
    that it is known here already.
    """
    if given is not None or context.resilient_parsing:
        return given
    from offchain.chain.artifacts import find_packaged_manifest
    from offchain.chain.rpc import Rpc

    chain_id = int(Rpc(context.params["rpc_url"]).request("eth_chainId"), 16)
    found = find_packaged_manifest(chain_id)
    if found is None:
        raise click.UsageError(
            f"this package knows no deployment on chain {chain_id}: give --manifest", context
        )
    return found
