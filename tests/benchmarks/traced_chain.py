"""A chain of operators to dispute about, its plan on chain, and traces of it that are malformed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.chain.contracts.pinpoint_types import LayerEnd
from offchain.model.graph import Graph, Requant, TensorSpec
from offchain.model.operators import Sum
from offchain.params.presets import LOCAL
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pins import build_layer_end
from offchain.submit.models import Model
from offchain.submit.plans import NONE, build_version_plan
from offchain.submit.vectors import Vectors
from offchain.trace.recorder import Granularity, Trace
from offchain.trace.tree import MerkleTree, layer_leaf, operator_leaf
from offchain.types import Address, VersionId
from tests.benchmarks.gas_chain import GasChain

ELEMENTS: Final = 2048  # two tiles
OTHER: Final = bytes(keccak(b"another digest"))


def activate_plan(chain: GasChain, owner: Address, model: Model, version: VersionId) -> None:
    """Submit, test and activate the plan of a version, elements alone."""
    registry = AdjudicatorRegistry(chain.client, chain.manifest)
    plan = build_version_plan(model, NONE)
    addresses = registry.get_adjudicators()
    names = plan.list_deciders()
    numbers = [addresses.index(chain.manifest.get(name).address) for name in names]
    mask = sum(1 << number for number in numbers)
    chain.send(owner, registry.build_submit(plan.to_params(version, mask)))
    vectors = Vectors(model, plan, version, owner, registry.get_required_vectors())
    for name, number in zip(names, numbers, strict=True):
        for vector in vectors.build_element_vectors(name):
            chain.send(owner, registry.build_test(version, number, [vector]), "an element")
    chain.send(owner, registry.build_activate(version))
    # Whoever takes a job from now on could see the plan.
    chain.pass_deadline(chain.contracts.market.get_time().now + LOCAL.exec_seconds)


def build_graph(operators: int) -> Graph:
    """Return a chain of operators, each of which returns what it is given."""
    ops: list[Any] = []
    source = "x"
    for k in range(operators):
        ops += [
            Sum(f"a{k}", ((source, 4),)),
            Requant(f"y{k}", f"a{k}", 1 << 14, 16, (16,), 8, "identity", 8, -128, 127),
        ]
        source = f"y{k}"
    graph = Graph((TensorSpec("x", (1, ELEMENTS), 8, -128, 127),), source, (), tuple(ops))
    graph.verify()
    return graph


def contradict(trace: Trace) -> tuple[bytes, Sequence[bytes], LayerEnd]:
    """Return a trace's root and last path where the first layer's digest is not its end's."""
    count = len(trace.plan.layers)
    digests = [OTHER, *(bytes(trace.layer_digest(k)) for k in range(1, count))]
    leaves = [layer_leaf(k, digest, trace.op_roots[k]) for k, digest in enumerate(digests)]
    tree = MerkleTree(leaves, trace.plan.layer_depth)
    known = KnownTrace(trace, Granularity.OP)
    end = build_layer_end(known, 0)
    at = trace.plan.plan_depth
    siblings = (
        *end.siblings[:at],
        *tree.path(0),
        *end.siblings[at + trace.plan.layer_depth :],
    )
    end = replace(end, layer_digest=OTHER, siblings=siblings)
    return tree.root, tree.path(count - 1), end


def overfill(trace: Trace) -> tuple[bytes, Sequence[bytes], LayerEnd, Sequence[bytes]]:
    """Return a trace with a digest behind its last operator: root, last path, end, its siblings."""
    plan, last = trace.plan, len(trace.plan.layers) - 1
    members = [trace.digests[t] for t in plan.layers[last]]
    leaves = [operator_leaf(k, digest) for k, digest in enumerate([*members, OTHER])]
    ops = MerkleTree(leaves, plan.op_depth)
    roots = [*trace.op_roots[:last], ops.root]
    tree = MerkleTree(
        [layer_leaf(k, trace.layer_digest(k), root) for k, root in enumerate(roots)],
        plan.layer_depth,
    )
    end = build_layer_end(KnownTrace(trace, Granularity.OP), last)
    place = len(members) - 1
    siblings = (*end.siblings[: plan.plan_depth], *tree.path(last), *ops.path(place))
    end = replace(end, op_root=ops.root, siblings=siblings)
    return tree.root, tree.path(last), end, ops.path(len(members))
