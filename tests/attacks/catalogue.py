"""Every attack, by what the cheater does; tests/attacks/README.md sorts them by the checklist."""

from __future__ import annotations

from typing import Final

from tests.attacks import (
    formal,
    inverses,
    op_cells,
    op_conv,
    op_norm,
    op_picks,
    op_requant,
    op_sealed,
    op_softmax,
    op_sums,
    op_wide,
    protocol,
    protocol_lookups,
)
from tests.attacks.attack import Attack

ALL: Final[tuple[Attack, ...]] = (
    *op_requant.ATTACKS,
    *op_wide.ATTACKS,
    *op_conv.ATTACKS,
    *op_sums.ATTACKS,
    *op_softmax.ATTACKS,
    *op_norm.ATTACKS,
    *op_cells.ATTACKS,
    *op_picks.ATTACKS,
    *op_sealed.ATTACKS,
    *protocol_lookups.ATTACKS,
    *protocol.ATTACKS,
    *inverses.ATTACKS,
    *formal.ATTACKS,
)
