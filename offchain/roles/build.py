"""From settings to a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.errors import ConfigError
from offchain.params.settings import LOCAL_CHAIN_IDS, Settings
from offchain.roles.challenger import Challenger
from offchain.roles.copying import CopyingOperator
from offchain.roles.drills import (
    EquivocatingOperator,
    LateOperator,
    LazyOperator,
    PerturbedOperator,
    SecretiveOperator,
    VanishingOperator,
    WithholdingOperator,
    WrongOperator,
)
from offchain.roles.loop import Role
from offchain.roles.opening import open_context
from offchain.roles.operator import Operator

DRILLS: Final[Mapping[str, type[Operator]]] = {
    "perturbed-weights": PerturbedOperator,
    "vanish": VanishingOperator,
    "equivocate": EquivocatingOperator,
    "withhold": WithholdingOperator,
    "withhold-trace": SecretiveOperator,
    "wrong-operator": WrongOperator,
    "lazy": LazyOperator,
    "late": LateOperator,
    "copy": CopyingOperator,
}


def build_role(settings: Settings) -> Role:
    """Open a service's role; raise ConfigError for a drill on a chain not for development."""
    context = open_context(settings)
    if settings.role == "challenger":
        return Challenger(context)
    if settings.role != "operator":
        raise ConfigError(f"{settings.role} is not a service")
    if not settings.fault:
        return Operator(context)
    if context.client.chain_id not in LOCAL_CHAIN_IDS:
        raise ConfigError(f"drills run on development chains, not on {context.client.chain_id}")
    return DRILLS[settings.fault](context)
