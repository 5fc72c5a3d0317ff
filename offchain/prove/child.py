"""The prover's process: read one folder of inputs, write one proof (see process.py).

Run as `python -m offchain.prove.child MEMORY_MIB`; the folder's path comes on standard input, the
proof goes to standard output. The folder holds `vk.bin`, `srs.bin`, `statement.bin`, the number of
tensors, and every tensor that is given as `<id>.i<bytes of a cell>`.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any, Final

EXIT_REFUSED: Final = 3  # the inputs cannot be used; standard error says why
EXIT_OUT_OF_MEMORY: Final = 4
SHAPE_FILE: Final = "tensors"  # the number of tensors, in ASCII
_MIB: Final = 1 << 20


def main() -> int:
    """Make one proof and return the exit status."""
    limit = int(sys.argv[1]) * _MIB
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        return _prove_once()
    except MemoryError:
        return EXIT_OUT_OF_MEMORY


def _prove_once() -> int:
    # Imported under the limit: loading counts too.
    import numpy as np

    from offchain import native
    from offchain.errors import NativeInputError

    # INVARIANT: the prover needs no training framework; one would not fit into its memory limit.
    if "torch" in sys.modules:
        raise RuntimeError("torch was imported into the prover's process")
    path = sys.stdin.readline().rstrip("\n")
    if not path:
        return 0  # nobody wants a proof
    folder = Path(path)
    tensors: list[Any] = [None] * int((folder / SHAPE_FILE).read_text("ascii"))
    for file in folder.glob("*.i[1248]"):
        tensors[int(file.stem)] = np.fromfile(file, dtype=f"<{file.suffix[1:]}")
    vk, srs, statement = (
        (folder / f"{name}.bin").read_bytes() for name in ("vk", "srs", "statement")
    )
    try:
        proof = native.prove(vk, srs, statement, tensors)
    except NativeInputError as error:
        sys.stderr.write(error.reason)
        return EXIT_REFUSED
    sys.stdout.buffer.write(proof)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
