// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The contracts of one deployment that the vault names: those that may move money inside it, and whom they
/// listen to.
struct Modules {
    /// The life of jobs.
    address market;
    /// The game of prove-it, through which alone disputes move a job.
    address game;
    /// The market of sessions.
    address sessions;
    /// The game of pinpointing; its bonds lie under the ids of its disputes.
    address pinpoint;
    /// The market of replicated jobs.
    address quorum;
    /// Draws results that have to be proven; moves no money.
    address audits;
}
