"""Hold the analyser's findings against their explanations: neither may stand alone."""

from __future__ import annotations

import json
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any


def name_finding(finding: dict[str, Any]) -> str:
    """Return `detector Contract.function`, or `detector Contract` about a whole contract."""
    first = finding["elements"][0]
    while first["type"] in ("node", "variable"):
        parent = first["type_specific_fields"].get("parent")
        if parent is None or (first["type"] == "variable" and parent["type"] == "contract"):
            break
        first = parent
    owner = first.get("type_specific_fields", {}).get("parent")
    place = f"{owner['name']}.{first['name']}" if owner else first["name"]
    return f"{finding['check']} {place}"


def main(findings: Path, explanations: Path) -> int:
    """Print what has no counterpart; return the exit status."""
    report = json.loads(findings.read_text(encoding="utf-8"))
    if not report["success"]:
        print(f"the analyser failed: {report['error']}", file=sys.stderr)
        return 1
    found: dict[str, list[str]] = defaultdict(list)
    for finding in report["results"].get("detectors", []):
        found[name_finding(finding)].append(finding["description"].strip())
    explained = {
        f"{detector} {place}"
        for detector, places in tomllib.loads(explanations.read_text(encoding="utf-8")).items()
        for entry in places["findings"]
        for place in entry["places"]
    }
    for name in sorted(set(found) - explained):
        print(f"unexplained: {name}", *found[name], sep="\n    ")
    for name in sorted(explained - set(found)):
        print(f"explained, but not found any more: {name}")
    is_clean = set(found) == explained
    verdict = "clean" if is_clean else "NOT CLEAN"
    print(f"{len(found)} places with findings, {len(explained)} explained: {verdict}")
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
