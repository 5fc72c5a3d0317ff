"""Every attack, by what the cheater does; tests/attacks/README.md sorts them by the checklist."""

from __future__ import annotations

from typing import Final

from tests.attacks import (
    formal,
    inverses,
    op_cells,
    op_requant,
    op_rows,
    op_sealed,
    op_sums,
    op_wide,
    protocol,
)
from tests.attacks.attack import Attack

ALL: Final[tuple[Attack, ...]] = (
    *op_requant.ATTACKS,
    *op_wide.ATTACKS,
    *op_sums.ATTACKS,
    *op_rows.ATTACKS,
    *op_cells.ATTACKS,
    *op_sealed.ATTACKS,
    *protocol.ATTACKS,
    *inverses.ATTACKS,
    *formal.ATTACKS,
)
