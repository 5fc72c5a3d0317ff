// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";

/// @title Results into contracts
/// @notice The market keeps digests; a contract that acts on a result needs its bytes. A job's client names a consumer
/// and its gas; once the job is FINAL or PROVEN anybody brings the bytes, the relay compares them with the digest and
/// hands them over, with the assurance that the market gives.
///
/// The relay holds no money, has no owner, and no step of the market waits for it: whatever a consumer does, its job is
/// settled. A consumer that reverts, burns its gas, has no code or calls back costs whoever brings the result the gas of
/// that attempt, and nobody else anything.
///
/// Assumptions on what surrounds it:
/// - the market is this deployment's; its results and assurance are believed;
/// - somebody brings the bytes: nothing happens by itself.
interface IResultRelay {
    /* TYPES */

    /// @notice Who is to be told of a job's result: one word.
    struct Subscription {
        address consumer;
        /// Gas of its call, exactly.
        uint32 gasLimit;
        /// Whether the consumer has taken the result.
        bool isDelivered;
    }

    /* ERRORS */

    /// @notice Thrown by the constructor when there is no market at the address.
    error ForeignModule(address module);
    /// @notice Thrown when somebody else than the job's client names its consumer.
    error NotClient(JobId jobId, address caller, address client);
    /// @notice Thrown when the job has a consumer.
    error AlreadySubscribed(JobId jobId, address consumer);
    /// @notice Thrown when the consumer has no code.
    error NotAContract(address consumer);
    /// @notice Thrown when the consumer's gas is zero or more than MAX_CALLBACK_GAS.
    error GasLimitOutOfRange(uint256 gasLimit, uint256 maximum);
    /// @notice Thrown when the job has no consumer.
    error NotSubscribed(JobId jobId);
    /// @notice Thrown when the consumer has taken the result, or is being told of it.
    error AlreadyDelivered(JobId jobId);
    /// @notice Thrown when the job has no final result.
    error NoResult(JobId jobId);
    /// @notice Thrown when the bytes are not as many as the version's outputs have, or as width and dimensions say.
    error WrongOutputLength(JobId jobId, uint256 got, uint256 declared);
    /// @notice Thrown when the bytes are not the committed output.
    error WrongOutput(JobId jobId, bytes32 got, bytes32 committed);
    /// @notice Thrown when the transaction's gas does not leave the consumer what was promised to it (EIP-150).
    error InsufficientGas(uint256 available, uint256 required);

    /* EVENTS */

    /// @notice `consumer` is to be told of the job's result.
    event Subscribed(JobId indexed jobId, address indexed consumer, uint256 gasLimit);
    /// @notice The consumer was called with the result; if it did not take it, it may be called again.
    event ResultDelivered(JobId indexed jobId, address indexed consumer, bool success);

    /* THE CLIENT */

    /// @notice Names, once, the contract that is told of the job's result: IResultConsumer.
    /// @param gasLimit Gas of the call, at most MAX_CALLBACK_GAS.
    function subscribe(JobId jobId, address consumer, uint32 gasLimit) external;

    /* ANYBODY */

    /// @notice Tells the consumer the result of a FINAL or PROVEN job.
    /// @param bytesPerElement Width of an element.
    /// @param dims Dimensions of the tensor.
    /// @param output Its bytes.
    /// @return success Whether the consumer took it; a failed call may be repeated, a successful one not.
    function deliver(JobId jobId, uint8 bytesPerElement, uint32[] calldata dims, bytes calldata output)
        external
        returns (bool success);

    /* VIEWS */

    /// @notice The market of this deployment.
    function MARKET() external view returns (address);
    /// @notice Most gas that a consumer can have (1,000,000): a call fits into every block.
    function MAX_CALLBACK_GAS() external view returns (uint256);
    /// @notice Who is to be told of a job's result; all zero where nobody is.
    function getSubscription(JobId jobId) external view returns (Subscription memory);
}
