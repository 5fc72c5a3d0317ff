"""Keep two runners apart: `ape test` runs tests/contracts, pytest runs everything else.

ape's pytest plugin loads into every pytest run of an environment that has ape, and starts a node.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

CONTRACTS: Final = Path(__file__).parent / "contracts"
APE_PLUGINS: Final = ("ape-test", "ape-fixtures")


def is_ape_run(config: pytest.Config) -> bool:
    """Tell whether `ape test` started this run."""
    return "ape_test" in (config.invocation_params.plugins or ())


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take ape's runner out of runs that `ape test` did not start."""
    if is_ape_run(config):
        return
    for name in APE_PLUGINS:
        plugin = config.pluginmanager.get_plugin(name)
        if plugin is not None:
            config.pluginmanager.unregister(plugin)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect tests/contracts with ape only, and the other folders with pytest only."""
    inside = collection_path == CONTRACTS or CONTRACTS in collection_path.parents
    above = collection_path in CONTRACTS.parents
    if above or inside == is_ape_run(config):
        return None
    return True
