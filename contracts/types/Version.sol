// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a registrant declares about a model version.
struct VersionParams {
    /// keccak256 of the integer graph's canonical bytes.
    bytes32 graphHash;
    /// Root over the digests of the weights.
    bytes32 weightRoot;
    /// keccak256 of the verification program.
    bytes32 programHash;
    /// keccak256 of the verification key.
    bytes32 vkHash;
    /// Data contract of the verification key: code 0x00 followed by the key.
    address vkData;
    /// Contract that judges proofs; one of the registry's.
    address verifier;
    /// Structured reference string that key and verifier share.
    bytes32 srsId;
    /// Seconds that an ordinary machine needs to prove one result.
    uint32 proveSeconds;
    /// Gas of one proof transaction.
    uint64 proofGas;
    /// How tensors become digests; 1 is the sha256 tile tree.
    uint8 digestKind;
    /// Bytes of one output tensor: says whether an output can be delivered on chain.
    uint32 outputBytes;
    /// Part of every fee that is the owner's, in hundredths of a percent; at most 2,000.
    uint16 royaltyBps;
    /// Where the model's files are; only emitted.
    string uri;
}

/// @notice A registered version in storage; never changes.
///
/// | word | bits                                                        |
/// |------|-------------------------------------------------------------|
/// | 0    | owner [0,160) proveSeconds [160,192) proofGas [192,256)     |
/// | 1    | verifier [0,160) opCount [160,224) digestKind [224,232)     |
/// | 2    | vkData [0,160) number [160,192) outputBytes [192,224) royaltyBps [224,240) |
/// | 3-7  | graphHash, weightRoot, programHash, vkHash, srsId           |
struct Version {
    address owner;
    uint32 proveSeconds;
    uint64 proofGas;
    address verifier;
    /// Number of operators of the graph.
    uint64 opCount;
    uint8 digestKind;
    address vkData;
    /// Position in the order of registration, from 1; names the version in four bytes.
    uint32 number;
    uint32 outputBytes;
    uint16 royaltyBps;
    bytes32 graphHash;
    bytes32 weightRoot;
    bytes32 programHash;
    bytes32 vkHash;
    bytes32 srsId;
}
