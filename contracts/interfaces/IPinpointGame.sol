// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointDisputes} from "./IPinpointDisputes.sol";
import {ITraceSearches} from "./ITraceSearches.sol";

/// @title The game of pinpointing
/// @notice A result is the end of a trace: the digests of the outputs of all operators, layer by layer. Whoever can
/// compute the model again names the first operator whose output is wrong, and only that operator is judged, if need
/// be in one element of its output. Where the trace or what lies under its root is withheld, it is searched: the
/// asserter (the operator whose result it is) reveals five levels of a tree a move, the challenger says where to go on.
///
///   openDispute -> TRACE -> (search) -> REVEAL <-> SELECT -> LEAF     pinpoint -> LEAF
///   LEAF: consistent -> DEFENDER_PROVEN; inconsistent -> FRAUD_PROVEN; nothing -> DEFAULT
///   TRACE, REVEAL, SELECT: who lets its clock run out loses: DEFAULT, CHALLENGER_TIMEOUT
///
/// A dispute is named by its job and a key: an operator's element has op << 64 | elem, a search 1 << 255 | challenger.
/// An element is disputed once; that one of them was consistent never keeps another of the same operator from being
/// disputed. Two openings of one element within a few blocks are one dispute with a shared reward.
///
/// Clocks: each side has CLOCK_SECONDS, which run on its own turn alone; a turn begins with EXTENSION_SECONDS at least,
/// MAX_EXTENSIONS times a side. A deadline is the last second in which the awaited move counts; one second later
/// anybody may claim the timeout. Both never count together.
///
/// Money: this game holds none. All bonds lie in the vault as one sum, of which this game knows the parts. Of a lost one 80 % go to the operator,
/// or to whoever decided the dispute in its place, and 20 % are burned; a bond comes back when the job is rejected.
///
/// The game's code lies in two contracts, because one has no room for it: what it does not know itself it has done in
/// its own name by SEARCHES, a contract that it made and that never changes. Callers see one contract of this interface.
///
/// Assumptions on what surrounds it:
/// - the version's plan and the adjudicators that it names are right: everybody recomputes the plan before they rely on
///   the version;
/// - adjudicators revert unless their evidence decides the claim.
interface IPinpointGame is IPinpointDisputes, ITraceSearches {}
