"""Mutants that change nothing that a result, a payment or a deadline depends on, and why."""

from __future__ import annotations

from typing import Final

from tests.mutation.mutants import Mutant
from tests.mutation.seeded import Seed, find_seed

EQUIVALENTS: Final[tuple[tuple[Seed, str], ...]] = (
    (
        Seed("contracts/libraries/Economics.sol", "return gain > fee ?", ">", ">="),
        "A gain that equals the fee leaves 0 on both sides.",
    ),
    (
        Seed("contracts/libraries/Settlement.sol", "return slash >= stake ?", ">=", ">"),
        "A slash that equals the stake is all of it, also as a quotient.",
    ),
    (
        Seed("contracts/libraries/Settlement.sol", "tip < rest ? tip : rest", "<", "<="),
        "Of two equal amounts either is the smaller.",
    ),
    (
        Seed("contracts/core/OrderBook.sol", "if (time <= start) return", "<=", "<"),
        "The ramp itself gives the least fee at its first second.",
    ),
    (
        Seed("contracts/core/ResultRelay.sol", "left < RESERVE_GAS ? 0", "<", "<="),
        "What is exactly the reserve leaves 0 either way.",
    ),
    (
        Seed("contracts/core/SessionBatches.sol", "(nonce / WORD_BITS,", "/", "*"),
        "Another word for every nonce: its bit is as much its own; only gas tells.",
    ),
    (
        Seed("contracts/core/Workers.sol", "if (until < standingUntil)", "<", "<="),
        "Assigns a value to what equals it.",
    ),
    (
        Seed(
            "contracts/dispute/DisputeBook.sol",
            "i < count; ++i) {",
            "<",
            "<=",
            "function contains(",
        ),
        "The place behind the last is account 0, which nobody is.",
    ),
    (
        Seed(
            "contracts/dispute/Challenges.sol",
            "expectUndisputed(jobId);",
            "expectUndisputed(jobId);",
            "",
            "function open(",
        ),
        "Its callers have looked, and no job is committed or disputed after a verdict.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumBook.sol",
            "state == ReplicaState.VOIDED ? Exit.VOIDED : Exit.REFUSED",
            "==",
            "!=",
        ),
        "Both exits pay the same: the fee to the client, the lock to the operator.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumBook.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function countReplicas(",
        ),
        "The place behind the last has state 0, which nobody counts.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumDraws.sol",
            "if (commitment == 0) revert",
            "if (commitment == 0) revert BadCommitment(quorumId, commitment);",
            "",
        ),
        "The caller's own place still holds 0, so the loop behind refuses it with the same error.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumDraws.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function checkCommitment(",
        ),
        "The place behind the last holds commitment 0, which was refused before.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumDraws.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function failQuorum(",
        ),
        "The place behind the last has state 0, which is passed over.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumDraws.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function settleMissed(",
        ),
        "The place behind the last has state 0, which is passed over.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumRounds.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function countAgain(",
        ),
        "The place behind the last has state 0, which is passed over.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumRounds.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function closeRound(",
        ),
        "The place behind the last has state 0, which is passed over.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumRounds.sol",
            "i < size; ++i) {",
            "<",
            "<=",
            "function endHearing(",
        ),
        "The place behind the last has state 0, which is passed over.",
    ),
    (
        Seed(
            "contracts/quorum/QuorumRounds.sol", "i < size; ++i) {", "<", "<=", "function finish("
        ),
        "The place behind the last has state 0, which is passed over.",
    ),
    (
        Seed("contracts/quorum/QuorumRounds.sol", "if (votes > most)", ">", ">="),
        "Of results with as many votes either is first: the counts are the same, it is a split.",
    ),
    (
        Seed("contracts/quorum/QuorumRounds.sol", "else if (votes > second)", ">", ">="),
        "Assigns a value to what equals it.",
    ),
    (
        Seed("contracts/quorum/QuorumRounds.sol", "if (job < JobState.FINAL)", "<", "<="),
        "A job that is FINAL is paid, and not asked for.",
    ),
    (
        Seed(
            "contracts/trace/PinpointGame.sol",
            "if (move.head.phase != Phase.TRACE) revert",
            "if (move.head.phase != Phase.TRACE) revert WrongPhase(move.id, move.head.phase);",
            "",
        ),
        "Only in that phase is a position all zero: every other holds how many layers there are.",
    ),
    (
        Seed("contracts/trace/PinpointGame.sol", "tree == Tree.TILES && height == 0", "&&", "||"),
        "Nodes above the tiles have numbers below theirs; only among tiles is height 0 reached.",
    ),
    (
        Seed(
            "contracts/trace/TraceBook.sol",
            "for (uint256 i = 0; i < count; ++i) {",
            "<",
            "<=",
            "function addOnce(",
        ),
        "The place behind the last is account 0, which nobody is.",
    ),
    (
        Seed(
            "contracts/trace/TraceOpenings.sol",
            "if (desc.length < HEAD_BYTES) revert",
            "if (desc.length < HEAD_BYTES) revert MalformedDescriptor();",
            "",
        ),
        "The next check asks for these bytes and those of the inputs.",
    ),
    (
        Seed(
            "contracts/trace/TraceSearches.sol",
            "if (!isAsserter && head.phase != Phase.SELECT) revert",
            "if (!isAsserter && head.phase != Phase.SELECT) revert WrongPhase(id, head.phase);"
            "\n    }",
            "",
        ),
        "What is over is not found, but for a default, and its job is no longer disputed.",
    ),
)


def list_equivalents() -> list[Mutant]:
    """Return the mutants that no test can notice; raise LookupError where the code has none."""
    return [find_seed(seed) for seed, _ in EQUIVALENTS]
