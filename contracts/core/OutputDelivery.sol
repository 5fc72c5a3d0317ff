// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Pricing} from "../libraries/Pricing.sol";
import {TensorDigest} from "../libraries/TensorDigest.sol";
import {JobId} from "../types/Ids.sol";
import {Delivery, FLAG_DELIVERED, FLAG_DELIVERY_REQUESTED, JobState, StoredJob} from "../types/Job.sol";
import {JobBook} from "./JobBook.sol";

/// @title Outputs on chain, for clients that cannot get the bytes of a committed result
abstract contract OutputDelivery is JobBook {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @inheritdoc IJobMarket
    uint256 public constant MAX_DELIVERY_BYTES = 8192; // 8 KiB: some half a million gas

    /* CLIENT */

    /// @inheritdoc IJobMarket
    function requestDelivery(JobId jobId) external payable {
        uint40 time = tick();
        StoredJob storage job = expectResult(jobId);
        requireClient(jobId, job);
        requireInTime(jobId, job.deadline, time);
        if (has(job.flags, FLAG_DELIVERY_REQUESTED)) revert DeliveryAlreadyRequested(jobId);
        address token = getToken(job);
        uint256 payment = computePayment(job, token);

        Delivery memory delivery =
            Delivery({deliverBy: computeDeadline(time, DELIVER_SECONDS), payment: payment.toUint80()});
        job.flags |= FLAG_DELIVERY_REQUESTED;
        deliveries[jobId] = delivery;
        emit DeliveryRequested(jobId, job.operator, payment, delivery.deliverBy);
        IStakeVault(VAULT).addEscrow{value: msg.value}(token, jobId, msg.sender, delivery.payment, false);
    }

    /// @dev In ETH all that was sent: the price moves with the base fee, so no client could send it to the wei.
    function computePayment(StoredJob storage job, address token) private view returns (uint256 payment) {
        uint256 outputBytes = IModelRegistry(REGISTRY).getOutputBytes(job.versionNumber);
        if (outputBytes > MAX_DELIVERY_BYTES) revert OutputTooLarge(outputBytes, MAX_DELIVERY_BYTES);
        payment = Pricing.computeDeliveryPayment(outputBytes, getGasPrice(token));
        if (token == ETH) {
            if (msg.value < payment) revert WrongFee(msg.value, payment);
            return msg.value;
        }
        if (msg.value != 0) revert WrongFee(msg.value, 0);
    }

    /* WORKER */

    /// @inheritdoc IJobMarket
    function deliverOutput(JobId jobId, uint8 bytesPerElement, uint32[] calldata dims, bytes calldata output) external {
        uint40 time = tick();
        StoredJob storage job = expectResult(jobId);
        if (!isDeliveryDue(job)) revert NoDeliveryDue(jobId);
        requireInTime(jobId, deliveries[jobId].deliverBy, time);
        if (output.length > MAX_DELIVERY_BYTES) revert OutputTooLarge(output.length, MAX_DELIVERY_BYTES);
        // INVARIANT: what is delivered has the size of the version's outputs, whatever was committed.
        uint256 declared = IModelRegistry(REGISTRY).getOutputBytes(job.versionNumber);
        if (output.length != declared) revert WrongOutputLength(jobId, output.length, declared);
        // The tiles are padded with zeros: only the length tells a shorter output from one that ends in zeros.
        uint256 size = computeSize(bytesPerElement, dims);
        if (output.length != size) revert WrongOutputLength(jobId, output.length, size);
        bytes32 got = TensorDigest.compute(output, bytesPerElement, dims);
        if (got != job.outDigest) revert WrongOutput(jobId, got, job.outDigest);

        job.flags |= FLAG_DELIVERED;
        emit OutputDelivered(jobId, output);
    }

    /// @dev Bytes of a tensor. A product beyond 256 bits reverts; no such tensor has a digest.
    function computeSize(uint8 bytesPerElement, uint32[] calldata dims) private pure returns (uint256 size) {
        size = bytesPerElement;
        for (uint256 i = 0; i < dims.length; ++i) {
            size *= dims[i];
        }
    }
}
