"""Events as a node's logs, encoded by the contracts' own ABIs."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple

from offchain.chain.abi import DecodedEvent
from offchain.chain.manifest import Manifest


def encode_log(manifest: Manifest, event: DecodedEvent) -> dict[str, Any]:
    """Return the log of an event of a deployment; block and place are the node's."""
    deployment = manifest.get(event.contract)
    (entry,) = (
        e for e in deployment.abi.entries if e["type"] == "event" and e["name"] == event.name
    )
    kinds = [(collapse_if_tuple(i), i["name"], i["indexed"]) for i in entry["inputs"]]
    topics = [deployment.abi.get_topic(event.name)]
    topics += [
        "0x" + encode([kind], [event.arguments[name]]).hex()
        for kind, name, is_indexed in kinds
        if is_indexed
    ]
    plain = [(kind, event.arguments[name]) for kind, name, is_indexed in kinds if not is_indexed]
    return {
        "address": deployment.address,
        "topics": topics,
        "data": "0x" + encode([kind for kind, _ in plain], [value for _, value in plain]).hex(),
        "transactionHash": event.tx_hash,
    }
