// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPinpointBook} from "../../contracts/interfaces/IPinpointBook.sol";
import {IPinpointDisputes} from "../../contracts/interfaces/IPinpointDisputes.sol";
import {Claim} from "../../contracts/types/Claim.sol";
import {DisputeState} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Phase, Pin, Search, Tree, WHOLE} from "../../contracts/types/Pinpoint.sol";
import {PinpointSteps} from "./PinpointSteps.sol";

/// @notice What a cheater's accomplice, or a griefer, does with disputes that are not meant to be won.
contract PinpointShieldsTest is PinpointSteps {
    uint256 private constant OP = 5;
    uint256 private constant KEY = OP << 64 | ELEM;
    address private accomplice = STRANGER;

    /// A tile of zeros, and the tree over it alone.
    bytes private tile = new bytes(1024);
    bytes32 private tileRoot = keccak256(abi.encodePacked(uint8(0), uint64(0), sha256(new bytes(1024))));

    function useModel() internal override {
        super.useModel();
        // 4 x 32 elements of one byte: one tile.
        digests[OP] = keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), uint32(4), uint32(32), tileRoot));
    }

    function cureCall(JobId jobId, Claim memory claim) private pure returns (bytes memory) {
        return abi.encodeCall(IPinpointDisputes.cure, (jobId, KEY, claim, rulings(CONSISTENT)));
    }

    function timeOut(JobId jobId) private {
        warpPast(disputeOf(jobId, KEY).deadline);
        vm.prank(accomplice);
        pins.claimTimeout(jobId, KEY);
        assertDispute(jobId, DisputeState.DEFAULT);
    }

    function test_cure__beside_another_dispute__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pinAs(accomplice, jobId, OP, ELEM);
        openSearch(jobId);
        timeOut(jobId);
        vm.prank(CHALLENGER);
        pins.resolve(jobId, searchKey(CHALLENGER));
        checkMove(jobId, KEY, accomplice, cureCall(jobId, claim), wrongPhase(jobId, KEY, Phase.DEFAULT));
        uint256 free = accountOf(OWNER).free;
        warpPastJob(jobId);
        game.distributeSlash(jobId);
        assertEq(accountOf(OWNER).free, free, "the lock is lost whole");
        assertMoney();
    }

    function test_cure__while_a_proof_of_the_result_was_due__reverts() public {
        JobId jobId = tracedJob();
        Claim memory claim = pinAs(accomplice, jobId, OP, ELEM);
        challengeAs(CHALLENGER, jobId);
        timeOut(jobId);
        checkMove(jobId, KEY, accomplice, cureCall(jobId, claim), wrongPhase(jobId, KEY, Phase.DEFAULT));
    }

    function test_searchTiles__within_a_search_of_tiles__reverts() public {
        JobId jobId = tracedJob();
        Search memory state = openSearch(jobId);
        bytes32[] memory roots = new bytes32[](2);
        bytes32[] memory words = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) {
            (words[i], roots[i]) = (layerDigestOf(i), opRootOf(i));
        }
        vm.recordLogs();
        pins.revealLeaves(jobId, CHALLENGER, state, words, roots);
        Pin memory p = makePin(OP, WHOLE, true, termsOf(jobId));
        state = lastState();
        vm.prank(CHALLENGER);
        pins.searchTiles(jobId, state, p);
        state = lastState();
        pins.revealTileRoot(jobId, CHALLENGER, state, tileRoot);
        state = lastState();
        pins.revealTile(jobId, CHALLENGER, state, tile);
        state = lastState();
        bytes memory call = abi.encodeCall(IPinpointDisputes.searchTiles, (jobId, state, p));
        uint256 key = searchKey(CHALLENGER);
        bytes memory reason =
            abi.encodeWithSelector(IPinpointBook.WrongTree.selector, idOf(jobId, key), Tree.NONE, uint256(0));
        checkMove(jobId, key, CHALLENGER, call, reason);
    }
}
