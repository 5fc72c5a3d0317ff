// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelRegistry} from "../../contracts/core/ModelRegistry.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {Version, VersionParams} from "../../contracts/types/Version.sol";
import {Deployment} from "./Deployment.sol";

contract ModelRegistryTest is Deployment {
    function checkRefused(VersionParams memory params, bytes memory expected) private {
        vm.expectRevert(expected);
        registry.registerVersion(params);
    }

    function other() private view returns (VersionParams memory params) {
        params = versionParams();
        params.uri = "file:other";
    }

    function test_constructor__verifier_without_code__reverts() public {
        address[] memory verifiers = new address[](1);
        verifiers[0] = STRANGER;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotAContract.selector, STRANGER));
        new ModelRegistry(verifiers, localPreset());
    }

    function test_constructor__allows_the_verifiers_for_ever() public {
        address[] memory verifiers = new address[](1);
        verifiers[0] = address(verifier);
        bytes32 srsId = verifier.SRS_ID();
        vm.expectEmit();
        emit IModelRegistry.VerifierAllowed(address(verifier), srsId);
        ModelRegistry another = new ModelRegistry(verifiers, localPreset());
        assertTrue(another.isVerifier(address(verifier)), "allowed");
        assertTrue(!another.isVerifier(address(this)), "nobody else");
    }

    function test_registerVersion__same_again__reverts() public {
        VersionParams memory params = versionParams();
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.VersionExists.selector, version));
        vm.prank(REGISTRANT);
        registry.registerVersion(params);
    }

    function test_registerVersion__unknown_verifier__reverts() public {
        VersionParams memory params = other();
        params.verifier = address(new MockVerifier());
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.UnknownVerifier.selector, params.verifier));
    }

    function test_registerVersion__unknown_digest_kind__reverts() public {
        VersionParams memory params = other();
        params.digestKind = 0;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.UnsupportedDigestKind.selector, 0));
        params.digestKind = 2;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.UnsupportedDigestKind.selector, 2));
    }

    function test_registerVersion__zero_weight_root__reverts() public {
        VersionParams memory params = other();
        params.weightRoot = 0;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.ZeroWeightRoot.selector));
    }

    function test_registerVersion__prove_seconds_out_of_range__reverts() public {
        VersionParams memory params = other();
        params.proveSeconds = 0;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.ProveSecondsOutOfRange.selector, 0, 30));
        params.proveSeconds = 31;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.ProveSecondsOutOfRange.selector, 31, 30));
        params.proveSeconds = 30;
        registry.registerVersion(params);
    }

    function test_registerVersion__proof_gas_out_of_range__reverts() public {
        VersionParams memory params = other();
        params.proofGas = 0;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.ProofGasOutOfRange.selector, 0, 10_000_000));
        params.proofGas = 10_000_001;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.ProofGasOutOfRange.selector, 10_000_001, 10_000_000));
        params.proofGas = 10_000_000;
        registry.registerVersion(params);
    }

    function test_registerVersion__no_output_bytes__reverts() public {
        VersionParams memory params = other();
        params.outputBytes = 0;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.ZeroOutputBytes.selector));
    }

    function test_registerVersion__royalty_above_a_fifth__reverts() public {
        VersionParams memory params = other();
        params.royaltyBps = 2001;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.RoyaltyOutOfRange.selector, 2001, 2000));
        params.royaltyBps = 2000;
        registry.registerVersion(params);
    }

    function test_registerVersion__key_is_not_the_declared_one__reverts() public {
        bytes32 wrong = keccak256("wrong");
        VersionParams memory params = other();
        params.vkHash = wrong;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.WrongKeyHash.selector, verifier.KEY_HASH(), wrong));
        params = other();
        params.graphHash = wrong;
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.WrongGraph.selector, verifier.GRAPH_HASH(), wrong));
        params = other();
        params.programHash = wrong;
        checkRefused(
            params, abi.encodeWithSelector(IModelRegistry.WrongVersionProgram.selector, verifier.PROGRAM_HASH(), wrong)
        );
        params = other();
        params.srsId = wrong;
        checkRefused(
            params, abi.encodeWithSelector(IModelRegistry.WrongReferenceString.selector, verifier.SRS_ID(), wrong)
        );
    }

    function test_registerVersion__key_of_another_reference_string_than_the_verifiers__reverts() public {
        VersionParams memory params = other();
        params.srsId = keccak256("another string");
        verifier.setKeySrs(params.srsId);
        checkRefused(
            params,
            abi.encodeWithSelector(IModelRegistry.WrongReferenceString.selector, verifier.SRS_ID(), params.srsId)
        );
    }

    function test_registerVersion__key_of_another_reference_string_than_declared__reverts() public {
        bytes32 wrong = keccak256("another string");
        verifier.setKeySrs(wrong);
        VersionParams memory params = other();
        checkRefused(params, abi.encodeWithSelector(IModelRegistry.WrongReferenceString.selector, wrong, params.srsId));
    }

    function test_registerVersion__key_that_the_verifier_cannot_read__reverts() public {
        VersionParams memory params = other();
        params.vkData = STRANGER;
        checkRefused(params, abi.encodeWithSelector(IProofVerifier.NotAKey.selector, STRANGER));
    }

    function test_getVersion__unknown__reverts() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownVersion.selector, unknown));
        registry.getVersion(unknown);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownVersion.selector, unknown));
        registry.getProvingCosts(unknown);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownVersion.selector, unknown));
        registry.getVerifier(unknown);
        assertEq(registry.numberOf(unknown), 0, "no number");
        uint32[2] memory numbers = [uint32(0), 2];
        for (uint256 i = 0; i < numbers.length; ++i) {
            bytes memory expected = abi.encodeWithSelector(IModelRegistry.UnknownNumber.selector, numbers[i]);
            vm.expectRevert(expected);
            registry.versionAt(numbers[i]);
            vm.expectRevert(expected);
            registry.ownerAt(numbers[i]);
            vm.expectRevert(expected);
            registry.getOutputBytes(numbers[i]);
        }
        (uint32 number, uint16 royaltyBps) = registry.getOrderTerms(unknown);
        assertEq(uint256(number) + royaltyBps, 0, "no order terms");
    }

    function test_registerVersion__stores_what_was_declared() public {
        VersionParams memory params = other();
        (params.outputBytes, params.royaltyBps) = (77, 123);
        bytes32 expectedId = keccak256(abi.encode(params, OWNER));
        vm.expectEmit(address(registry));
        emit IModelRegistry.VersionRegistered(expectedId, OWNER, params, verifier.OP_COUNT());
        vm.prank(OWNER);
        bytes32 id = registry.registerVersion(params);

        assertEq(id, expectedId, "id");
        assertEq(registry.computeVersionId(params, OWNER), id, "computed id");
        assertTrue(registry.isVersion(id), "registered");
        assertEq(registry.numberOf(id), 2, "number");
        assertEq(registry.versionAt(2), id, "version of the number");
        assertEq(registry.versionAt(1), version, "version of the first number");
        (uint32 number, uint16 royaltyBps) = registry.getOrderTerms(id);
        assertEq(number, 2, "number of the order");
        assertEq(royaltyBps, 123, "royalty of the order");
        assertEq(registry.getOutputBytes(2), 77, "output bytes");
        assertEq(registry.ownerAt(2), OWNER, "owner");
        assertEq(registry.getVerifier(id), params.verifier, "verifier");
        Version memory v = registry.getVersion(id);
        assertEq(
            keccak256(abi.encode(v)),
            keccak256(
                abi.encode(
                    Version({
                        owner: OWNER,
                        proveSeconds: params.proveSeconds,
                        proofGas: params.proofGas,
                        verifier: params.verifier,
                        opCount: 3,
                        digestKind: 1,
                        vkData: params.vkData,
                        number: 2,
                        outputBytes: 77,
                        royaltyBps: 123,
                        graphHash: params.graphHash,
                        weightRoot: params.weightRoot,
                        programHash: params.programHash,
                        vkHash: params.vkHash,
                        srsId: params.srsId
                    })
                )
            ),
            "stored version"
        );
    }

    function test_registerVersion__same_model_by_another_owner__is_another_version() public {
        VersionParams memory params = versionParams();
        vm.prank(OWNER);
        assertTrue(registry.registerVersion(params) != version, "another id");
    }
}
