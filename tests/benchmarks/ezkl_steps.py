"""One step of ezkl's line, timed: `python ezkl_steps.py STEP FOLDER SRS_FOLDER`.

Run by ezkl's own Python, which has nothing but ezkl and the standard library. Each step is a
process of its own, so that its peak of memory is its own; files in FOLDER carry the state, which is
how ezkl itself hands it on. Input and output are public and weights constants of the circuit (each
model has keys of its own), as ezkl has them by default. FOLDER/tuning.json names run arguments that
are not at their defaults, and `scale`, the fractional bits, which calibration chooses otherwise.
Writes STEP.result with the seconds inside ezkl's functions, the peak, and what the step found.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import ezkl  # type: ignore[import-not-found,unused-ignore]

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
FIRST_VICTIM: Final = "1000"  # of the kernel, when memory runs out: nothing else shall die for it


class Steps:
    """The steps, by the name of their methods; paths are ezkl's arguments."""

    def __init__(self, folder: Path, srs_folder: Path) -> None:
        self.folder = folder
        self.srs_folder = srs_folder
        self.seconds = 0.0

    def path(self, name: str) -> str:
        """Return a file of the model's folder."""
        return str(self.folder / name)

    def timed(self, action: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call one of ezkl's functions; its time counts."""
        began = time.perf_counter()
        result = action(*arguments, **named)
        self.seconds += time.perf_counter() - began
        if result is False:
            raise RuntimeError(f"{action.__name__} says no")
        return result

    def srs(self) -> str:
        """Return the file of the reference string of this circuit's size, made if it is missing."""
        return str(self.srs_folder / f"srs-{self.read_settings()['run_args']['logrows']}")

    def read_settings(self) -> Any:
        """Return ezkl's settings."""
        return json.loads(Path(self.path("circuit.settings")).read_text(encoding="utf-8"))

    def settings(self) -> Mapping[str, Any]:
        """Choose scales and the size of the circuit, 2^logrows rows."""
        model, settings = self.path("model.onnx"), self.path("circuit.settings")
        tuning = json.loads(Path(self.path("tuning.json")).read_text(encoding="utf-8"))
        scale = tuning.pop("scale", None)
        arguments = ezkl.PyRunArgs()
        for name, value in tuning.items():
            setattr(arguments, name, value)
        self.timed(ezkl.gen_settings, model, settings, arguments)
        scales = None if scale is None else [scale]
        self.timed(ezkl.calibrate_settings, self.path("input.json"), model, settings, scales=scales)
        found = self.read_settings()
        names = ("logrows", "input_scale", "param_scale", "num_inner_cols", "lookup_range")
        return {name: found["run_args"][name] for name in names} | {"rows": found["num_rows"]}

    def compile(self) -> Mapping[str, Any]:
        """Turn the ONNX file into a circuit."""
        names = ("model.onnx", "circuit", "circuit.settings")
        self.timed(ezkl.compile_circuit, *map(self.path, names))
        return {}

    def reference(self) -> Mapping[str, Any]:
        """Generate a reference string (INSECURE, as ours is here); kept for the next run."""
        path = Path(self.srs())
        if not path.exists():
            partial = path.with_suffix(".part")
            self.timed(ezkl.gen_srs, str(partial), self.read_settings()["run_args"]["logrows"])
            partial.rename(path)
        return {}

    def setup(self) -> Mapping[str, Any]:
        """Derive the keys of this model."""
        self.timed(ezkl.setup, *map(self.path, ("circuit", "vk", "pk")), self.srs())
        return {"pk_bytes": Path(self.path("pk")).stat().st_size}

    def witness(self) -> Mapping[str, Any]:
        """Run the model in fixed point; the output is given as floats."""
        names = ("input.json", "circuit", "witness.json")
        self.timed(ezkl.gen_witness, *map(self.path, names))
        found = json.loads(Path(self.path("witness.json")).read_text(encoding="utf-8"))
        outputs = found["pretty_elements"]["rescaled_outputs"]
        return {"output": [float(value) for row in outputs for value in row]}

    def prove(self) -> Mapping[str, Any]:
        """Make the proof; as ezkl does, this reads the proving key from its file."""
        names = ("witness.json", "circuit", "pk", "proof.json")
        self.timed(ezkl.prove, *map(self.path, names), self.srs())
        proof = json.loads(Path(self.path("proof.json")).read_text(encoding="utf-8"))
        return {"proof_bytes": len(proof["proof"])}

    def verify(self) -> Mapping[str, Any]:
        """Check the proof off chain."""
        names = ("proof.json", "circuit.settings", "vk")
        self.timed(ezkl.verify, *map(self.path, names), self.srs())
        return {}

    def evm(self) -> Mapping[str, Any]:
        """Write the verifier's Solidity and the calldata of the transaction."""
        self.timed(ezkl.encode_evm_calldata, self.path("proof.json"), self.path("calldata"))
        asyncio.run(self._write_verifier())
        return {}

    async def _write_verifier(self) -> None:
        names = ("vk", "circuit.settings", "verifier.sol", "verifier.abi")
        try:
            await ezkl.create_evm_verifier(*map(self.path, names), self.srs())
        except RuntimeError as error:
            # Having written the source, it compiles it for the ABI with a compiler that it
            # downloads. Ours compiles it anyway, and the calldata is there.
            if "svm" not in str(error):
                raise


def read_peak_mib() -> float:
    """Return the peak of this process's resident set."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's peak begins with that of the process that started this one
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 1024  # of one ru_maxrss in a MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _end_with_parent() -> None:
    """Let Linux kill this process with the one that started it: gigabytes must not stay."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Run the step that is named."""
    step, folder, srs_folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text(FIRST_VICTIM, encoding="ascii")
    _end_with_parent()
    steps = Steps(folder, srs_folder)
    found = getattr(steps, step)()
    result = {"seconds": steps.seconds, "peak_mib": read_peak_mib(), **found}
    (folder / f"{step}.result").write_text(json.dumps(result), encoding="utf-8")
    # ezkl's threads may be at work yet, and abort a Python that ends in an orderly way.
    os._exit(0)


if __name__ == "__main__":
    main()
