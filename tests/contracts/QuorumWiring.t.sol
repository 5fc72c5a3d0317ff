// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IQuorum} from "../../contracts/interfaces/IQuorum.sol";
import {CandidatePool} from "../../contracts/quorum/CandidatePool.sol";
import {Quorum} from "../../contracts/quorum/Quorum.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Quorums work with the neighbours of their own deployment alone.
contract QuorumWiringTest is JobSteps {
    Parameters private parameters;

    function setUp() public override {
        super.setUp();
        parameters = localPreset();
    }

    function test_constructor__foreign_neighbour_or_rate__reverts() public {
        CandidatePool foreign = new CandidatePool(address(vault), address(game));
        bytes4 reason = IQuorum.ForeignModule.selector;
        // This vault names another address for its quorums.
        vm.expectRevert(abi.encodeWithSelector(reason, address(vault)));
        new Quorum(address(vault), address(registry), address(market), address(beacon), address(pool), 1, localPreset());
        checkNeighbour(address(game), address(beacon), address(pool), 1, reason, address(market));
        ++parameters.shareBlocks;
        checkNeighbour(address(registry), address(beacon), address(pool), 1, reason, address(vault));
        parameters = localPreset();
        checkNeighbour(address(registry), CLIENT, address(pool), 1, reason, CLIENT);
        checkNeighbour(address(registry), address(beacon), address(foreign), 1, reason, address(foreign));
        reason = IQuorum.BadAuditRate.selector;
        checkNeighbour(address(registry), address(beacon), address(pool), 10_001, reason, address(uint160(10_001)));
        deployQuorum(address(registry), address(beacon), address(pool), 10_000);
    }

    function checkNeighbour(
        address registry_,
        address beacon_,
        address pool_,
        uint16 rate,
        bytes4 reason,
        address culprit
    ) private {
        (bool success, bytes memory got) =
            address(this).call(abi.encodeCall(this.deployQuorum, (registry_, beacon_, pool_, rate)));
        assertTrue(!success, "deployed");
        assertEq(keccak256(got), keccak256(abi.encodeWithSelector(reason, culprit)), "reason");
    }

    /// @notice At the address that the vault names: over the one that lies there.
    function deployQuorum(address registry_, address beacon_, address pool_, uint16 rate) public {
        address named = vault.QUORUM();
        bytes memory arguments = abi.encode(vault, registry_, market, beacon_, pool_, rate, parameters);
        vm.etch(named, abi.encodePacked(type(Quorum).creationCode, arguments));
        (bool success, bytes memory result) = named.call("");
        if (success) return;
        // Equivalent to reverting with `result` as it is.
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }

    function test_code__is_below_the_limit() public view {
        assertLe(address(quorum).code.length, 23_500, "Quorum");
    }
}
