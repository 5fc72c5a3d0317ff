"""Hand forge's artefacts to ape, so that ape does not compile the same sources again.

ape skips a source when `.build/__local__.json` holds its text and a contract type made from it.
Both tools are configured alike (contracts/foundry.toml, ape-config.yaml); a plain `ape compile`
updates this file as ever.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def read_contract_type(artefact: dict[str, Any]) -> dict[str, Any] | None:
    """Return ape's form (EIP-2678 contract type) of one forge artefact; None for other files."""
    target = artefact.get("metadata", {}).get("settings", {}).get("compilationTarget")
    if not target:
        return None
    ((source, name),) = target.items()
    for part in ("bytecode", "deployedBytecode"):
        if artefact[part]["linkReferences"]:
            raise SystemExit(f"error: {source}:{name} needs linking, which is not supported here")
    return {
        "contractName": name,
        "sourceId": source,
        "abi": artefact["abi"],
        "deploymentBytecode": {"bytecode": artefact["bytecode"]["object"]},
        "runtimeBytecode": {"bytecode": artefact["deployedBytecode"]["object"]},
        "methodIdentifiers": {
            signature: "0x" + selector
            for signature, selector in artefact["methodIdentifiers"].items()
        },
        "devdoc": artefact["metadata"]["output"]["devdoc"],
        "userdoc": artefact["metadata"]["output"]["userdoc"],
    }


def write_manifest(root: Path, forge_out: Path) -> int:
    """Write ape's manifest of the sources below contracts/; return how many contracts it has."""
    found = (
        read_contract_type(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(forge_out.glob("*.sol/*.json"))
    )
    # An artefact of a source that has gone stays in forge's folder.
    types = {
        kind["contractName"]: kind
        for kind in found
        if kind
        and kind["sourceId"].startswith("contracts/")
        and (root / kind["sourceId"]).is_file()
    }
    sources = {
        path.relative_to(root).as_posix(): {
            "content": path.read_text(encoding="utf-8"),
            "imports": [],
        }
        for path in sorted((root / "contracts").rglob("*.sol"))
    }
    manifest = {"manifest": "ethpm/3", "contractTypes": types, "sources": sources}
    target = root / ".build" / "__local__.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(manifest, sort_keys=True) + "\n", encoding="utf-8")
    return len(types)


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    count = write_manifest(root, root / ".local" / "forge" / "out")
    print(f"{count} contract types shared with ape", file=sys.stderr)
