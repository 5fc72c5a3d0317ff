// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdjudicator} from "../interfaces/IAdjudicator.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Claim, Verdict} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {Statement} from "../types/Statement.sol";
import {Cursor, CursorLib} from "./Cursor.sol";
import {PartKey, PartKeyReader, PublicSpec} from "./PartKey.sol";
import {Tensor, TileReader} from "./TileReader.sol";

/// @title Adjudicator by a proof about one operator, or about one row of it
/// @notice Evidence, packed and big-endian:
///     u8 0 | address vkData | bytes32 outDigest | u32 n | u32 m | input (n bytes) | output (m bytes) | proof
///     u8 1 | address vkData | u64 elem | openings of the inputs and of the output (TileReader)
///          | bytes32 inDigest | bytes32 outDigest | u32 m | output (m bytes, none if it is the committed one) | proof
/// 0 is about the whole operator and the key `opKey` of its descriptor, 1 about the row that holds `elem` and `rowKey`.
/// A row is what one index of the output's first axis leaves of it: if the key's output has n elements, the elements
/// [r n, (r + 1) n). An input belongs to the row with its own such elements if the key's input is smaller than the
/// tensor, and with all of them if it is not.
///
/// The statement is built here: from the claim, the caller and the key. Its market is the caller, so that a proof made
/// for one contract serves no other; digests that the evidence names are those of the bytes beside them, as the verifier
/// checks, and the bytes are those of the claim, by its digests or by openings.
///
/// Why a proof of another output convicts: a key's program has for every input in the graph's range exactly one output
/// (LOWERING.md: every intermediate value is a function of those before it, and each is constrained to its value, range
/// checks included), so if the proven output is not the committed one, the committed one is wrong. An input outside
/// the range has no proof at all, of neither verdict (InputOutOfRange), so nothing is decided here. That costs an honest
/// operator nothing: its tensors are outputs of operators whose range the graph declares, its first input is one it has
/// checked before it took the job, so all of its inputs are in range and its proof exists. An operator whose tensor left
/// the range is convicted for the operator that made that tensor, whose only output is in range. Two byte strings of one
/// tensor do not exist: elements have a fixed width, and a digest fixes width and dimensions. A last tile that is not
/// padded with zeros gives a digest that no output has: the whole operator's proof convicts it.
contract ProofAdjudicator is IAdjudicator {
    using CursorLib for Cursor;
    using TileReader for Tensor;

    /* ERRORS */

    /// @notice Thrown when the evidence is of no known kind.
    error UnknownKind(uint256 kind);
    /// @notice Thrown when the descriptor is of another format or shorter than its inputs need.
    error WrongDescriptor();
    /// @notice Thrown when the evidence is about another element than the claim, or about none of the output.
    error WrongElement(uint256 elem);
    /// @notice Thrown when claim, descriptor and key do not have the same number of inputs.
    error WrongInputs(uint256 given, uint256 expected);
    /// @notice Thrown when a tensor of the key is neither one of the descriptor nor a row of it.
    error WrongShape(uint256 tensor);
    /// @notice Thrown when a row is right but the claim is about the whole operator.
    error RowOnly(uint256 elem);
    /// @notice Thrown when the claim has no seed: nobody was challenged, so nothing is to be proven.
    error NoSeed();
    /// @notice Thrown when the verifier read another key.
    error KeyChanged(bytes32 got, bytes32 expected);

    /* CONSTANTS */

    uint256 private constant OPERATOR = 0;
    uint256 private constant ROW = 1;
    uint256 private constant WHOLE = type(uint64).max;
    uint256 private constant DESC_FORMAT = 1;
    uint256 private constant OP_KEY_AT = 12; // of a descriptor (OpDesc)
    uint256 private constant ROW_KEY_AT = 44;
    uint256 private constant OUTPUT_AT = 76; // u8 width | u32 rows | u32 cols
    uint256 private constant INPUTS_AT = 85; // each u16 ref | u8 width | u32 rows | u32 cols
    uint256 private constant INPUT_SIZE = 11;
    uint256 private constant REF_SIZE = 2;
    uint256 private constant FIRST_OPCODE = 0x01;
    uint256 private constant LAST_OPCODE = 0x0e;

    uint256 private constant STATEMENT_FORMAT = 2;
    uint256 private constant WHOLE_JOB = 0;
    uint256 private constant MODE_PUBLIC = 1;

    /* IMMUTABLES */

    /// @notice Registry of versions.
    address public immutable REGISTRY;

    /* TYPES */

    /// @dev What the verifier is given beside the statement.
    struct Submission {
        address vkData;
        PartKey key;
        bytes32 inDigest;
        bytes32 outDigest;
        bytes input;
        bytes output;
    }

    /* CONSTRUCTOR */

    constructor(address registry) {
        REGISTRY = registry;
    }

    /* ADJUDICATION */

    /// @inheritdoc IAdjudicator
    function adjudicate(Claim calldata claim, bytes calldata evidence) external view returns (Verdict verdict) {
        bytes calldata desc = claim.desc;
        uint256 inputs = claim.inDigests.length;
        // INVARIANT: the descriptor is as long as what is read of it; how it goes on is the key's affair.
        if (desc.length < INPUTS_AT + INPUT_SIZE * inputs || uint8(desc[0]) != DESC_FORMAT) revert WrongDescriptor();
        if (inputs == 0 || inputs != uint8(desc[2])) revert WrongInputs(inputs, uint8(desc[2]));
        // INVARIANT: a proof was made after the result that it is about was committed (protocol.md A.11).
        if (claim.seed == 0) revert NoSeed();
        Cursor memory c = CursorLib.over(evidence, true);
        uint256 kind = c.take(1);
        Submission memory s;
        s.vkData = address(uint160(c.take(20)));
        if (kind == OPERATOR) verdict = takeOperator(claim, s, c);
        else if (kind == ROW) verdict = takeRow(claim, s, c);
        else revert UnknownKind(kind);
        // The verifier consumes every byte of the proof.
        verify(claim, s, evidence[c.at - c.start:]);
    }

    /// @inheritdoc IAdjudicator
    function covers(uint8 opcode) external pure returns (bool) {
        return opcode >= FIRST_OPCODE && opcode <= LAST_OPCODE;
    }

    /* THE WHOLE OPERATOR */

    function takeOperator(Claim calldata claim, Submission memory s, Cursor memory c) private view returns (Verdict) {
        s.key = PartKeyReader.read(s.vkData, readWord(claim.desc, OP_KEY_AT), claim.op);
        bytes32[] calldata digests = claim.inDigests;
        s.inDigest = digests.length == 1 ? digests[0] : keccak256(abi.encodePacked(digests));
        s.outDigest = bytes32(c.take(32));
        (uint256 inputBytes, uint256 outputBytes) = (c.take(4), c.take(4));
        s.input = copy(c.skip(inputBytes), inputBytes);
        s.output = copy(c.skip(outputBytes), outputBytes);
        return s.outDigest == claim.outDigest ? Verdict.CONSISTENT : Verdict.INCONSISTENT;
    }

    /* ONE ROW */

    function takeRow(Claim calldata claim, Submission memory s, Cursor memory c) private view returns (Verdict) {
        s.key = PartKeyReader.read(s.vkData, readWord(claim.desc, ROW_KEY_AT), claim.op);
        uint256 inputs = claim.inDigests.length;
        PublicSpec[] memory publics = s.key.publics;
        if (publics.length != inputs + 1) revert WrongInputs(publics.length - 1, inputs);
        Tensor memory out = readTensor(claim.desc, OUTPUT_AT, inputs, publics[inputs]);
        uint256 elem = c.take(8);
        // INVARIANT: the row is that of the claim's element.
        if ((elem != claim.elem && claim.elem != WHOLE) || elem >= out.count) revert WrongElement(elem);
        uint256 size = publics[inputs].count;
        if (size == 0 || out.count % size != 0) revert WrongShape(inputs);
        uint256 rows = out.count / size;
        uint256 row = elem / size;
        for (uint256 i = 0; i < inputs; ++i) {
            Tensor memory tensor = readTensor(claim.desc, INPUTS_AT + INPUT_SIZE * i + REF_SIZE, i, publics[i]);
            tensor.openMatrix(c, claim.inDigests[i]);
            append(s, selectInput(tensor, publics[i].count, row, rows));
        }
        out.openMatrix(c, claim.outDigest);
        bytes memory committed = copy(out.locate(row * size, size), size * out.width);
        (s.inDigest, s.outDigest) = (bytes32(c.take(32)), bytes32(c.take(32)));
        uint256 outputBytes = c.take(4);
        s.output = outputBytes == 0 ? committed : copy(c.skip(outputBytes), outputBytes);
        if (outputBytes != 0 && keccak256(s.output) != keccak256(committed)) return Verdict.INCONSISTENT;
        // INVARIANT: one row never speaks for others.
        if (claim.elem == WHOLE && rows != 1) revert RowOnly(elem);
        return Verdict.CONSISTENT;
    }

    /// @dev The bytes of an input that a row reads: the row's own, or all of them.
    function selectInput(Tensor memory tensor, uint256 size, uint256 row, uint256 rows)
        private
        pure
        returns (bytes memory)
    {
        // INVARIANT: the elements are the ones that the key's graph means.
        if (size == tensor.count) row = 0;
        else if (size == 0 || size * rows != tensor.count) revert WrongShape(tensor.id);
        return copy(tensor.locate(row * size, size), size * tensor.width);
    }

    function append(Submission memory s, bytes memory part) private pure {
        s.input = s.input.length == 0 ? part : bytes.concat(s.input, part);
    }

    /* THE DESCRIPTOR */

    /// @dev A matrix of the descriptor, whose elements must be as wide as the key's.
    function readTensor(bytes calldata desc, uint256 offset, uint256 id, PublicSpec memory spec)
        private
        pure
        returns (Tensor memory tensor)
    {
        uint256 word = uint256(readWord(desc, offset));
        (tensor.id, tensor.width) = (id, word >> 248);
        (tensor.rows, tensor.cols) = (uint32(word >> 216), uint32(word >> 184));
        tensor.count = tensor.rows * tensor.cols;
        if (tensor.width != spec.width) revert WrongShape(id);
    }

    /// @dev The word that begins at `offset`; what lies behind the end is not looked at.
    function readWord(bytes calldata desc, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(desc.offset, offset))
        }
    }

    /* VERIFICATION */

    function verify(Claim calldata claim, Submission memory s, bytes calldata proof) private view {
        IProofVerifier verifier = IProofVerifier(IModelRegistry(REGISTRY).getVerifier(claim.version));
        Statement memory statement = Statement({
            format: STATEMENT_FORMAT,
            chainId: block.chainid,
            verifier: address(verifier),
            market: msg.sender,
            jobId: uint256(JobId.unwrap(claim.jobId)),
            shard: WHOLE_JOB,
            challengeSeed: claim.seed,
            prover: claim.prover,
            modelVersion: claim.version,
            programHash: s.key.programHash,
            srsId: s.key.srsId,
            mode: MODE_PUBLIC,
            // The part's first operator, 0, in the upper half; how many in the lower half.
            opRange: s.key.opCount,
            inDigest: s.inDigest,
            outDigest: s.outDigest
        });
        bytes32 vkHash = verifier.verify(statement, s.vkData, s.input, s.output, proof);
        if (vkHash != s.key.vkHash) revert KeyChanged(vkHash, s.key.vkHash);
    }

    /// @dev Calldata to memory.
    function copy(uint256 at, uint256 size) private pure returns (bytes memory content) {
        bytes calldata source;
        assembly ("memory-safe") {
            source.offset := at
            source.length := size
        }
        return source;
    }
}
