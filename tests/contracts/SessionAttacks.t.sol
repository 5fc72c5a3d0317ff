// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {PlainToken} from "../../contracts/mocks/PlainToken.sol";
import {ReentrantToken} from "../../contracts/mocks/ReentrantToken.sol";
import {Wallet} from "../../contracts/mocks/Wallet.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {BatchItem, BatchState, OpenParams, SessionState} from "../../contracts/types/Session.sol";
import {SessionSteps} from "./SessionSteps.sol";

/// @notice Sessions beside wallets with code and a token that calls back, and parties that work against each other.
contract SessionAttacksTest is SessionSteps {
    uint256 private constant SESSION_KEY = 77;

    function newToken() internal override returns (PlainToken) {
        return new ReentrantToken();
    }

    function one(BatchItem memory item) private pure returns (BatchItem[] memory items) {
        items = new BatchItem[](1);
        items[0] = item;
    }

    /* A CLIENT WITH CODE */

    function test_wallet__a_session_by_its_session_key__all_the_way() public {
        Wallet wallet = new Wallet(CLIENT);
        vm.deal(address(wallet), 1 ether);
        OpenParams memory params = openParams();
        params.signer = vm.addr(SESSION_KEY);
        bytes memory call = abi.encodeCall(ISessionMarket.openSession, (params, 10 * FEE));
        vm.prank(CLIENT);
        JobId id = abi.decode(wallet.execute(address(sessions), 10 * FEE, call), (JobId));
        assertEq(sessions.getSession(id).terms.client, address(wallet), "client");

        // The wallet's owner has no say in requests; the session key has no say in the money.
        BatchItem memory item = signItem(id, CLIENT_KEY, 0, uint40(START + EXEC), OUT_DIGEST);
        vm.expectRevert(
            abi.encodeWithSelector(ISessionMarket.WrongSigner.selector, id, 0, CLIENT, vm.addr(SESSION_KEY))
        );
        vm.prank(WORKER);
        sessions.commitBatch(id, one(item));
        resign(id, SESSION_KEY, item);
        vm.prank(WORKER);
        JobId batchId = sessions.commitBatch(id, one(item));
        vm.prank(vm.addr(SESSION_KEY));
        (bool success,) = address(sessions).call(abi.encodeCall(ISessionMarket.closeSession, (id)));
        assertTrue(!success, "the key cannot close");

        vm.prank(CLIENT);
        wallet.execute(address(sessions), 0, abi.encodeCall(ISessionMarket.closeSession, (id)));
        warpPast(START + EXEC);
        sessions.withdrawSession(id);
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        vm.prank(CLIENT);
        wallet.execute(address(vault), 0, abi.encodeCall(IStakeVault.withdrawCredit, (ETH)));
        assertEq(address(wallet).balance, 1 ether - FEE, "all but one fee");
        assertConserved();
    }

    /* A TOKEN THAT CALLS BACK */

    /// @dev Deposits come in with the books written; whatever is called in the middle finds them whole.
    function test_token__settles_another_session_in_the_middle_of_a_deposit__nothing_is_lost() public {
        ReentrantToken bad = ReentrantToken(address(token));
        JobId closing = openTokenSession();
        closeAs(CLIENT, closing);
        warpPast(START + EXEC);
        bad.arm(address(sessions), abi.encodeCall(ISessionMarket.withdrawSession, (closing)));
        JobId id = openTokenSession();
        assertTrue(bad.succeeded(), "anybody may withdraw a session that is over");
        bad.arm(address(vault), "");
        assertSession(closing, SessionState.CLOSED);
        assertEq(tokenAccountOf(CLIENT).credit, DEPOSIT, "its deposit");
        assertEq(sessions.getSession(id).deposit, DEPOSIT, "the other deposit");
        assertConserved();
    }

    function test_token__withdraws_credit_in_the_middle_of_a_deposit__refused() public {
        ReentrantToken bad = ReentrantToken(address(token));
        // The token itself is a client, with credit.
        bad.mint(address(bad), 10 ether);
        bad.arm(address(vault), "");
        vm.prank(address(bad));
        vault.fund(address(bad), 1 ether);
        bad.arm(address(vault), abi.encodeCall(IStakeVault.withdrawCredit, (address(bad))));
        openTokenSession();
        assertTrue(!bad.succeeded(), "inner call");
        assertEq(tokenAccountOf(address(bad)).credit, 1 ether, "credit stays");
    }

    /* PARTIES AGAINST EACH OTHER */

    function test_operator__posts_one_request_in_two_batches__is_paid_once() public {
        JobId id = openSession();
        BatchItem[] memory items = signItems(id, 0, 3);
        commitItems(id, items);
        // All of it again, one of it again, or one of it with another result.
        for (uint256 i = 0; i < 3; ++i) {
            BatchItem memory item = items[i];
            if (i == 2) item.outDigest = keccak256("another");
            vm.expectRevert(abi.encodeWithSelector(ISessionMarket.NonceUsed.selector, id, i == 0 ? 0 : i));
            vm.prank(WORKER);
            sessions.commitBatch(id, i == 0 ? items : one(item));
        }
        assertEq(sessions.getSession(id).deposit, DEPOSIT - 3 * FEE, "deposit");
    }

    function test_client__closes_in_front_of_a_batch__the_batch_counts() public {
        JobId id = openSession();
        BatchItem[] memory items = signItems(id, 0, 3);
        closeAs(CLIENT, id);
        JobId batchId = commitItems(id, items);
        vm.warp(START + EXEC + 1);
        sessions.withdrawSession(id);
        assertEq(accountOf(CLIENT).credit, DEPOSIT - 3 * FEE, "what no batch took");
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        assertEq(accountOf(OWNER).credit, 3 * (FEE - PROTOCOL_FEE), "paid");
        assertSettled(id);
        assertSettled(batchId);
    }

    /// @dev Results that leave the batch cost the operator transactions, not money: each job pays and releases its own.
    function test_client__extracts_and_disputes_its_own_results__operator_loses_nothing() public {
        JobId batchId = committedBatch(3);
        JobId first = challengeLeafAs(CLIENT, batchId, 0);
        JobId second = extractLeaf(batchId, 1);
        proveAs(WORKER, first);
        warpPast(START + WINDOW);
        vm.startPrank(WORKER);
        market.finalise(second);
        sessions.finaliseBatch(batchId);
        vm.stopPrank();
        assertEq(accountOf(OWNER).credit, 3 * (FEE - PROTOCOL_FEE) + BOND * 80 / 100, "fees and the bond's share");
        assertEq(accountOf(OWNER).free, STAKE, "stake");
        assertSettled(first);
        assertSettled(batchId);
    }

    /// @dev An operator that posts what it knows to be wrong, and takes its stake along: locked stake stays.
    function test_operator__unbonds_behind_a_batch__its_locks_answer() public {
        JobId batchId = committedBatch(3);
        vm.prank(OWNER);
        vault.requestUnbond(ETH, uint96(STAKE - 3 * LOCK));
        JobId jobId = challengeLeafAs(CHALLENGER, batchId, 1);
        defaultJob(jobId);
        distribute(jobId);
        assertEq(accountOf(CHALLENGER).credit, BOND + LOCK * 35 / 100, "challenger");
        assertEq(accountOf(CLIENT).credit, FEE + LOCK * 40 / 100, "client");
        assertBatch(batchId, BatchState.COMMITTED);
        assertConserved();
    }

    /// @dev Two wrong results of one batch: two locks, two disputes, one jail.
    function test_operator__several_wrong_results__each_is_slashed_by_itself() public {
        JobId batchId = committedBatch(4);
        JobId first = challengeLeafAs(CHALLENGER, batchId, 0);
        JobId second = challengeLeafAs(STRANGER, batchId, 3);
        assertEq(game.openChallenges(OWNER), 2, "open challenges");
        warpPast(game.getDispute(second).proveBy);
        game.claimDefault(first);
        game.claimDefault(second);
        assertEq(game.openChallenges(OWNER), 0, "open challenges");
        assertEq(accountOf(OWNER).locked, 2 * LOCK, "locks of the rest");
        distribute(first);
        game.distributeSlash(second);
        vm.prank(WORKER);
        sessions.finaliseBatch(batchId);
        assertEq(accountOf(OWNER).free, STAKE - 2 * LOCK, "two locks");
        assertEq(accountOf(OWNER).credit, 2 * (FEE - PROTOCOL_FEE), "two fees");
        assertSettled(first);
        assertSettled(second);
        assertSettled(batchId);
    }
}
