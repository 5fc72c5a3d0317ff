"""Registrations that lie, for drills on development chains: what a registrant could try.

The chain accepts them: it can check that key, program and declaration fit together, not that they
are those of the published files. Whoever uses a version has to find that out before money moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from offchain.chain.contracts.model_registry import VersionParams
from offchain.errors import ConfigError
from offchain.params.settings import LOCAL_CHAIN_IDS
from offchain.prove.job import make_provable
from offchain.prove.program_bytes import hash_program
from offchain.roles.account import Account, build_version_params
from offchain.roles.faulty import coarsen
from offchain.submit.models import Model, load_model

Poison = Callable[[Model, VersionParams], tuple[VersionParams, bytes]]


def poison_weights(model: Model, true: VersionParams) -> tuple[VersionParams, bytes]:
    """Commit the key to other weights than the published ones, whose root is declared.

    An honest operator that is challenged could not open the key's commitments.
    """
    blob = make_provable(model.graph, coarsen(model)).key.to_bytes()
    return replace(true, vk_hash=keccak(blob)), blob


def poison_root(model: Model, true: VersionParams) -> tuple[VersionParams, bytes]:
    """Register other weights than the published ones, consistently: key and root."""
    other = Model(model.folder, model.graph, coarsen(model))
    params = replace(true, weight_root=other.compute_weight_root(), vk_hash=keccak(other.vk_blob))
    return params, other.vk_blob


def poison_program(model: Model, true: VersionParams) -> tuple[VersionParams, bytes]:
    """Name the published graph in a key that holds the program of another one.

    That program takes no input as large as the graph allows: an honest operator that runs the
    graph on one and is challenged could never prove its result.
    """
    narrowed = replace(model.graph.input, hi=model.graph.input.hi - 1)
    other = make_provable(replace(model.graph, inputs=(narrowed,)), model.weights).key
    key = replace(other, graph_hash=true.graph_hash)
    blob = key.to_bytes()
    return replace(true, program_hash=hash_program(key.program), vk_hash=keccak(blob)), blob


POISONS: Final[Mapping[str, Poison]] = {
    "poisoned-weights": poison_weights,
    "poisoned-root": poison_root,
    "poisoned-program": poison_program,
}


def register_poisoned(account: Account, folder: Path, mode: str) -> Mapping[str, Any]:
    """Really register a lie about a published folder; return what `register_version` returns.

    Raises ConfigError for an unknown mode, and on a chain that is not for development.
    """
    if account.client.chain_id not in LOCAL_CHAIN_IDS:
        raise ConfigError(f"drills run on development chains, not on {account.client.chain_id}")
    if mode not in POISONS:
        raise ConfigError(f"no poison {mode!r}; there are {sorted(POISONS)}")
    model = load_model(folder)
    true = build_version_params(model, account.manifest.get("VerifierCore").address, mode)
    params, blob = POISONS[mode](model, true)
    return account.register(params, blob)
