"""Models that benchmarks run on, by name; each is built in a process of its own, with torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from offchain.commit.digest import encode_tensor
from offchain.commit.digits import build_digits_model
from offchain.model.train_digits import load_split


def build_mlp_digits(folder: Path, input_file: Path) -> None:
    """Train on scikit-learn's digits; the input is the first scan that was held out."""
    graph = build_digits_model(folder).model.graph
    input_file.write_bytes(encode_tensor(load_split().held_out.x[:1], graph.input.bits))


BUILDERS: Final[Mapping[str, Callable[[Path, Path], None]]] = {"mlp-digits": build_mlp_digits}

if __name__ == "__main__":
    name, folder, input_file = sys.argv[1:]
    BUILDERS[name](Path(folder), Path(input_file))
