// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOpeningVerifier} from "../../interfaces/IOpeningVerifier.sol";
import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {Transcript, TranscriptLib} from "../Transcript.sol";
import {Curve} from "./Curve.sol";

/// @title What every opening verifier does: shape of the call, reference string, first and last byte of the proof
abstract contract OpeningBase is IOpeningVerifier {
    using TranscriptLib for Transcript;

    /// @dev log2 of the largest powers-of-tau ceremony.
    uint256 private constant MOST_VARIABLES = 28;
    /// @dev Headers of the messages between two challenges, and S.
    uint256 private constant OWN_WORDS = 4;

    /// @inheritdoc IOpeningVerifier
    bytes32 public immutable SRS_ID;

    uint256 private immutable TAU_X1;
    uint256 private immutable TAU_X0;
    uint256 private immutable TAU_Y1;
    uint256 private immutable TAU_Y0;

    /// @param tau [tau]_2 of the reference string in the order of EIP-197: x_c1, x_c0, y_c1, y_c0.
    constructor(uint256[4] memory tau) {
        if (!Curve.isTau(tau)) revert IProofVerifier.InvalidSrs();
        SRS_ID = keccak256(abi.encodePacked("zkdps/srs/1", tau));
        (TAU_X1, TAU_X0, TAU_Y1, TAU_Y0) = (tau[0], tau[1], tau[2], tau[3]);
    }

    /// @inheritdoc IOpeningVerifier
    function open(bytes32 state, bytes calldata terms, uint256[] calldata point, uint256 value, bytes calldata proof)
        external
        view
    {
        if (terms.length == 0 || terms.length % Curve.TERM_SIZE != 0) revert MalformedTerms(terms.length);
        if (point.length == 0 || point.length > MOST_VARIABLES) {
            revert UnsupportedVariables(point.length, MOST_VARIABLES);
        }
        Transcript memory t = resume(state, proof);
        uint256 equation = check(t, terms, point, value);
        t.finish();
        Curve.requirePairing(equation, [TAU_X1, TAU_X0, TAU_Y1, TAU_Y0]);
    }

    /// @dev Reads the whole opening and reduces it to e(L, [1]_2) = e(R, [tau]_2).
    /// @return equation Memory address of L; R is at `equation + 0xc0`, and 0x180 bytes are free for the pairing.
    function check(Transcript memory t, bytes calldata terms, uint256[] calldata point, uint256 value)
        internal
        view
        virtual
        returns (uint256 equation);

    /// @dev The transcript whose state is `state`, with an empty buffer, at the proof's first byte.
    function resume(bytes32 state, bytes calldata proof) private pure returns (Transcript memory t) {
        uint256 room = ((proof.length + 31) & ~uint256(31)) + (OWN_WORDS << 5);
        uint256 buffer = allocate(room);
        uint256 first;
        assembly ("memory-safe") {
            mstore(buffer, state)
            first := proof.offset
        }
        t.buffer = buffer;
        t.end = buffer + 0x20;
        t.origin = first;
        t.cursor = first;
        t.limit = first + proof.length;
        t.room = buffer + room;
    }

    /// @dev Memory that nothing else uses; its content is arbitrary.
    function allocate(uint256 size) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := mload(0x40)
            mstore(0x40, add(at, size))
        }
    }
}
