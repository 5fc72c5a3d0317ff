// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Statement} from "../types/Statement.sol";

/// @title A verifier of inference proofs
/// @notice Checks succinct proofs that a registered integer graph maps a public input to a public output.
/// Universal: which model is proven is data (a verification key in a data contract), never code.
///
/// Assumptions on what surrounds it:
/// - the caller takes `vkData` from a registry whose entry was checked through `inspect`;
/// - the caller builds the statement from its own state (job, prover, seed, version), never from calldata;
/// - nobody knows the discrete logarithm tau of the reference string named by `SRS_ID`.
interface IProofVerifier {
    /* STATEMENT ERRORS */

    /// @notice Thrown when the statement is of a format this verifier does not speak.
    error UnsupportedFormat(uint256 format);
    /// @notice Thrown when the statement asks for a mode other than public input and output.
    error UnsupportedMode(uint256 mode);
    /// @notice Thrown when the statement names a part of a job instead of the whole.
    error UnsupportedShard(uint256 shard);
    /// @notice Thrown when the statement is for another chain.
    error WrongChain(uint256 got, uint256 expected);
    /// @notice Thrown when the statement is for another verifier.
    error WrongVerifier(address got, address expected);
    /// @notice Thrown when the statement, the key and this verifier do not name one reference string.
    error WrongSrs(bytes32 got, bytes32 expected);
    /// @notice Thrown when the key holds another program than the statement's.
    error WrongProgram(bytes32 got, bytes32 expected);
    /// @notice Thrown when the statement does not cover the whole graph.
    error WrongOpRange(uint256 got, uint256 expected);

    /* PUBLIC TENSOR ERRORS */

    /// @notice Thrown when the inputs have another number of bytes than their shapes and types need.
    error WrongInputLength(uint256 got, uint256 expected);
    /// @notice Thrown when the output has another number of bytes than its shape and type need.
    error WrongOutputLength(uint256 got, uint256 expected);
    /// @notice Thrown when input element `index` lies outside the range the graph was compiled for.
    error InputOutOfRange(uint256 index, int256 value, int256 lo, int256 hi);
    /// @notice Thrown when output element `index` lies outside the range of its type.
    error OutputOutOfRange(uint256 index, int256 value, int256 lo, int256 hi);
    /// @notice Thrown when the input's bytes do not have the digest of the statement.
    error WrongInputDigest(bytes32 got, bytes32 expected);
    /// @notice Thrown when the output's bytes do not have the digest of the statement.
    error WrongOutputDigest(bytes32 got, bytes32 expected);

    /* KEY ERRORS */

    /// @notice Thrown when the account is no data contract: its code is empty or begins with neither 0x00 nor 0xfe.
    error NotAKey(address vkData);
    /// @notice Thrown when the key's length is not what its program asks for.
    error WrongKeyLength(uint256 got, uint256 expected);
    /// @notice Thrown when the program breaks a structural rule at or just before byte `offset`.
    error MalformedProgram(uint256 offset);
    /// @notice Thrown when the program names a tensor that it does not declare.
    error UnknownTensor(uint256 tensor, uint256 count);
    /// @notice Thrown when the program holds an instruction that does not exist.
    error UnknownOpcode(uint256 opcode, uint256 offset);
    /// @notice Thrown when an instruction stands where another one must.
    error OpcodeOutOfOrder(uint256 opcode, uint256 expected);
    /// @notice Thrown when the program ends before its opening instruction.
    error UnfinishedProgram(uint256 expected);
    /// @notice Thrown when bytes follow the opening instruction.
    error TrailingProgram(uint256 count);
    /// @notice Thrown when the key's commitment `index` is no point of the curve.
    error InvalidCommitment(uint256 index);

    /* PROOF ERRORS (of the opening, offsets count from its first byte) */

    /// @notice Thrown when the proof ends before byte `needed`.
    error TruncatedProof(uint256 needed, uint256 have);
    /// @notice Thrown when `count` bytes of the proof were not asked for.
    error TrailingBytes(uint256 count);
    /// @notice Thrown when the scalar at byte `offset` is not below the order of the group.
    error NonCanonicalScalar(uint256 offset);
    /// @notice Thrown when the point at byte `offset` has a coordinate outside the field or is off the curve.
    error InvalidPoint(uint256 offset);
    /// @notice Thrown unless the sum of all lookup fractions p/q is zero: p = 0 and q != 0.
    error LogUpRootInvalid(uint256 p, uint256 q);
    /// @notice Thrown when the last claim of a sum-check is not what the prover's values give. `opcode` says which
    /// instruction, `layer` which layer of the lookup argument (0 elsewhere).
    error SumCheckMismatch(uint256 opcode, uint256 layer);
    /// @notice Thrown when the columns' values do not give what the rounds of the lookup argument ended in.
    error LeafMismatch();
    /// @notice Thrown when relation `relation` of the program, which nothing else is to prove, does not hold.
    error RelationMismatch(uint256 relation);
    /// @notice Thrown when the opened polynomial's folds do not end in the claimed value.
    error OpeningMismatch(uint256 got, uint256 expected);
    /// @notice Thrown when a challenge is zero that must not be.
    error ZeroChallenge();
    /// @notice Thrown when the pairing equation does not hold.
    error PairingFailed();

    /* SYSTEM ERRORS */

    /// @notice Thrown when a precompiled contract fails (out of gas included) or returns a wrong number of bytes; for a
    /// sum of multiples it names ecMul, whichever of ecMul and ecAdd it was.
    error PrecompileFailed(uint256 precompile);
    /// @notice Thrown by the constructor when [tau]_2 is not a point of the right subgroup.
    error InvalidSrs();

    /* VIEWS */

    /// @notice Names the reference string: keccak256("zkdps/srs/1" || [tau]_2), 128 bytes in the order of EIP-197.
    function SRS_ID() external view returns (bytes32);

    /// @notice Returns if `proof` proves `statement`; reverts with one of the errors above if not.
    /// @param statement What is claimed; see Statement.
    /// @param vkData Data contract of the verification key: runtime code 0x00 followed by the key, or 0xfe followed by the
    /// addresses of data contracts that hold it in parts.
    /// @param input The input tensor's bytes: row-major, two's complement, big-endian.
    /// @param output The output tensor's bytes, likewise.
    /// @param proof The proof's bytes; every one is consumed.
    /// @return vkHash keccak256 of the key as it was read in this call.
    /// WARNING: a data contract can be destroyed and made again by whoever planned it so; compare vkHash with the one that
    /// was registered.
    function verify(
        Statement calldata statement,
        address vkData,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external view returns (bytes32 vkHash);

    /// @notice Reads a verification key whole and checks its structure; reverts if anything is malformed.
    /// @param vkData Data contract of the verification key.
    /// @return vkHash keccak256 of the key.
    /// @return graphHash The key's integer graph.
    /// @return programHash keccak256 of the key's verification program.
    /// @return srsId The key's reference string.
    /// @return opCount The graph's number of operators.
    function inspect(address vkData)
        external
        view
        returns (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount);
}
