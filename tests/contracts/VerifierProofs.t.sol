// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {VerifierCore} from "../../contracts/verifiers/VerifierCore.sol";
import {Submission, VerifierFixture} from "./VerifierFixture.sol";

/// @notice Whole proofs of the reference prover: honest ones are accepted, its forgeries are refused.
contract VerifierProofsTest is VerifierFixture {
    string private proofs;
    string private forgeries;
    VerifierCore private verifier;

    function setUp() public {
        proofs = readVectors("proofs.json");
        forgeries = readVectors("forgeries.json");
        verifier = deployVerifier(proofs);
    }

    function test_verify_honestProofs_succeeds() public {
        uint256 count;
        for (; vm.keyExistsJson(proofs, at(count)); ++count) {
            requireAccepted(verifier, readSubmission(proofs, at(count)));
        }
        require(count >= 3, "vectors are missing");
    }
}
