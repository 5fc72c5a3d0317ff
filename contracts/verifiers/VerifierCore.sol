// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IInspector} from "../interfaces/IInspector.sol";
import {IOpeningVerifier} from "../interfaces/IOpeningVerifier.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Statement} from "../types/Statement.sol";
import {Boundary} from "./Boundary.sol";
import {Commitments} from "./Commitments.sol";
import {Contractions} from "./Contractions.sol";
import {Functions} from "./Functions.sol";
import {Links} from "./Links.sol";
import {Lookup} from "./Lookup.sol";
import {Products} from "./Products.sol";
import {ProgramLib, Program} from "./Program.sol";
import {Reduction} from "./Reduction.sol";
import {Relations} from "./Relations.sol";
import {Session, SessionLib, SOURCE_ZETA} from "./Session.sol";
import {Slots} from "./Slots.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title The universal verifier: interprets verification programs (FORMAT.md)
/// @notice One library a phase; which model is proven is in the key's program alone. Openings, and the inspection of keys
/// and public tensors, are contracts of their own.
contract VerifierCore is IProofVerifier {
    using ProgramLib for Program;
    using TranscriptLib for Transcript;
    using SessionLib for Session;

    /* CONSTANTS */

    uint256 private constant FORMAT = 2;
    /// @dev Public input and output.
    uint256 private constant MODE_PUBLIC = 1;
    uint256 private constant WHOLE_JOB = 0;
    bytes32 private constant DOMAIN = keccak256("zkdps/2 bn254 keccak");

    /// @dev The phases, in the only order a program may hold them.
    uint256 private constant COMMIT = 0x01;
    uint256 private constant LOGUP = 0x02;
    uint256 private constant RELATE = 0x03;
    uint256 private constant PRODUCT = 0x04;
    uint256 private constant CONTRACT = 0x05;
    uint256 private constant LINK = 0x06;
    uint256 private constant REDUCE = 0x07;
    uint256 private constant OPEN = 0x08;

    uint256 private constant TAG_LEAVES = 5;
    uint256 private constant TAG_DIRECT = 8;

    /* IMMUTABLES */

    /// @inheritdoc IProofVerifier
    bytes32 public immutable SRS_ID;

    /// @notice Checks openings of programs that name HyperKZG.
    IOpeningVerifier public immutable HYPER_KZG;
    /// @notice Checks openings of programs that name Mercury.
    IOpeningVerifier public immutable MERCURY;
    /// @notice Checks keys and public tensors.
    IInspector public immutable INSPECTOR;

    /* CONSTRUCTOR */

    /// @param hyperKzg Opening 0, whose reference string becomes this verifier's.
    /// @param mercury Opening 1; must have the same.
    constructor(IOpeningVerifier hyperKzg, IOpeningVerifier mercury, IInspector inspector) {
        bytes32 srsId = hyperKzg.SRS_ID();
        if (mercury.SRS_ID() != srsId) revert WrongSrs(mercury.SRS_ID(), srsId);
        (SRS_ID, HYPER_KZG, MERCURY, INSPECTOR) = (srsId, hyperKzg, mercury, inspector);
    }

    /* VERIFICATION */

    /// @inheritdoc IProofVerifier
    function verify(
        Statement calldata statement,
        address vkData,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external view returns (bytes32 vkHash) {
        Session memory s;
        s.inspector = INSPECTOR;
        s.program = ProgramLib.load(vkData);
        checkStatement(statement, s.program);
        Boundary.read(s, input, output);
        s.vectors = SessionLib.allocate(0x100);
        clearVectors(s.vectors);
        Functions.index(s);
        Slots.index(s);
        bytes32 statementHash = keccak256(abi.encode(statement));
        s.transcript =
            TranscriptLib.begin(proof, DOMAIN, statementHash, s.program.vkHash, countWaitingWords(s, proof.length));
        interpret(s, statement);
        open(s, proof[s.transcript.cursor - s.transcript.origin:]);
        return s.program.vkHash;
    }

    /// @inheritdoc IProofVerifier
    function inspect(address vkData)
        external
        view
        returns (bytes32 vkHash, bytes32 graphHash, bytes32 programHash, bytes32 srsId, uint256 opCount)
    {
        return INSPECTOR.inspect(vkData);
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

    /// @dev No vector of challenges is drawn yet.
    function clearVectors(uint256 vectors) private pure {
        assembly ("memory-safe") {
            calldatacopy(vectors, calldatasize(), 0x100)
        }
    }

    /// @dev An upper bound on the words of messages that wait for one challenge: points, or values of slots and blocks,
    /// all of which the proof must hold.
    function countWaitingWords(Session memory s, uint256 proofSize) private pure returns (uint256) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            uint256 points = 2 * (program.proofChunks + program.lateChunks);
            uint256 scalars = Slots.total(s.counts);
            if (program.lookup == ProgramLib.LOOKUP_INVERSES) {
                // u8 COMMIT | u8 LOGUP | u8 lambda | u16 count
                uint256 cursor = program.cursor;
                scalars += (program.take(5) >> 216) & 0xffff;
                program.cursor = cursor;
            }
            return points + scalars < proofSize >> 5 ? points + scalars : proofSize >> 5;
        }
    }

    /// @dev Runs the phases, each exactly once and in order.
    function interpret(Session memory s, Statement calldata statement) private view {
        Program memory program = s.program;
        program.takeOpcode(COMMIT);
        Commitments.readProof(s);
        Boundary.checkDigests(s, statement);

        program.takeOpcode(LOGUP);
        (uint256 p, uint256 q) = Lookup.run(s);
        s.enterPhase(SOURCE_ZETA);
        Slots.read(s, TAG_LEAVES, s.counts.leaf);
        Slots.read(s, TAG_DIRECT, s.counts.direct);
        Lookup.check(s, p, q);

        program.takeOpcode(RELATE);
        Relations.run(s);
        program.takeOpcode(PRODUCT);
        Products.run(s);
        program.takeOpcode(CONTRACT);
        Contractions.run(s);
        program.takeOpcode(LINK);
        Links.run(s);
        program.takeOpcode(REDUCE);
        Reduction.run(s);
        program.takeOpcode(OPEN);
        program.finish();
    }

    /// @dev Opens what the claims were reduced to; what is left of the proof is the opening's.
    function open(Session memory s, bytes calldata proof) private view {
        IOpeningVerifier opening = s.program.opening == 0 ? HYPER_KZG : MERCURY;
        opening.open(s.transcript.currentState(), s.terms, s.point, s.value, proof);
    }
}
