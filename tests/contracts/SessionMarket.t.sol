// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {OpenParams, Session, SessionState, SessionTerms} from "../../contracts/types/Session.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {SessionSteps} from "./SessionSteps.sol";

/// @notice The life of a session: opened, filled, closed, withdrawn, voided.
contract SessionMarketTest is SessionSteps {
    JobId private constant NOTHING = JobId.wrap(keccak256("nothing"));

    function checkOpenRefused(OpenParams memory params, uint96 deposit, uint256 value, bytes memory reason) private {
        bytes memory call = abi.encodeCall(ISessionMarket.openSession, (params, deposit));
        checkSessionRefused(NOTHING, CLIENT, value, call, reason);
    }

    function checkCall(JobId id, address caller, bytes memory call, bytes memory reason) private {
        checkSessionRefused(id, caller, 0, call, reason);
    }

    function closeCall(JobId id) private pure returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.closeSession, (id));
    }

    function withdrawCall(JobId id) private pure returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.withdrawSession, (id));
    }

    function voidCall(JobId id) private pure returns (bytes memory) {
        return abi.encodeCall(ISessionMarket.voidSession, (id));
    }

    function notClient(JobId id, address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.NotClient.selector, id, caller, CLIENT);
    }

    /* EVERY STEP */

    function test_every_step__unknown_session__reverts() public {
        bytes memory unknown = abi.encodeWithSelector(ISessionMarket.UnknownSession.selector, NOTHING);
        checkCall(NOTHING, CLIENT, abi.encodeCall(ISessionMarket.addDeposit, (NOTHING, 1)), unknown);
        checkCall(NOTHING, CLIENT, closeCall(NOTHING), unknown);
        checkCall(NOTHING, CLIENT, withdrawCall(NOTHING), unknown);
        checkCall(
            NOTHING, WORKER, abi.encodeCall(ISessionMarket.commitBatch, (NOTHING, signItems(NOTHING, 0, 1))), unknown
        );
        checkCall(NOTHING, CLIENT, abi.encodeCall(ISessionMarket.getSession, (NOTHING)), unknown);
        checkCall(NOTHING, CLIENT, abi.encodeCall(ISessionMarket.computeRequestId, (NOTHING, 0, IN_DIGEST)), unknown);
        enterRefundMode();
        checkCall(NOTHING, CLIENT, voidCall(NOTHING), unknown);
    }

    function test_every_step__paused__reverts() public {
        JobId open = openSession();
        JobId closing = openSession();
        closeAs(CLIENT, closing);
        vm.warp(START + EXEC + 1);
        actAsGuardian(IGuardian.Action.PAUSE);
        checkStopped(
            open, closing, abi.encodeWithSelector(IProtocolClock.ProtocolPaused.selector, block.timestamp + 72 hours)
        );
    }

    function test_every_step__refund_mode__reverts_but_voiding() public {
        JobId open = openSession();
        JobId closing = openSession();
        closeAs(CLIENT, closing);
        vm.warp(START + EXEC + 1);
        checkCall(open, STRANGER, voidCall(open), noRefundMode());
        enterRefundMode();
        checkStopped(open, closing, refundMode());
    }

    function checkStopped(JobId open, JobId closing, bytes memory reason) private {
        checkOpenRefused(openParams(), DEPOSIT, DEPOSIT, reason);
        checkSessionRefused(open, CLIENT, 1, abi.encodeCall(ISessionMarket.addDeposit, (open, 1)), reason);
        checkCall(open, CLIENT, closeCall(open), reason);
        checkCall(open, WORKER, closeCall(open), reason);
        checkCall(closing, CLIENT, withdrawCall(closing), reason);
        checkCall(open, WORKER, abi.encodeCall(ISessionMarket.commitBatch, (open, signItems(open, 0, 1))), reason);
    }

    /* openSession */

    function test_openSession__nobody_signs_or_answers__reverts() public {
        OpenParams memory params = openParams();
        params.signer = address(0);
        checkOpenRefused(params, DEPOSIT, DEPOSIT, abi.encodeWithSelector(ISessionMarket.NoSigner.selector));
        params = openParams();
        params.operator = address(0);
        checkOpenRefused(params, DEPOSIT, DEPOSIT, abi.encodeWithSelector(ISessionMarket.NoOperator.selector));
    }

    function test_openSession__no_fee_or_too_small_a_deposit__reverts() public {
        OpenParams memory params = openParams();
        params.fee = 0;
        checkOpenRefused(params, DEPOSIT, DEPOSIT, abi.encodeWithSelector(IJobMarket.ZeroFee.selector));
        params = openParams();
        bytes memory small = abi.encodeWithSelector(ISessionMarket.DepositTooSmall.selector, FEE - 1, FEE);
        checkOpenRefused(params, FEE - 1, FEE - 1, small);
    }

    function test_openSession__unknown_version__reverts() public {
        OpenParams memory params = openParams();
        params.version = keccak256("unknown");
        bytes memory unknown = abi.encodeWithSelector(IJobMarket.UnknownModelVersion.selector, params.version);
        checkOpenRefused(params, DEPOSIT, DEPOSIT, unknown);
    }

    function test_openSession__wrong_value__reverts() public {
        OpenParams memory params = openParams();
        bytes memory wrong = abi.encodeWithSelector(IStakeVault.WrongValue.selector, DEPOSIT - 1, DEPOSIT);
        checkOpenRefused(params, DEPOSIT, DEPOSIT - 1, wrong);
        params.token = address(token);
        wrong = abi.encodeWithSelector(IStakeVault.WrongValue.selector, 1, 0);
        checkOpenRefused(params, DEPOSIT, 1, wrong);
    }

    function test_openSession__another_token__reverts() public {
        OpenParams memory params = openParams();
        params.token = STRANGER;
        bytes memory wrong = abi.encodeWithSelector(IStakeVault.UnsupportedToken.selector, STRANGER);
        checkOpenRefused(params, DEPOSIT, 0, wrong);
    }

    function test_openSession__wider_than_a_credit__reverts() public {
        OpenParams memory params = openParams();
        params.fee = uint96(type(uint80).max) + 1;
        vm.deal(CLIENT, type(uint96).max);
        bytes memory wide = abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 80, params.fee);
        checkOpenRefused(params, params.fee, params.fee, wide);
        (params.fee, wide) =
        (FEE, abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 80, uint256(params.fee)));
        checkOpenRefused(params, uint96(type(uint80).max) + 1, uint256(type(uint80).max) + 1, wide);
    }

    function test_openSession__the_same_terms_again__reverts() public {
        OpenParams memory params = openParams();
        JobId id = openSessionAs(CLIENT, params, DEPOSIT);
        bytes memory exists = abi.encodeWithSelector(ISessionMarket.SessionExists.selector, id);
        checkOpenRefused(params, DEPOSIT, DEPOSIT, exists);
        // Also after its end.
        closeAs(WORKER, id);
        checkOpenRefused(params, DEPOSIT, DEPOSIT, exists);
        // Another client's session of these terms is another session.
        JobId other = openSessionAs(STRANGER, params, DEPOSIT);
        assertTrue(JobId.unwrap(other) != JobId.unwrap(id), "ids");
    }

    function test_openSession__deposit_in_escrow_and_terms_told() public {
        useRoyalty(700);
        OpenParams memory params = openParams();
        params.signer = STRANGER;
        SessionTerms memory terms = SessionTerms(CLIENT, STRANGER, OWNER, version, ETH, FEE, params.salt);
        JobId expected = JobId.wrap(keccak256(abi.encode("zkDPS session", block.chainid, address(sessions), terms)));
        vm.expectEmit(address(sessions));
        emit ISessionMarket.SessionOpened(expected, CLIENT, OWNER, terms, 700);
        vm.expectEmit(address(sessions));
        emit ISessionMarket.DepositAdded(expected, DEPOSIT);
        vm.expectEmit(address(vault));
        emit IStakeVault.EscrowAdded(ETH, expected, CLIENT, DEPOSIT);
        JobId id = openSessionAs(CLIENT, params, DEPOSIT);

        assertEq(JobId.unwrap(id), JobId.unwrap(expected), "id");
        assertEq(JobId.unwrap(sessions.computeSessionId(terms)), JobId.unwrap(id), "computed id");
        Session memory session = sessions.getSession(id);
        assertEq(keccak256(abi.encode(session.terms)), keccak256(abi.encode(terms)), "terms");
        assertEq(session.royaltyBps, 700, "royalty");
        assertEq(session.deposit, DEPOSIT, "deposit");
        assertEq(session.closesAt, 0, "closesAt");
        assertSession(id, SessionState.OPEN);
        assertFunds(ETH, id, DEPOSIT, 0, LockStatus.NONE);
        assertConserved();
    }

    function test_openSession__tokens__from_the_clients_allowance() public {
        uint256 before = token.balanceOf(CLIENT);
        JobId id = openTokenSession();
        assertEq(token.balanceOf(CLIENT), before - DEPOSIT, "client's tokens");
        assertEq(sessions.getSession(id).deposit, DEPOSIT, "deposit");
        assertFunds(address(token), id, DEPOSIT, 0, LockStatus.NONE);
        assertConserved();
    }

    /* addDeposit */

    function test_addDeposit__by_others_or_nothing__reverts() public {
        JobId id = openSession();
        bytes memory call = abi.encodeCall(ISessionMarket.addDeposit, (id, 1));
        checkSessionRefused(id, STRANGER, 1, call, notClient(id, STRANGER));
        call = abi.encodeCall(ISessionMarket.addDeposit, (id, 0));
        checkSessionRefused(id, CLIENT, 0, call, abi.encodeWithSelector(IStakeVault.ZeroAmount.selector));
        call = abi.encodeCall(ISessionMarket.addDeposit, (id, 2));
        checkSessionRefused(id, CLIENT, 1, call, abi.encodeWithSelector(IStakeVault.WrongValue.selector, 1, 2));
    }

    function test_addDeposit__closing_or_closed__reverts() public {
        JobId id = openSession();
        closeAs(CLIENT, id);
        bytes memory call = abi.encodeCall(ISessionMarket.addDeposit, (id, 1));
        checkSessionRefused(id, CLIENT, 1, call, wrongSession(id, SessionState.OPEN));
        vm.warp(START + EXEC + 1);
        sessions.withdrawSession(id);
        checkSessionRefused(id, CLIENT, 1, call, wrongSession(id, SessionState.OPEN));
    }

    function test_addDeposit__beyond_a_credits_width__reverts() public {
        JobId id = openSession();
        vm.deal(CLIENT, type(uint96).max);
        uint96 most = type(uint80).max - DEPOSIT;
        bytes memory call = abi.encodeCall(ISessionMarket.addDeposit, (id, most + 1));
        checkSessionRefused(id, CLIENT, most + 1, call, abi.encodeWithSignature("Panic(uint256)", 0x11));
        vm.prank(CLIENT);
        sessions.addDeposit{value: most}(id, most);
        closeAs(WORKER, id);
        assertEq(accountOf(CLIENT).credit, type(uint80).max, "all of it comes back");
        assertConserved();
    }

    function test_addDeposit__grows_the_escrow() public {
        JobId id = openSession();
        vm.expectEmit(address(sessions));
        emit ISessionMarket.DepositAdded(id, 5);
        vm.prank(CLIENT);
        sessions.addDeposit{value: 5}(id, 5);
        assertEq(sessions.getSession(id).deposit, DEPOSIT + 5, "deposit");
        JobId other = openTokenSession();
        vm.prank(CLIENT);
        sessions.addDeposit(other, 7);
        assertEq(sessions.getSession(other).deposit, DEPOSIT + 7, "deposit in tokens");
        assertConserved();
    }

    /* closeSession */

    function test_closeSession__by_a_stranger__reverts() public {
        JobId id = openSession();
        checkCall(id, STRANGER, closeCall(id), notClient(id, STRANGER));
    }

    function test_closeSession__by_a_worker_that_serves_nobody_else__reverts() public {
        // Whoever serves nobody "serves" owner 0; no session has that operator.
        JobId id = openSession();
        vm.prank(WORKER);
        vault.leaveOwner();
        checkCall(id, WORKER, closeCall(id), notClient(id, WORKER));
    }

    function test_closeSession__by_the_client_twice__reverts() public {
        JobId id = openSession();
        closeAs(CLIENT, id);
        checkCall(id, CLIENT, closeCall(id), wrongSession(id, SessionState.OPEN));
    }

    function test_closeSession__by_the_client__leaves_the_operator_its_time() public {
        JobId id = openSession();
        vm.expectEmit(address(sessions));
        emit ISessionMarket.SessionClosing(id, START + EXEC);
        closeAs(CLIENT, id);
        assertSession(id, SessionState.CLOSING);
        assertEq(sessions.getSession(id).closesAt, START + EXEC, "closesAt");
        assertEq(sessions.getSession(id).deposit, DEPOSIT, "deposit stays");
    }

    function test_closeSession__by_owner_or_worker__credits_the_client_at_once() public {
        address[2] memory callers = [OWNER, WORKER];
        for (uint256 i = 0; i < callers.length; ++i) {
            JobId id = openSession();
            uint256 before = accountOf(CLIENT).credit;
            // Also of a session that closes already.
            if (i == 1) closeAs(CLIENT, id);
            vm.expectEmit(address(sessions));
            emit ISessionMarket.SessionClosed(id, DEPOSIT);
            closeAs(callers[i], id);
            assertSession(id, SessionState.CLOSED);
            assertEq(accountOf(CLIENT).credit, before + DEPOSIT, "credit");
            assertSettled(id);
            checkCall(id, callers[i], closeCall(id), wrongSession(id, SessionState.OPEN));
        }
    }

    /* withdrawSession */

    function test_withdrawSession__open_or_too_early_or_again__reverts() public {
        JobId id = openSession();
        checkCall(id, CLIENT, withdrawCall(id), wrongSession(id, SessionState.CLOSING));
        closeAs(CLIENT, id);
        vm.warp(START + EXEC);
        bytes memory early =
            abi.encodeWithSelector(IJobMarket.DeadlineNotReached.selector, id, START + EXEC, START + EXEC);
        checkCall(id, CLIENT, withdrawCall(id), early);
        vm.warp(START + EXEC + 1);
        sessions.withdrawSession(id);
        checkCall(id, CLIENT, withdrawCall(id), wrongSession(id, SessionState.CLOSING));
    }

    function test_withdrawSession__by_anybody__credits_the_client() public {
        JobId id = openTokenSession();
        closeAs(CLIENT, id);
        vm.warp(START + EXEC + 1 + 1000);
        vm.prank(STRANGER);
        sessions.withdrawSession(id);
        assertSession(id, SessionState.CLOSED);
        assertEq(tokenAccountOf(CLIENT).credit, DEPOSIT, "credit");
        assertEq(tokenAccountOf(STRANGER).credit, 0, "no tip");
        assertSettled(id);
    }

    /* voidSession */

    function test_voidSession__open_and_closing__credit_the_client() public {
        JobId open = openSession();
        JobId closing = openSession();
        closeAs(CLIENT, closing);
        enterRefundMode();
        vm.expectEmit(address(sessions));
        emit ISessionMarket.SessionVoided(open, DEPOSIT);
        sessions.voidSession(open);
        sessions.voidSession(closing);
        assertSession(open, SessionState.VOIDED);
        assertSession(closing, SessionState.VOIDED);
        assertEq(accountOf(CLIENT).credit, 2 * uint256(DEPOSIT), "credit");
        assertSettled(open);
        assertSettled(closing);
        checkCall(open, CLIENT, voidCall(open), wrongSession(open, SessionState.OPEN));
    }

    function test_voidSession__closed__reverts() public {
        JobId id = openSession();
        closeAs(OWNER, id);
        enterRefundMode();
        checkCall(id, CLIENT, voidCall(id), wrongSession(id, SessionState.OPEN));
    }

    function test_voidSession__while_the_clock_stands__works() public {
        JobId id = openSession();
        actAsGuardian(IGuardian.Action.PAUSE);
        enterRefundMode();
        sessions.voidSession(id);
        assertSettled(id);
    }
}
