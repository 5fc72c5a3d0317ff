// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {FQ, FR} from "../../contracts/verifiers/Field.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {Submission, VerifierFixture} from "./VerifierFixture.sol";

/// @notice Changes every word of an honest proof, in several ways, and expects the error of the message it is in.
contract VerifierTamperingTest is VerifierFixture {
    enum Message {
        COMMITMENT,
        ROOT_P,
        ROOT_Q,
        LAYER,
        LEAF,
        CONTRACTION, //      the bias, rounds and operands
        REDUCTION,
        FOLD_COMMITMENT,
        EVALUATION, //       enters the pairing only
        LAST_EVALUATION, //  a_(l-1) and b_(l-1), which give the opened value
        QUOTIENT
    }

    /// @dev Where one word of the proof belongs.
    struct Word {
        Message message;
        uint256 layer;
    }

    uint256 private constant C = 4;

    VerifierCore private verifier;
    Submission private submission;
    Word[] private layout;

    function setUp() public {
        string memory json = readVectors("operators.json");
        verifier = deployVerifier(json);
        // The program written by hand (tests/vectors/tiny.py): LogUp-GKR and HyperKZG.
        submission = readSubmission(json, at(0));
        installKey(submission.key);
        buildLayout();
        require(layout.length * 32 == submission.proof.length, "the layout is not the proof's");
    }

    /* LAYOUT */

    function push(Message message, uint256 layer, uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            layout.push(Word(message, layer));
        }
    }

    /// @dev FORMAT.md 7 with c = 4, lambda = 5, two proof chunks; of three leaf slots one and of two operands one are
    /// public.
    function buildLayout() private {
        push(Message.COMMITMENT, 0, 2 * 2);
        push(Message.ROOT_P, 0, 1);
        push(Message.ROOT_Q, 0, 1);
        for (uint256 i = 0; i < 5; ++i) {
            push(Message.LAYER, i, 2 * i + 4);
        }
        push(Message.LEAF, 0, 2);
        push(Message.CONTRACTION, 0, 1 + 2 * 2 + 1);
        push(Message.REDUCTION, 0, 2 * C);
        push(Message.FOLD_COMMITMENT, 0, 2 * (C - 1));
        push(Message.EVALUATION, 0, C);
        push(Message.LAST_EVALUATION, 0, 1);
        push(Message.EVALUATION, 0, C - 1);
        push(Message.LAST_EVALUATION, 0, 1);
        push(Message.QUOTIENT, 0, 6);
    }

    function isPoint(Message message) private pure returns (bool) {
        return message == Message.COMMITMENT || message == Message.FOLD_COMMITMENT || message == Message.QUOTIENT;
    }

    /// @dev What errors call the word's first byte: the opening's verifier counts from the opening's first.
    function offsetOf(uint256 word) private view returns (uint256) {
        uint256 opening = layout.length - (2 * (C - 1) + 1 + 2 * C + 6);
        return 32 * (word < opening ? word : word - opening);
    }

    /* ERRORS */

    /// @dev What refuses a changed but canonical scalar.
    function scalarError(Word memory word) private pure returns (bytes memory) {
        if (word.message == Message.ROOT_P) return abi.encodePacked(IProofVerifier.LogUpRootInvalid.selector);
        if (word.message == Message.LEAF) return abi.encodePacked(IProofVerifier.LeafMismatch.selector);
        if (word.message == Message.CONTRACTION) {
            return abi.encodeWithSelector(IProofVerifier.SumCheckMismatch.selector, 5, 0);
        }
        if (word.message == Message.REDUCTION || word.message == Message.LAST_EVALUATION) {
            return abi.encodePacked(IProofVerifier.OpeningMismatch.selector);
        }
        if (word.message == Message.EVALUATION) {
            return abi.encodePacked(IProofVerifier.PairingFailed.selector);
        }
        return abi.encodeWithSelector(IProofVerifier.SumCheckMismatch.selector, 2, word.layer);
    }

    /// @dev What refuses another point of the curve.
    function pointError(Message message) private pure returns (bytes memory) {
        if (message == Message.COMMITMENT) {
            // Other challenges: layer 0 holds for each, its claim on layer 1 does not.
            return abi.encodeWithSelector(IProofVerifier.SumCheckMismatch.selector, 2, 1);
        }
        return abi.encodePacked(
            message == Message.FOLD_COMMITMENT
                ? IProofVerifier.OpeningMismatch.selector
                : IProofVerifier.PairingFailed.selector
        );
    }

    /// @dev Requires an error that begins with `expected`.
    function requireError(Submission memory s, uint256 word, bytes memory expected) private view {
        bytes memory reason = checkInstalled(verifier, s);
        bool same = reason.length >= expected.length;
        for (uint256 i = 0; same && i < expected.length; ++i) {
            same = reason[i] == expected[i];
        }
        require(same, string.concat("word ", vm.toString(word), ": wrong reason or none"));
    }

    function load(bytes memory proof, uint256 word) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(proof, 0x20), shl(5, word)))
        }
    }

    function store(bytes memory proof, uint256 word, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(add(proof, 0x20), shl(5, word)), value)
        }
    }

    /* TESTS */

    function test_verify_layoutsProof_succeeds() public view {
        require(checkInstalled(verifier, submission).length == 0, "the honest proof is refused");
    }

    function test_verify_anyScalarPlusOne_reverts() public view {
        Submission memory s = submission;
        for (uint256 i = 0; i < layout.length; ++i) {
            Word memory word = layout[i];
            if (isPoint(word.message)) continue;
            uint256 value = load(s.proof, i);
            store(s.proof, i, addmod(value, 1, FR));
            requireError(s, i, scalarError(word));
            store(s.proof, i, value);
        }
    }

    function test_verify_anyScalarNotBelowOrder_reverts() public view {
        Submission memory s = submission;
        for (uint256 i = 0; i < layout.length; ++i) {
            if (isPoint(layout[i].message)) continue;
            bytes memory expected = abi.encodeWithSelector(IProofVerifier.NonCanonicalScalar.selector, offsetOf(i));
            uint256 value = load(s.proof, i);
            // The same field element in other bytes.
            store(s.proof, i, value + FR);
            requireError(s, i, expected);
            store(s.proof, i, type(uint256).max);
            requireError(s, i, expected);
            store(s.proof, i, value);
        }
    }

    function test_verify_anyCoordinateChanged_reverts() public view {
        Submission memory s = submission;
        for (uint256 i = 0; i < layout.length; ++i) {
            if (!isPoint(layout[i].message)) continue;
            // Points begin at even words of the proof's point messages; the first word's parity tells.
            uint256 first = i - (i - messageStart(i)) % 2;
            bytes memory expected = abi.encodeWithSelector(IProofVerifier.InvalidPoint.selector, offsetOf(first));
            uint256 value = load(s.proof, i);
            store(s.proof, i, addmod(value, 1, FQ));
            requireError(s, i, expected);
            // The same coordinate in other bytes.
            store(s.proof, i, value + FQ);
            requireError(s, i, expected);
            store(s.proof, i, value);
        }
    }

    function test_verify_anyOtherPoint_reverts() public view {
        Submission memory s = submission;
        for (uint256 i = 0; i < layout.length; ++i) {
            Message message = layout[i].message;
            if (!isPoint(message) || (i - messageStart(i)) % 2 == 1) continue;
            bytes memory expected = pointError(message);
            (uint256 x, uint256 y) = (load(s.proof, i), load(s.proof, i + 1));
            store(s.proof, i + 1, FQ - y);
            requireError(s, i, expected);
            store(s.proof, i, 0);
            store(s.proof, i + 1, 0);
            requireError(s, i, expected);
            store(s.proof, i, 1);
            store(s.proof, i + 1, 2);
            requireError(s, i, expected);
            store(s.proof, i, x);
            store(s.proof, i + 1, y);
        }
    }

    /// @dev The first word of the run of words of the same kind of message.
    function messageStart(uint256 i) private view returns (uint256) {
        Message message = layout[i].message;
        while (i > 0 && layout[i - 1].message == message) --i;
        return i;
    }

    function test_verify_truncatedAnywhere_reverts() public view {
        Submission memory s = submission;
        bytes memory proof = s.proof;
        for (uint256 size = 0; size < proof.length; size += 32) {
            assembly ("memory-safe") {
                mstore(proof, size)
            }
            requireError(s, size / 32, abi.encodePacked(IProofVerifier.TruncatedProof.selector));
            assembly ("memory-safe") {
                mstore(proof, sub(add(size, 0x20), 1))
            }
            requireError(s, size / 32, abi.encodePacked(IProofVerifier.TruncatedProof.selector));
            assembly ("memory-safe") {
                mstore(proof, mul(0x20, sload(layout.slot)))
            }
        }
    }

    function test_verify_trailingBytes_reverts() public view {
        Submission memory s = submission;
        bytes memory proof = s.proof;
        for (uint256 count = 1; count <= 96; count += 19) {
            s.proof = bytes.concat(proof, new bytes(count));
            requireError(s, count, abi.encodeWithSelector(IProofVerifier.TrailingBytes.selector, count));
        }
    }

    /// @dev Exchanging two whole messages' contents, or repeating one, is no proof either.
    function test_verify_swappedWords_reverts() public view {
        Submission memory s = submission;
        for (uint256 i = 0; i + 2 < layout.length; i += 2) {
            (uint256 a, uint256 b) = (load(s.proof, i), load(s.proof, i + 1));
            if (a == b) continue;
            store(s.proof, i, b);
            store(s.proof, i + 1, a);
            require(checkInstalled(verifier, s).length != 0, "accepted swapped words");
            store(s.proof, i, a);
            store(s.proof, i + 1, b);
        }
    }

    /// @dev A transaction with too little gas reverts, whichever precompile it starves: it is never accepted.
    function test_verify_anyGasLimit_revertsOrSucceeds() public view {
        Submission memory s = submission;
        bytes memory call = abi.encodeCall(verifier.verify, (s.statement, KEY, s.input, s.output, s.proof));
        // The first evaluation enters the pairing only: the forgery is refused at the very end.
        store(s.proof, layout.length - 7 - 2 * C, 1);
        requireError(s, 0, abi.encodePacked(IProofVerifier.PairingFailed.selector));
        bytes memory forged = abi.encodeCall(verifier.verify, (s.statement, KEY, s.input, s.output, s.proof));
        bool accepted;
        for (uint256 limit = 20_000; limit < 700_000; limit += 7_919) {
            (bool success,) = address(verifier).staticcall{gas: limit}(call);
            require(success || !accepted, "more gas, less acceptance");
            accepted = success;
            (success,) = address(verifier).staticcall{gas: limit}(forged);
            require(!success, "accepted a forgery");
        }
        require(accepted, "never accepted");
    }
}
