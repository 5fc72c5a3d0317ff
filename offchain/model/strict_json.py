"""JSON from files that nobody vouches for: bounded in size and depth before the parser sees it."""

from __future__ import annotations

import json
import re
from typing import Final

import numpy as np

MAX_BYTES: Final = 1 << 24  # a graph lists operators, not weights; more is an attack on its reader
MAX_DEPTH: Final = 16  # a graph needs 5, a report 5
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_json(encoded: bytes) -> object:
    """Return the document in ASCII `encoded`; raise ValueError for any other bytes.

    The depth is checked here because Python's own guard is no guard: libraries raise the recursion
    limit (py_ecc does), and then deep nesting overflows the C stack and ends the process.
    """
    if len(encoded) > MAX_BYTES:
        raise ValueError(f"has {len(encoded)} bytes, at most {MAX_BYTES} are read")
    # Up to the first error, where parsing ends, it cuts out strings just as the parser reads them.
    marks = np.frombuffer(_STRING.sub(b"", encoded), dtype=np.uint8)
    opened = (marks == ord("[")) | (marks == ord("{"))
    closed = (marks == ord("]")) | (marks == ord("}"))
    depth = np.cumsum(opened.astype(np.int64) - closed)
    if depth.size and int(depth.max()) > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH}")
    try:
        document: object = json.loads(encoded.decode("ascii"))
    except ValueError as error:
        raise ValueError(f"is not ASCII JSON: {error}") from error
    return document
