"""The same ONNX files and inputs through ezkl, with the gas of its generated verifier.

ezkl runs in an environment of its own (scripts/lib/ezkl.sh); nothing here imports it.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from tests.benchmarks.limited import free_bytes, run_limited
from tests.benchmarks.onnx_models import FloatModel
from tests.benchmarks.verification import VerifierChain, send

ROOT: Final = Path(__file__).parents[2]
PEER: Final = ROOT / ".local/peer"
PYTHON: Final = PEER / "ezkl/bin/python"
STEPS: Final = (
    "settings", "compile", "reference", "setup", "witness", "prove", "verify", "evm",
)  # fmt: skip
MEMORY_SHARE: Final = (
    0.9  # of what is free when a step begins: it shall not take what others run in
)
CODE_LIMIT: Final = 24_576  # bytes of a contract (EIP-170)
# Its generated code is assembly: 1 or 200 runs differ by 0.1 % of gas.
OPTIMIZER_RUNS: Final = 200

# Its run arguments that are not at their defaults. Tuned makes small circuits small: range tables
# of 2^10 rows, not 2^14, and 7 fractional bits (near our 8-bit weights), not calibration's 13. More
# inner columns than two cost time: 4 and 8 took 13 and 125 % more of the processor on mlp-digits.
PEERS: Final[Mapping[str, Mapping[str, int]]] = {
    "ezkl": {},
    "ezkl-tuned": {"decomp_base": 1024, "scale": 7},
}


@dataclass
class PeerRow:
    """What ezkl needed for one model; `failure` names the step that stopped it, and why."""

    model: str
    peer: str  # of PEERS
    seconds: dict[str, float] = field(default_factory=dict)  # by step
    peak_mib: dict[str, float] = field(default_factory=dict)  # by step
    facts: dict[str, Any] = field(default_factory=dict)  # logrows, scales, sizes, gas, max_error
    failure: str | None = None
    failed_step: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row for a report."""
        return {
            "model": self.model,
            "peer": self.peer,
            "seconds": self.seconds,
            "peak_mib": self.peak_mib,
            **self.facts,
            "failure": self.failure,
        }


def measure_ezkl(
    model: FloatModel, peer: str, folder: Path, chain: VerifierChain, limit_s: float
) -> PeerRow:
    """Take a model through all of ezkl's steps and a transaction to its verifier.

    A step that fails, or that meets the limit of the model's seconds or of the machine's memory,
    ends the row and is told in it. Raises FileNotFoundError without ezkl's environment.
    """
    if not PYTHON.exists():
        raise FileNotFoundError(f"{PYTHON}: run ./scripts/bench prover --peer ezkl to set it up")
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.onnx)
    values = model.x.astype(float).ravel().tolist()
    (folder / "input.json").write_text(json.dumps({"input_data": [values]}), encoding="utf-8")
    (folder / "tuning.json").write_text(json.dumps(PEERS[peer]), encoding="utf-8")
    row = PeerRow(model.name, peer)
    deadline = time.monotonic() + limit_s
    for step in STEPS:
        if not _take(step, row, folder, deadline - time.monotonic()):
            return row
    row.facts["max_error"] = _find_error(model, row.facts.pop("output"))
    _measure_gas(row, folder, chain)
    (folder / "pk").unlink()  # gigabytes
    return row


def _take(step: str, row: PeerRow, folder: Path, limit_s: float) -> bool:
    """Run one step in a process of its own; return whether it succeeded."""
    command = [str(PYTHON), str(ROOT / "tests/benchmarks/ezkl_steps.py"), step, str(folder)]
    limit_bytes = int(MEMORY_SHARE * free_bytes())
    ended = run_limited([*command, str(PEER)], folder / f"{step}.log", limit_s, limit_bytes, folder)
    if ended.reason is not None:
        row.seconds[step], row.peak_mib[step] = ended.seconds, ended.seen_mib
        row.failed_step, row.failure = step, f"{step}: {ended.reason}"
        (folder / "pk").unlink(missing_ok=True)
        return False
    found = json.loads((folder / f"{step}.result").read_text(encoding="utf-8"))
    row.seconds[step], row.peak_mib[step] = found.pop("seconds"), found.pop("peak_mib")
    row.facts |= found
    return True


def _find_error(model: FloatModel, output: Sequence[float]) -> float:
    """Return the largest distance between ezkl's output and the float model's."""
    run = ReferenceEvaluator(onnx.load_from_string(model.onnx)).run(None, {"x": model.x})
    assert isinstance(run, list)
    return float(np.abs(np.asarray(output) - np.asarray(run[0]).ravel()).max())


def _measure_gas(row: PeerRow, folder: Path, chain: VerifierChain) -> None:
    """Deploy the generated verifier and send the proof to it; gas is the receipt's."""
    creation, row.facts["contract_bytes"] = compile_verifier(folder / "verifier.sol")
    calldata = (folder / "calldata").read_bytes()
    row.facts["calldata_bytes"] = len(calldata)
    if row.facts["contract_bytes"] > CODE_LIMIT:
        size = row.facts["contract_bytes"]
        row.failed_step, row.failure = "evm", f"evm: verifier of {size} bytes, limit {CODE_LIMIT}"
        return
    verifier = send(chain.rpc, chain.account, None, creation)["contractAddress"]
    receipt = send(chain.rpc, chain.account, verifier, calldata)
    row.facts["verify_gas"] = int(receipt["gasUsed"], 16)


def compile_verifier(source: Path) -> tuple[bytes, int]:
    """Return the creation code of the one contract in a file, and the bytes it leaves on chain."""
    solc = os.environ.get("FOUNDRY_SOLC") or (ROOT / ".local/solc-path").read_text("utf-8").strip()
    request = {
        "language": "Solidity",
        "sources": {source.name: {"content": source.read_text(encoding="utf-8")}},
        "settings": {
            "optimizer": {"enabled": True, "runs": OPTIMIZER_RUNS},
            "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.deployedBytecode.object"]}},
        },
    }
    run = subprocess.run(
        [solc, "--standard-json"],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(run.stdout)
    errors = [e["formattedMessage"] for e in answer.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise RuntimeError(f"solc refuses {source.name}: {errors[0]}")
    (contract,) = answer["contracts"][source.name].values()
    runtime = contract["evm"]["deployedBytecode"]["object"]
    return bytes.fromhex(contract["evm"]["bytecode"]["object"]), len(runtime) // 2
