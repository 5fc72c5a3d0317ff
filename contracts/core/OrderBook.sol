// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {JobIds} from "../libraries/JobIds.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";
import {ORDER_TYPE, Order} from "../types/Order.sol";

/// @title Jobs ordered by signature, at a price that rises
contract OrderBook is IOrderBook {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev Stands for "cancelled" where a job's id would stand: no hash is 1.
    bytes32 private constant CANCELLED = bytes32(uint256(1));

    /* IMMUTABLES */

    /// @inheritdoc IOrderBook
    address public immutable MARKET;

    /* STORAGE */

    /// @dev By order hash: 0, the id of its job, or CANCELLED. One word, so that a look costs one read.
    mapping(bytes32 orderHash => bytes32) private fates;

    /* CONSTRUCTOR */

    constructor(address market) {
        // A market that takes orders from another contract would refuse every one of this.
        if (IJobMarket(market).ORDERS() != address(this)) revert ForeignModule(market);
        MARKET = market;
    }

    /* WORKERS */

    /// @inheritdoc IOrderBook
    function takeOrder(Order calldata order, bytes calldata signature, string calldata inputUri)
        external
        returns (JobId jobId)
    {
        bytes32 orderHash = hashOrder(order);
        requireUntaken(orderHash);
        uint256 time = IProtocolClock(MARKET).clock();
        if (time > order.takeUntil) revert OrderExpired(orderHash, order.takeUntil, time);
        JobTerms memory terms = readTerms(order, orderHash, computePrice(order, time));
        // SAFETY: whatever code the client has is asked in a static call: it can change nothing and re-enter nothing.
        if (!Signatures.isValid(order.client, orderHash, signature)) revert InvalidSignature(orderHash, order.client);

        // INVARIANT: one order, one job. The price is part of the job's id, so the market alone would see another job at
        // every other price.
        jobId = JobIds.compute(MARKET, terms);
        fates[orderHash] = JobId.unwrap(jobId);
        // SAFETY: market and vault are this deployment's and call nobody here: a credit becomes an escrow.
        (, address operator) = IJobMarket(MARKET).openOrder(terms, msg.sender, inputUri);
        emit OrderTaken(orderHash, jobId, order.client, operator, terms.fee);
    }

    /* CLIENTS */

    /// @inheritdoc IOrderBook
    function cancelOrder(Order calldata order) external {
        bytes32 orderHash = hashOrder(order);
        if (msg.sender != order.client) revert NotOrderClient(orderHash, msg.sender, order.client);
        requireUntaken(orderHash);

        fates[orderHash] = CANCELLED;
        emit OrderCancelled(orderHash, order.client);
    }

    /* STEPS */

    function requireUntaken(bytes32 orderHash) private view {
        bytes32 fate = fates[orderHash];
        if (fate == CANCELLED) revert OrderWithdrawn(orderHash);
        if (fate != 0) revert OrderTakenBefore(orderHash, JobId.wrap(fate));
    }

    function readTerms(Order calldata order, bytes32 orderHash, uint96 fee) private pure returns (JobTerms memory) {
        return JobTerms({
            client: order.client,
            version: order.version,
            inDigest: order.inDigest,
            token: order.token,
            fee: fee,
            verifyMask: order.verifyMask,
            privacyMask: 0,
            salt: uint256(orderHash)
        });
    }

    function computePrice(Order calldata order, uint256 time) private pure returns (uint96) {
        (uint256 minFee, uint256 maxFee) = (order.minFee, order.maxFee);
        (uint256 start, uint256 end) = (order.rampStart, order.rampEnd);
        if (minFee > maxFee || start > end) {
            revert InvalidRamp(order.minFee, order.maxFee, order.rampStart, order.rampEnd);
        }
        // In this order a ramp of no length is a step, and nothing is divided by zero.
        if (time >= end) return order.maxFee;
        if (time <= start) return order.minFee;
        // No overflow: 96 and 40 bits.
        return (minFee + (maxFee - minFee) * (time - start) / (end - start)).toUint96();
    }

    /* VIEWS */

    /// @inheritdoc IOrderBook
    function hashOrder(Order calldata order) public view returns (bytes32) {
        return TypedData.hash(address(this), keccak256(abi.encode(ORDER_TYPE, order)));
    }

    /// @inheritdoc IOrderBook
    function priceOf(Order calldata order) external view returns (uint96) {
        return computePrice(order, IProtocolClock(MARKET).clock());
    }

    /// @inheritdoc IOrderBook
    function jobOf(bytes32 orderHash) external view returns (JobId) {
        bytes32 fate = fates[orderHash];
        return JobId.wrap(fate == CANCELLED ? bytes32(0) : fate);
    }

    /// @inheritdoc IOrderBook
    function isCancelled(bytes32 orderHash) external view returns (bool) {
        return fates[orderHash] == CANCELLED;
    }
}
