// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A job ordered by signature alone, at a price that rises until a worker takes it (EIP-712, domain "zkDPS"
/// version "1" of the order book).
struct Order {
    /// Who pays, out of its credit in the vault.
    address client;
    /// Registered model version; pins the verifier.
    bytes32 version;
    /// Digest of the input tensor.
    bytes32 inDigest;
    /// Token of fee and stake: 0 for ETH, or the vault's one ERC-20.
    address token;
    /// Price before `rampStart`, in the token's smallest unit.
    uint96 minFee;
    /// Price from `rampEnd` on.
    uint96 maxFee;
    /// Second, on the protocol's clock, from which the price rises.
    uint40 rampStart;
    /// Second in which the price has risen to `maxFee`.
    uint40 rampEnd;
    /// Last second in which a worker can take the order.
    uint40 takeUntil;
    /// PROOF_REQUIRED or 0.
    uint8 verifyMask;
    /// Chosen by the client; tells two orders of equal terms apart.
    uint64 salt;
}

/// @dev EIP-712 type of an order.
bytes32 constant ORDER_TYPE = keccak256(
    "Order(address client,bytes32 version,bytes32 inDigest,address token,uint96 minFee,uint96 maxFee,uint40 rampStart,"
    "uint40 rampEnd,uint40 takeUntil,uint8 verifyMask,uint64 salt)"
);
