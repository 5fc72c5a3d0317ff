// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IResultConsumer} from "../interfaces/IResultConsumer.sol";
import {IResultRelay} from "../interfaces/IResultRelay.sol";
import {TensorDigest} from "../libraries/TensorDigest.sol";
import {JobId} from "../types/Ids.sol";
import {Assurance, Job} from "../types/Job.sol";

/// @title Results into contracts
contract ResultRelay is IResultRelay {
    /* CONSTANTS */

    /// @inheritdoc IResultRelay
    uint256 public constant MAX_CALLBACK_GAS = 1_000_000;

    /// @dev Gas kept back: the call itself (2,600 where the consumer is cold) and, behind it, a word and an event.
    uint256 private constant RESERVE_GAS = 12_000;
    /// @dev EIP-150: of the gas that is left, one part in 64 stays with the caller.
    uint256 private constant KEPT_PART = 64;

    /* IMMUTABLES */

    /// @inheritdoc IResultRelay
    address public immutable MARKET;

    address private immutable REGISTRY;

    /* STORAGE */

    mapping(JobId => Subscription) private subscriptions;

    /* CONSTRUCTOR */

    constructor(address market) {
        if (market.code.length == 0) revert ForeignModule(market);
        MARKET = market;
        REGISTRY = IJobMarket(market).REGISTRY();
    }

    /* THE CLIENT */

    /// @inheritdoc IResultRelay
    function subscribe(JobId jobId, address consumer, uint32 gasLimit) external {
        address client = IJobMarket(MARKET).getJob(jobId).client;
        if (msg.sender != client) revert NotClient(jobId, msg.sender, client);
        address present = subscriptions[jobId].consumer;
        if (present != address(0)) revert AlreadySubscribed(jobId, present);
        if (consumer.code.length == 0) revert NotAContract(consumer);
        if (gasLimit == 0 || gasLimit > MAX_CALLBACK_GAS) revert GasLimitOutOfRange(gasLimit, MAX_CALLBACK_GAS);

        subscriptions[jobId] = Subscription(consumer, gasLimit, false);
        emit Subscribed(jobId, consumer, gasLimit);
    }

    /* ANYBODY */

    /// @inheritdoc IResultRelay
    function deliver(JobId jobId, uint8 bytesPerElement, uint32[] calldata dims, bytes calldata output)
        external
        returns (bool success)
    {
        Subscription memory subscription = subscriptions[jobId];
        if (subscription.consumer == address(0)) revert NotSubscribed(jobId);
        if (subscription.isDelivered) revert AlreadyDelivered(jobId);
        Assurance assurance = IJobMarket(MARKET).assurance(jobId);
        // INVARIANT: no consumer ever sees a result that can still be refuted.
        if (assurance == Assurance.NONE) revert NoResult(jobId);
        requireOutput(jobId, bytesPerElement, dims, output);
        bytes memory message = abi.encodeCall(IResultConsumer.onResult, (jobId, assurance, output));

        // INVARIANT: a result is taken once. While the consumer runs it counts as taken, so a consumer that calls back
        // is refused; a call that failed has undone whatever it did.
        subscriptions[jobId].isDelivered = true;
        success = callConsumer(subscription, message);
        if (!success) subscriptions[jobId].isDelivered = false;
        emit ResultDelivered(jobId, subscription.consumer, success);
    }

    /* STEPS */

    /// @dev The market checked neither size nor width of what was committed: an operator vouches for them by its stake.
    function requireOutput(JobId jobId, uint8 bytesPerElement, uint32[] calldata dims, bytes calldata output)
        private
        view
    {
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        uint256 declared = IModelRegistry(REGISTRY).getVersion(job.version).outputBytes;
        if (output.length != declared) revert WrongOutputLength(jobId, output.length, declared);
        // The tiles are padded with zeros: only the length tells a shorter output from one that ends in zeros.
        uint256 size = bytesPerElement;
        for (uint256 i = 0; i < dims.length; ++i) {
            size *= dims[i];
        }
        if (output.length != size) revert WrongOutputLength(jobId, output.length, size);
        bytes32 got = TensorDigest.compute(output, bytesPerElement, dims);
        if (got != job.outDigest) revert WrongOutput(jobId, got, job.outDigest);
    }

    /// @dev Calls the consumer with exactly its gas, and copies nothing of what it returns.
    function callConsumer(Subscription memory subscription, bytes memory message) private returns (bool success) {
        (address consumer, uint256 gasLimit) = (subscription.consumer, subscription.gasLimit);
        // A consumer that destroyed itself takes nothing; the EVM would call that a success.
        if (consumer.code.length == 0) return false;
        uint256 left = gasleft();
        // INVARIANT: nobody makes a consumer fail by bringing too little gas. The EVM hands on what it can, in silence.
        uint256 available = left < RESERVE_GAS ? 0 : left - RESERVE_GAS;
        available -= available / KEPT_PART;
        if (available < gasLimit) revert InsufficientGas(available, gasLimit);
        // Equivalent to (success,) = consumer.call{gas: gasLimit}(call), but whatever it returns is not copied.
        // SAFETY: the relay holds no money and its one word is written; market and vault guard themselves.
        assembly ("memory-safe") {
            success := call(gasLimit, consumer, 0, add(message, 0x20), mload(message), 0, 0)
        }
    }

    /* VIEWS */

    /// @inheritdoc IResultRelay
    function getSubscription(JobId jobId) external view returns (Subscription memory) {
        return subscriptions[jobId];
    }
}
