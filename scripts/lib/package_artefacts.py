"""Put what a client needs of the compiled contracts where the wheel takes it from.

Writes offchain/chain/artifacts: one file a deployable contract (ABI, creation code, runtime code
and where its immutables lie) and the manifests of public deployments. Output of the build, never
committed.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

FORMAT: Final = "zkdps-artifact/1"
DEPLOYABLE: Final = tuple(
    f"contracts/{folder}/"
    for folder in ("core", "dispute", "verifiers", "adjudication", "trace", "quorum")
)
# What the one does not know the other does in its name: who calls needs the functions of both.
DELEGATES: Final = {"PinpointGame": "TraceSearches"}
TARGET: Final = Path("offchain") / "chain" / "artifacts"


def describe(artefact: dict[str, Any], root: Path) -> dict[str, Any] | None:
    """Return the package's form of one forge artefact; None for what is never deployed."""
    target = artefact.get("metadata", {}).get("settings", {}).get("compilationTarget")
    if not target:
        return None
    ((source, name),) = target.items()
    has_functions = any(entry["type"] == "function" for entry in artefact["abi"])
    code = artefact["bytecode"]["object"]
    # An artefact of a source that has gone stays in forge's folder.
    is_current = source.startswith(DEPLOYABLE) and (root / source).is_file()
    if not is_current or not has_functions or code == "0x":
        return None
    if artefact["bytecode"]["linkReferences"]:
        raise SystemExit(f"error: {source}:{name} needs linking, which is not supported here")
    references = artefact["deployedBytecode"].get("immutableReferences", {}).values()
    return {
        "format": FORMAT,
        "name": name,
        "source": source,
        "compiler": artefact["metadata"]["compiler"]["version"],
        "abi": artefact["abi"],
        "creationCode": code,
        "runtimeCode": artefact["deployedBytecode"]["object"],
        # [first byte, number of bytes] of every place that the constructor fills in
        "immutables": sorted([r["start"], r["length"]] for places in references for r in places),
    }


def unite(abi: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return an ABI with what another one adds to it; the constructor is the first one's."""
    united = [entry for entry in abi if entry["type"] not in ("fallback", "receive")]
    known = {name_entry(entry) for entry in united}
    return united + [entry for entry in other if "name" in entry and name_entry(entry) not in known]


def name_entry(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return what tells entries of an ABI apart."""
    inputs = json.dumps(entry.get("inputs", []), sort_keys=True)
    return entry["type"], entry.get("name", ""), inputs


def write_artifacts(root: Path, forge_out: Path) -> int:
    """Write the folder anew; return how many contracts it holds."""
    folder = root / TARGET
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "deployments").mkdir(parents=True)
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(forge_out.glob("*.sol/*.json")):
        described = describe(json.loads(path.read_text(encoding="utf-8")), root)
        if described is not None:
            found[described["name"]] = described
    for name, delegate in DELEGATES.items():
        if name in found:
            found[name]["abi"] = unite(found[name]["abi"], found[delegate]["abi"])
    for name, described in found.items():
        text = json.dumps(described, sort_keys=True, separators=(",", ":")) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    # Development chains begin afresh every time: their manifests would be wrong for everybody.
    for manifest in sorted((root / "deployments").glob("*.json")):
        if manifest.stem not in ("1337", "31337"):
            shutil.copyfile(manifest, folder / "deployments" / manifest.name)
    return len(found)


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    count = write_artifacts(root, root / ".local" / "forge" / "out")
    if count == 0:
        raise SystemExit("error: no contract is compiled: run forge build first")
    print(f"{count} contracts packaged", file=sys.stderr)
