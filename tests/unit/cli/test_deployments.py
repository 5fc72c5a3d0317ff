"""The manifest is the one given, or the package's of the chain that the node serves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from offchain.chain import artifacts
from offchain.cli.options import chain_options
from tests.unit.cli.node_service import Node, serve_node


@click.command()
@chain_options
def tell(rpc_url: str, manifest: Path) -> None:
    """Print what was chosen."""
    print(manifest)


@pytest.fixture
def node() -> Iterator[Node]:
    with serve_node(Node(int(time.time()), chain_id=4242)) as serving:
        yield serving


def test_manifest__none_given__the_packages_own_of_this_chain(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "deployments" / "4242.json"
    own.parent.mkdir()
    own.write_text("{}")
    monkeypatch.setattr(artifacts.find_packaged_manifest, "__defaults__", (tmp_path,))
    # In either order: the node is known before the manifest is looked for.
    done = CliRunner().invoke(tell, ["--rpc", node.url])
    assert done.stdout.strip() == str(own), done.output
    other = tmp_path / "other.json"
    other.write_text("{}")
    given = CliRunner().invoke(tell, ["--manifest", str(other), "--rpc", node.url])
    assert given.stdout.strip() == str(other)


def test_manifest__none_given_and_none_known__usage_error(node: Node) -> None:
    done = CliRunner().invoke(tell, ["--rpc", node.url])
    assert done.exit_code == 2
    assert "chain 4242" in done.output


def test_manifest__given__no_node_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text("{}")
    done = CliRunner().invoke(tell, ["--manifest", str(path), "--rpc", "http://127.0.0.1:9"])
    assert done.exit_code == 0, done.output
