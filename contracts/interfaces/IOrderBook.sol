// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {Order} from "../types/Order.sol";

/// @title Jobs ordered by signature, at a price that rises
/// @notice A client signs an order off chain and pays no gas; a worker that likes its price turns it into a job and
/// takes the job, in one transaction. The fee comes out of the client's credit in the vault.
///
///   signed -> taken (a job of the market) | cancelled | expired (after `takeUntil`)
///
/// The job's salt is the order's hash: nobody can make that job before the order is taken, and an order that was taken
/// names its job for ever. What happens to the job afterwards, refunds included, is the market's; an order counts once
/// whatever becomes of its job.
///
/// Who signs: a plain account by its key; a contract by its code (EIP-1271, 100,000 gas for the answer); an account
/// that delegated its code (EIP-7702) by either. ECDSA signatures are 65 bytes, or 64 as of EIP-2098, with s in the
/// lower half.
///
/// Assumptions on what surrounds it:
/// - market and vault are those of one deployment, and the market takes orders from this contract alone;
/// - whoever has the order and its signature may show them to anybody: an order is no secret.
///
/// WARNING: a client that signs more than its credit pays for, withdraws it, or cancels, costs the worker who comes too
/// late the gas of a transaction that reverts. Workers look before they take.
interface IOrderBook {
    /* ERRORS */

    /// @notice Thrown by the constructor when the market takes orders from another contract.
    error ForeignModule(address module);
    /// @notice Thrown when the order's price would fall, or its rise end before it begins.
    error InvalidRamp(uint96 minFee, uint96 maxFee, uint40 rampStart, uint40 rampEnd);
    /// @notice Thrown when the order is taken after its last second.
    error OrderExpired(bytes32 orderHash, uint256 takeUntil, uint256 time);
    /// @notice Thrown when the order was taken before.
    error OrderTakenBefore(bytes32 orderHash, JobId jobId);
    /// @notice Thrown when the client has withdrawn the order.
    error OrderWithdrawn(bytes32 orderHash);
    /// @notice Thrown when the client has not signed the order.
    error InvalidSignature(bytes32 orderHash, address client);
    /// @notice Thrown when somebody else than the client cancels an order.
    error NotOrderClient(bytes32 orderHash, address caller, address client);

    /* EVENTS */

    /// @notice The order is a job, which `operator` has taken for `fee`.
    event OrderTaken(
        bytes32 indexed orderHash, JobId indexed jobId, address indexed client, address operator, uint256 fee
    );
    /// @notice The order can never be taken.
    event OrderCancelled(bytes32 indexed orderHash, address indexed client);

    /* WORKERS */

    /// @notice Turns an order into a job and takes it, at the present price: the caller is a worker, whose owner's stake
    /// is locked as in `acceptJob`.
    /// @param signature The client's on `hashOrder(order)`.
    /// @param inputUri Where the input can be fetched; only emitted.
    function takeOrder(Order calldata order, bytes calldata signature, string calldata inputUri)
        external
        returns (JobId jobId);

    /* CLIENTS */

    /// @notice Withdraws an order of the caller's that nobody has taken; also in a pause, and before it was ever shown.
    function cancelOrder(Order calldata order) external;

    /* VIEWS */

    /// @notice The market of this deployment.
    function MARKET() external view returns (address);
    /// @notice What the client signs (EIP-712); names the order.
    function hashOrder(Order calldata order) external view returns (bytes32);
    /// @notice Price of the order now, whether it can still be taken or not:
    ///
    ///   minFee + floor((maxFee - minFee) * (clock - rampStart) / (rampEnd - rampStart)), within [minFee, maxFee]
    ///
    /// In English: `minFee` until `rampStart`, `maxFee` from `rampEnd` on, a straight line in between. Reverts with
    /// InvalidRamp where there is no such line.
    function priceOf(Order calldata order) external view returns (uint96);
    /// @notice The job of an order that was taken; 0 before.
    function jobOf(bytes32 orderHash) external view returns (JobId);
    /// @notice Whether its client has withdrawn the order.
    function isCancelled(bytes32 orderHash) external view returns (bool);
}
