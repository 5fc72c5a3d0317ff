// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {TensorDigest} from "../libraries/TensorDigest.sol";
import {Statement} from "../types/Statement.sol";
import {ClaimList} from "./ClaimList.sol";
import {ClaimReduction} from "./ClaimReduction.sol";
import {Commitments} from "./Commitments.sol";
import {Contraction} from "./Contraction.sol";
import {HyperKzg, Opening} from "./HyperKzg.sol";
import {LogUp} from "./LogUp.sol";
import {ProgramLib, Program, PublicShape} from "./Program.sol";
import {ProgramCheck} from "./ProgramCheck.sol";
import {PublicTensor, PublicTensorLib} from "./PublicTensor.sol";
import {Requant} from "./Requant.sol";
import {Session, UNKNOWN} from "./Session.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title The universal verifier: interprets verification programs (FORMAT.md)
/// @notice One library a family of instructions; which model is proven is in the key's program alone.
contract VerifierCore is IProofVerifier {
    using ProgramLib for Program;
    using PublicTensorLib for PublicTensor;
    using TranscriptLib for Transcript;

    /* CONSTANTS */

    uint256 private constant FORMAT = 1;
    /// @dev Public input and output.
    uint256 private constant MODE_PUBLIC = 1;
    uint256 private constant WHOLE_JOB = 0;
    bytes32 private constant DOMAIN = keccak256("zkdps/1 bn254 keccak hyperkzg");

    /// @dev The instructions, in the only order a program of format 1 may hold them.
    uint256 private constant COMMIT = 0x01;
    uint256 private constant LOGUP = 0x02;
    uint256 private constant REQUANT = 0x03;
    uint256 private constant CONTRACT = 0x04;
    uint256 private constant REDUCE = 0x05;
    uint256 private constant OPEN = 0x06;

    /// @dev Claims a program can file for each operator: a bias and two operands.
    uint256 private constant CLAIMS_PER_OP = 3;

    /* IMMUTABLES */

    /// @inheritdoc IProofVerifier
    bytes32 public immutable SRS_ID;

    uint256 private immutable TAU_X1;
    uint256 private immutable TAU_X0;
    uint256 private immutable TAU_Y1;
    uint256 private immutable TAU_Y0;

    /* CONSTRUCTOR */

    /// @param tau [tau]_2 of the reference string in the order of EIP-197: x_c1, x_c0, y_c1, y_c0.
    constructor(uint256[4] memory tau) {
        if (!HyperKzg.isTau(tau)) revert InvalidSrs();
        SRS_ID = keccak256(abi.encodePacked("zkdps/srs/1", tau));
        (TAU_X1, TAU_X0, TAU_Y1, TAU_Y0) = (tau[0], tau[1], tau[2], tau[3]);
    }

    /* VERIFICATION */

    /// @inheritdoc IProofVerifier
    function verify(
        Statement calldata statement,
        address vkData,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external view {
        Session memory s;
        s.program = ProgramLib.load(vkData);
        checkStatement(statement, s.program);
        readPublic(s, statement, input, output);
        s.transcript = TranscriptLib.begin(proof, DOMAIN, keccak256(abi.encode(statement)), s.program.vkHash);
        prepare(s);
        interpret(s);
        s.transcript.finish();
    }

    /// @inheritdoc IProofVerifier
    function inspect(address vkData)
        external
        view
        returns (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount)
    {
        Program memory program = ProgramLib.load(vkData);
        ProgramCheck.run(program);
        return (program.vkHash, program.graphHash, program.programHash, program.srsId, program.opCount);
    }

    /* INTERNAL */

    /// @dev Requires that the statement is for this chain, contract, reference string and program.
    function checkStatement(Statement calldata statement, Program memory program) private view {
        if (statement.format != FORMAT) revert UnsupportedFormat(statement.format);
        if (statement.chainId != block.chainid) revert WrongChain(statement.chainId, block.chainid);
        if (statement.verifier != address(this)) revert WrongVerifier(statement.verifier, address(this));
        if (statement.mode != MODE_PUBLIC) revert UnsupportedMode(statement.mode);
        if (statement.shard != WHOLE_JOB) revert UnsupportedShard(statement.shard);
        if (statement.srsId != SRS_ID) revert WrongSrs(statement.srsId, SRS_ID);
        if (program.srsId != SRS_ID) revert WrongSrs(program.srsId, SRS_ID);
        if (statement.programHash != program.programHash) {
            revert WrongProgram(program.programHash, statement.programHash);
        }
        // First operator 0 in the upper half: the whole graph.
        if (statement.opRange != program.opCount) revert WrongOpRange(statement.opRange, program.opCount);
    }

    /// @dev Reads the two public shapes, checks length, range and digest of the bytes.
    function readPublic(Session memory s, Statement calldata statement, bytes calldata input, bytes calldata output)
        private
        view
    {
        PublicShape memory shape = s.program.takePublic();
        uint256 size = shape.rows * shape.cols * shape.bytesPerElement;
        if (input.length != size) revert WrongInputLength(input.length, size);
        s.input = PublicTensorLib.wrap(input, shape);
        s.input.checkVariables(s.program, ProgramLib.INPUT, ProgramLib.KIND_INPUT);
        (bool found, uint256 position, int256 value) = s.input.findOutside(shape.lo, shape.hi);
        // INVARIANT: the graph's bounds hold for inputs in their range only.
        if (found) revert InputOutOfRange(position, value, shape.lo, shape.hi);
        bytes32 digest = computeDigest(input, shape);
        if (digest != statement.inDigest) revert WrongInputDigest(digest, statement.inDigest);

        shape = s.program.takePublic();
        size = shape.rows * shape.cols * shape.bytesPerElement;
        if (output.length != size) revert WrongOutputLength(output.length, size);
        s.output = PublicTensorLib.wrap(output, shape);
        s.output.checkVariables(s.program, ProgramLib.OUTPUT, ProgramLib.KIND_OUTPUT);
        // The output's range needs no check here: a lookup proves it.
        digest = computeDigest(output, shape);
        if (digest != statement.outDigest) revert WrongOutputDigest(digest, statement.outDigest);
    }

    function computeDigest(bytes calldata tensor, PublicShape memory shape) private view returns (bytes32) {
        return TensorDigest.computeMatrix(tensor, uint8(shape.bytesPerElement), uint32(shape.rows), uint32(shape.cols));
    }

    /// @dev Makes room for what the program's tensors and operators can claim; no value is known yet.
    function prepare(Session memory s) private pure {
        uint256 tensorCount = s.program.tensorCount;
        ClaimList.reserve(s, tensorCount + CLAIMS_PER_OP * s.program.opCount);
        uint256[] memory values = new uint256[](tensorCount);
        for (uint256 i = 0; i < tensorCount; ++i) {
            values[i] = UNKNOWN;
        }
        s.values = values;
    }

    /// @dev Runs the instructions, each exactly once and in order.
    function interpret(Session memory s) private view {
        Program memory program = s.program;
        for (uint256 expected = COMMIT; expected <= OPEN; ++expected) {
            // INVARIANT: a program that ends before its opening proves nothing.
            if (program.cursor >= program.end) revert UnfinishedProgram(expected);
            uint256 opcode = program.take(1) >> 248;
            if (opcode < COMMIT || opcode > OPEN) {
                revert UnknownOpcode(opcode, program.cursor - program.start - 1);
            }
            // INVARIANT: challenges are drawn after what they are to bind.
            if (opcode != expected) revert OpcodeOutOfOrder(opcode, expected);
            if (opcode == COMMIT) Commitments.run(s);
            else if (opcode == LOGUP) LogUp.run(s);
            else if (opcode == REQUANT) Requant.run(s);
            else if (opcode == CONTRACT) Contraction.run(s);
            else if (opcode == REDUCE) ClaimReduction.run(s);
            else openClaims(s);
        }
        if (program.cursor != program.end) revert TrailingProgram(program.end - program.cursor);
    }

    /// @dev Instruction 0x06: opens what the claims were reduced to.
    function openClaims(Session memory s) private view {
        // INVARIANT: no claim is left behind; REDUCE, which precedes, empties the list.
        assert(s.claimsEnd == s.claims);
        Opening memory opening = Opening({
            terms: s.terms,
            count: s.program.fixedChunks + s.program.proofChunks,
            point: s.point,
            variables: s.program.chunkLog,
            value: s.value
        });
        HyperKzg.verify(s.transcript, opening, [TAU_X1, TAU_X0, TAU_Y1, TAU_Y0]);
    }
}
