// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Candidate, Search} from "../types/Quorum.sol";

/// @title Who would serve replicas, and who is drawn
/// @notice Operators enlist for versions; a draw names those with the smallest lots (Lots), whose chance grows with
/// their stake up to a cap. It counts whoever was enlisted when the seed was asked for, with the stake of then that is
/// still there; every lot depends on its own operator alone. So whoever sees a seed before the draw can only take
/// itself out.
///
/// Assumptions on what surrounds it:
/// - vault and registry are those of one deployment;
/// - draws are made soon after their seed is known: where all places are taken, the one with the least stake can be
///   pushed out by twice as much in between.
///
/// WARNING: tags are a courtesy. Who hides that two owners are one is not found out here.
interface ICandidatePool {
    /* ERRORS: beside these, those of the market and the vault */

    /// @notice Thrown when the tag's owner does not want the operator under its tag.
    error NotAdmitted(address tag, address operator);
    /// @notice Thrown when the operator is not enlisted.
    error NotEnlisted(bytes32 version, address token, address operator);
    /// @notice Thrown when all places are taken by operators with at least half as much stake.
    error NoPlace(bytes32 version, address token, uint256 stake, uint256 required);

    /* EVENTS */

    /// @notice `tag` wants (or no longer wants) `owner` under it.
    event TagChanged(address indexed tag, address indexed owner, bool isAdmitted);
    /// @notice The operator serves replicas of the version for which a draw is asked from this block on.
    event CandidateEnlisted(
        bytes32 indexed version, address indexed operator, address token, address tag, uint256 stake, uint256 minFee
    );
    /// @notice The operator does not serve the version any more: it left, or made place for more stake.
    event CandidateLeft(bytes32 indexed version, address indexed operator, address token);

    /* OPERATORS */

    /// @notice Says whether `owner` may serve under the caller's tag. Those of one tag are never drawn together, so
    /// nobody may put a foreign owner under its own.
    function admit(address owner, bool isWanted) external;

    /// @notice Enlists the caller's owner for replicas of a version paid in a token, or renews its entry with its present
    /// stake. Where all places are taken the one with the least stake goes, if the caller's owner has twice as much.
    /// @param tag The owner itself, or an owner that admitted it.
    /// @param minFee Least fee for which it may be drawn: nobody locks its stake for nothing.
    function enlist(bytes32 version, address token, address tag, uint96 minFee) external;

    /// @notice Takes the caller's owner, or the caller, off the list. Replicas drawn stay drawn.
    function leave(bytes32 version, address token) external;

    /* VIEWS */

    /// @notice The operators that a draw names, best first: at most one of a tag, none out of work, in jail or without
    /// the lock in free stake, none for less than it asks.
    /// @return drawn `search.required` places, of which the first `found` are taken.
    function drawOperators(Search calldata search) external view returns (Candidate[] memory drawn, uint256 found);

    /// @notice Those enlisted.
    function getCandidates(bytes32 version, address token) external view returns (Candidate[] memory);
    /// @notice Whether an owner may serve under a tag; under its own it always may.
    function isAdmitted(address tag, address owner) external view returns (bool);
    /// @notice Places for candidates of one version and token.
    function MAX_CANDIDATES() external view returns (uint256);
    /// @notice An owner's weight in a draw is at most so many locks.
    function WEIGHT_CAP_LOCKS() external view returns (uint256);
    /// @notice The vault.
    function VAULT() external view returns (address);
    /// @notice The registry of models.
    function REGISTRY() external view returns (address);
}
