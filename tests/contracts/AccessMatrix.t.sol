// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {IOrderBook} from "../../contracts/interfaces/IOrderBook.sol";
import {IProtocolClock} from "../../contracts/interfaces/IProtocolClock.sol";
import {IResultRelay} from "../../contracts/interfaces/IResultRelay.sol";
import {ISessionMarket} from "../../contracts/interfaces/ISessionMarket.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {SignedResult} from "../../contracts/types/Dispute.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Adoption, JobTerms} from "../../contracts/types/Job.sol";
import {Leaf} from "../../contracts/types/Session.sol";
import {BondSplit, JobSplit, Parties, SlashSplit} from "../../contracts/types/Split.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {AccessTable} from "./AccessTable.sol";
import {AccessWorld} from "./AccessWorld.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Each state-changing function x each role (I27), from one table: who may, and with which error the others
/// are refused. Every row is set up so that nothing but the caller decides.
contract AccessMatrixTest is AccessWorld, AccessTable {
    function setUp() public override(AccessWorld, Deployment) {
        super.setUp();
        buildOwnerRows();
        buildLedgerRows();
        buildClientRows();
        buildWorkerRows();
        buildMarketRows();
        buildVerdictRows();
        buildGameRows();
        buildHeldRows();
        buildOrderRows();
        buildSessionRows();
        buildGuardianRows();
        buildRefundRows();
    }

    /* THE VAULT */

    function buildOwnerRows() private {
        address v = address(vault);
        bytes4 noStake = IStakeVault.InsufficientStake.selector;
        bytes4 zero = IStakeVault.ZeroAmount.selector;
        bytes4 notWorker = IStakeVault.NotWorker.selector;
        bytes4 notJailed = IStakeVault.NotJailed.selector;
        addPaid("StakeVault.deposit", v, 1, abi.encodeCall(IStakeVault.deposit, (ETH, 1)), EVERYBODY, 0);
        add("StakeVault.requestUnbond", v, abi.encodeCall(IStakeVault.requestUnbond, (ETH, 1)), STAKERS, noStake);
        add("StakeVault.withdrawUnbonded", v, abi.encodeCall(IStakeVault.withdrawUnbonded, (ETH)), THE_OWNER, zero);
        add("StakeVault.proposeWorker", v, abi.encodeCall(IStakeVault.proposeWorker, (vm.addr(99))), EVERYBODY, 0);
        add("StakeVault.unjail", v, abi.encodeCall(IStakeVault.unjail, ()), THE_JAILED | THE_JAILED_WORKER, notJailed);
        bytes4 notProposed = IStakeVault.NotProposed.selector;
        add("StakeVault.acceptOwner", v, abi.encodeCall(IStakeVault.acceptOwner, (OWNER)), THE_STRANGER, notProposed);
        uint256 bound_ = THE_WORKER | THE_JAILED_WORKER;
        add("StakeVault.leaveOwner", v, abi.encodeCall(IStakeVault.leaveOwner, ()), bound_, notWorker);
        bytes4 nothing = IStakeVault.NothingToWithdraw.selector;
        // The client has refunds, the owner was paid, the challenger had its bond returned.
        uint256 rich = THE_CLIENT | THE_OWNER | THE_CHALLENGER;
        add("StakeVault.withdrawCredit", v, abi.encodeCall(IStakeVault.withdrawCredit, (ETH)), rich, nothing);
    }

    function buildLedgerRows() private {
        address v = address(vault);
        (bytes4 market_, bytes4 game_) = (IStakeVault.NotMarket.selector, IStakeVault.NotGame.selector);
        JobId fresh = JobId.wrap(keccak256("fresh"));
        JobSplit memory refund;
        refund.feeToClient = FEE;
        Parties memory parties = Parties(CLIENT, OWNER, address(0), address(0));
        uint96 lock = vault.getFunds(ETH, inAirgap).lock;
        SlashSplit memory split = SlashSplit(lock, 0, 0, 0);
        BondSplit memory bonds = BondSplit(0, game.getDispute(due).bond, 0);
        address[] memory none = new address[](0);

        bytes memory call = abi.encodeCall(IStakeVault.addEscrow, (ETH, fresh, CLIENT, 1, true));
        addPaid("StakeVault.addEscrow", v, 1, call, THE_MARKET, market_);
        call = abi.encodeCall(IStakeVault.lockStake, (ETH, fresh, WORKER, 1));
        add("StakeVault.lockStake", v, call, THE_MARKET, market_);
        call = abi.encodeCall(IStakeVault.settleJob, (ETH, open, parties, refund));
        add("StakeVault.settleJob", v, call, THE_MARKET | THE_SESSIONS | THE_QUORUM, market_);
        call = abi.encodeCall(IStakeVault.divideSlash, (ETH, inAirgap, OWNER, CLIENT, none, split));
        add("StakeVault.divideSlash", v, call, JUDGES, market_);
        call = abi.encodeCall(IStakeVault.slashStake, (ETH, open, OWNER, 1000));
        add("StakeVault.slashStake", v, call, THE_MARKET, market_);
        add("StakeVault.jail", v, abi.encodeCall(IStakeVault.jail, (OWNER)), JUDGES, market_);
        add("StakeVault.recordMiss", v, abi.encodeCall(IStakeVault.recordMiss, (OWNER)), JUDGES, market_);
        call = abi.encodeCall(IStakeVault.addBond, (fresh, CHALLENGER, 1));
        addPaid("StakeVault.addBond", v, 1, call, THE_GAME | THE_PINPOINT, game_);
        call = abi.encodeCall(IStakeVault.settleBonds, (due, none, OWNER, bonds));
        add("StakeVault.settleBonds", v, call, THE_GAME | THE_PINPOINT, game_);
        addPaid("StakeVault.fund", v, 1, abi.encodeCall(IStakeVault.fund, (ETH, 1)), EVERYBODY, 0);
        call = abi.encodeCall(IStakeVault.chargeCredit, (ETH, fresh, CLIENT, 1));
        add("StakeVault.chargeCredit", v, call, THE_MARKET, market_);
        buildEscrowRows(v, fresh);
    }

    function buildEscrowRows(address v, JobId fresh) private {
        bytes4 notSessions = IStakeVault.NotSessions.selector;
        bytes memory call = abi.encodeCall(IStakeVault.addDeposit, (ETH, fresh, CLIENT, 1));
        addPaid("StakeVault.addDeposit", v, 1, call, THE_SESSIONS | THE_QUORUM, notSessions);
        call = abi.encodeCall(IStakeVault.fundBatch, (ETH, openedSession, fresh, WORKER, 1, 1));
        add("StakeVault.fundBatch", v, call, THE_SESSIONS | THE_QUORUM, notSessions);
        call = abi.encodeCall(IStakeVault.splitFunds, (ETH, committedBatchId, fresh, 1, 1));
        add("StakeVault.splitFunds", v, call, THE_SESSIONS, notSessions);
    }

    /* THE MARKET */

    function buildClientRows() private {
        address m = address(market);
        bytes4 notClient = IJobMarket.NotClient.selector;
        bytes memory call = abi.encodeCall(IJobMarket.createJob, (jobParams(FEE)));
        addPaid("JobMarket.createJob", m, FEE, call, EVERYBODY, 0);
        add("JobMarket.cancelJob", m, abi.encodeCall(IJobMarket.cancelJob, (open)), THE_CLIENT, notClient);
        call = abi.encodeCall(IJobMarket.requestDelivery, (committed));
        uint256 payment = market.computeDeliveryPayment(committed);
        addPaid("JobMarket.requestDelivery", m, payment, call, THE_CLIENT, notClient);
    }

    function buildWorkerRows() private {
        address m = address(market);
        bytes4 notOperator = IJobMarket.NotOperator.selector;
        bytes memory call = abi.encodeCall(IJobMarket.acceptJob, (open));
        add("JobMarket.acceptJob", m, call, THE_WORKER, IStakeVault.NotWorker.selector);
        add("JobMarket.rejectJob", m, abi.encodeCall(IJobMarket.rejectJob, (assigned)), THE_WORKER, notOperator);
        call = abi.encodeCall(IJobMarket.commitResult, (assigned, OUT_DIGEST, ""));
        add("JobMarket.commitResult", m, call, THE_WORKER, notOperator);
        call = abi.encodeCall(IJobMarket.deliverOutput, (owed, 1, dims(), OUTPUT));
        add("JobMarket.deliverOutput", m, call, EVERYBODY, 0);
    }

    function buildMarketRows() private {
        address m = address(market);
        add("JobMarket.finalise", m, abi.encodeCall(IJobMarket.finalise, (committedAndOverdue)), EVERYBODY, 0);
        add("JobMarket.expireJob", m, abi.encodeCall(IJobMarket.expireJob, (openAndOverdue)), EVERYBODY, 0);
        add("JobMarket.failJob", m, abi.encodeCall(IJobMarket.failJob, (assignedAndOverdue)), EVERYBODY, 0);
    }

    function buildVerdictRows() private {
        address m = address(market);
        bytes4 notGame = IJobMarket.NotDisputeGame.selector;
        address[] memory none = new address[](0);
        bytes memory call = abi.encodeCall(IJobMarket.disputeJob, (committed, OUT_DIGEST, false));
        add("JobMarket.disputeJob", m, call, THE_GAME, notGame);
        add("JobMarket.settleProven", m, abi.encodeCall(IJobMarket.settleProven, (due)), THE_GAME, notGame);
        call = abi.encodeCall(IJobMarket.settleDefended, (heldAndOverdue, STRANGER));
        add("JobMarket.settleDefended", m, call, THE_GAME, notGame);
        call = abi.encodeCall(IJobMarket.settleRejected, (due, 0));
        add("JobMarket.settleRejected", m, call, THE_GAME, notGame);
        call = abi.encodeCall(IJobMarket.divideSlash, (inAirgap, none, true));
        add("JobMarket.divideSlash", m, call, THE_GAME, notGame);
        JobTerms memory terms = requestTerms(committedBatchId, 0);
        terms.fee = 1;
        call = abi.encodeCall(IJobMarket.openOrder, (terms, WORKER, ""));
        add("JobMarket.openOrder", m, call, THE_ORDERS, IJobMarket.NotOrders.selector);
        call = abi.encodeCall(IJobMarket.adoptJob, (terms, Adoption(OWNER, OUT_DIGEST, uint40(block.timestamp), 1, 0)));
        add("JobMarket.adoptJob", m, call, THE_SESSIONS | THE_QUORUM, IJobMarket.NotSessions.selector);
    }

    /* THE GAME AND THE REGISTRY */

    function buildGameRows() private {
        address g = address(game);
        bytes memory call = abi.encodeCall(IDisputeGame.challenge, (committed, OUT_DIGEST));
        addPaid("DisputeGame.challenge", g, game.requiredBond(committed), call, EVERYBODY, 0);
        call = abi.encodeCall(IDisputeGame.challengeFor, (committed, OUT_DIGEST, STRANGER));
        uint256 bond = game.requiredBond(committed);
        addPaid("DisputeGame.challengeFor", g, bond, call, THE_SESSIONS | THE_QUORUM, IDisputeGame.NotSessions.selector);
        call = abi.encodeCall(IDisputeGame.requestProof, (proofRequired, OUT_DIGEST));
        add("DisputeGame.requestProof", g, call, EVERYBODY, 0);
        call = abi.encodeCall(IDisputeGame.prove, (due, termsOf(due), "", "", ""));
        add("DisputeGame.prove", g, call, EVERYBODY, 0);
        add("DisputeGame.claimDefault", g, abi.encodeCall(IDisputeGame.claimDefault, (overdue)), EVERYBODY, 0);
        call = abi.encodeCall(IDisputeGame.cure, (inAirgap, termsOf(inAirgap), "", "", ""));
        add("DisputeGame.cure", g, call, EVERYBODY, 0);
        call = abi.encodeCall(IDisputeGame.distributeSlash, (overAirgap));
        add("DisputeGame.distributeSlash", g, call, EVERYBODY, 0);
        call = abi.encodeCall(IDisputeGame.announceEvidence, (keccak256("evidence")));
        add("DisputeGame.announceEvidence", g, call, EVERYBODY, 0);
        (SignedResult memory first, SignedResult memory second) = equivocation();
        call = abi.encodeCall(IDisputeGame.proveEquivocation, (assigned, first, second, bytes32(0)));
        add("DisputeGame.proveEquivocation", g, call, THE_CHALLENGER, IDisputeGame.NotAnnounced.selector);

        VersionParams memory params = versionParams();
        params.uri = "file:another";
        call = abi.encodeCall(IModelRegistry.registerVersion, (params));
        add("ModelRegistry.registerVersion", address(registry), call, EVERYBODY, 0);
    }

    /* WHAT OTHER MODULES DO THROUGH THE GAME */

    function buildHeldRows() private {
        address g = address(game);
        bytes4 notPinpoint = IDisputeGame.NotPinpoint.selector;
        address[] memory none = new address[](0);
        bytes memory call = abi.encodeCall(IDisputeGame.holdFor, (committed, OUT_DIGEST));
        add("DisputeGame.holdFor", g, call, THE_PINPOINT, notPinpoint);
        call = abi.encodeCall(IDisputeGame.releaseFor, (held, OWNER));
        add("DisputeGame.releaseFor", g, call, THE_PINPOINT, notPinpoint);
        call = abi.encodeCall(IDisputeGame.settleDefended, (heldAndOverdue, STRANGER));
        add("DisputeGame.settleDefended", g, call, THE_PINPOINT, notPinpoint);
        call = abi.encodeCall(IDisputeGame.rejectFor, (held, none, true));
        add("DisputeGame.rejectFor", g, call, THE_PINPOINT, notPinpoint);
        call = abi.encodeCall(IDisputeGame.cureFor, (inAirgap, STRANGER));
        add("DisputeGame.cureFor", g, call, THE_PINPOINT, notPinpoint);
        call = abi.encodeCall(IDisputeGame.auditFor, (committed, OUT_DIGEST));
        add("DisputeGame.auditFor", g, call, THE_AUDITS, IDisputeGame.NotAudits.selector);
    }

    /* ORDERS AND RESULTS */

    function buildOrderRows() private {
        (address o, address r) = (address(orders), address(relay));
        bytes memory call = abi.encodeCall(IOrderBook.takeOrder, (signedOrder, orderSignature, ""));
        add("OrderBook.takeOrder", o, call, THE_WORKER, IStakeVault.NotWorker.selector);
        call = abi.encodeCall(IOrderBook.cancelOrder, (signedOrder));
        add("OrderBook.cancelOrder", o, call, THE_CLIENT, IOrderBook.NotOrderClient.selector);
        call = abi.encodeCall(IResultRelay.subscribe, (open, address(market), 1));
        add("ResultRelay.subscribe", r, call, THE_CLIENT, IResultRelay.NotClient.selector);
        call = abi.encodeCall(IResultRelay.deliver, (awaited, 1, dims(), OUTPUT));
        add("ResultRelay.deliver", r, call, EVERYBODY, 0);
    }

    /* SESSIONS */

    function buildSessionRows() private {
        address s = address(sessions);
        bytes4 notClient = IJobMarket.NotClient.selector;
        bytes memory call = abi.encodeCall(ISessionMarket.openSession, (openParams(), FEE));
        addPaid("SessionMarket.openSession", s, FEE, call, EVERYBODY, 0);
        call = abi.encodeCall(ISessionMarket.addDeposit, (openedSession, 1));
        addPaid("SessionMarket.addDeposit", s, 1, call, THE_CLIENT, notClient);
        call = abi.encodeCall(ISessionMarket.closeSession, (openedSession));
        add("SessionMarket.closeSession", s, call, THE_CLIENT | THE_OWNER | THE_WORKER, notClient);
        call = abi.encodeCall(ISessionMarket.withdrawSession, (closedSession));
        add("SessionMarket.withdrawSession", s, call, EVERYBODY, 0);
        call = abi.encodeCall(ISessionMarket.commitBatch, (openedSession, signItems(openedSession, 2, 1)));
        add("SessionMarket.commitBatch", s, call, THE_WORKER, IJobMarket.NotOperator.selector);
        Leaf memory leaf = leafOf(committedBatchId, 1);
        bytes32[] memory path = pathOf(committedBatchId, 1);
        call = abi.encodeCall(ISessionMarket.extract, (committedBatchId, leaf, path));
        add("SessionMarket.extract", s, call, THE_CLIENT, notClient);
        call = abi.encodeCall(ISessionMarket.challenge, (committedBatchId, leaf, path));
        addPaid("SessionMarket.challenge", s, game.requiredBond(committed), call, EVERYBODY, 0);
        call = abi.encodeCall(ISessionMarket.finaliseBatch, (overdueBatch));
        add("SessionMarket.finaliseBatch", s, call, EVERYBODY, 0);
    }

    /* THE GUARDIAN */

    function buildGuardianRows() private {
        (address a, address m) = (address(guardian), address(market));
        bytes4 notMember = IGuardian.NotMember.selector;
        bytes4 notGuardian = IProtocolClock.NotGuardian.selector;
        bytes memory call = abi.encodeCall(IGuardian.approve, (IGuardian.Action.PAUSE));
        add("Guardian.approve", a, call, THE_MEMBER, notMember);
        call = abi.encodeCall(IGuardian.withdrawApproval, (IGuardian.Action.REFUND));
        add("Guardian.withdrawApproval", a, call, THE_MEMBER, notMember);
        add("JobMarket.pause", m, abi.encodeCall(IProtocolClock.pause, ()), THE_GUARDIAN, notGuardian);
        add(
            "JobMarket.enterRefundMode",
            m,
            abi.encodeCall(IProtocolClock.enterRefundMode, ()),
            THE_GUARDIAN,
            notGuardian
        );
        mode = Mode.PAUSED;
        add("JobMarket.unpause", m, abi.encodeCall(IProtocolClock.unpause, ()), THE_GUARDIAN, notGuardian);
    }

    function buildRefundRows() private {
        mode = Mode.REFUND;
        address m = address(market);
        bytes4 notGame = IJobMarket.NotDisputeGame.selector;
        add("JobMarket.voidJob", m, abi.encodeCall(IJobMarket.voidJob, (assigned)), EVERYBODY, 0);
        add("JobMarket.settleVoided", m, abi.encodeCall(IJobMarket.settleVoided, (due)), THE_GAME, notGame);
        bytes4 notPinpoint = IDisputeGame.NotPinpoint.selector;
        bytes memory call = abi.encodeCall(IDisputeGame.voidFor, (held));
        add("DisputeGame.voidFor", address(game), call, THE_PINPOINT, notPinpoint);
        add("DisputeGame.voidDispute", address(game), abi.encodeCall(IDisputeGame.voidDispute, (due)), EVERYBODY, 0);
        call = abi.encodeCall(ISessionMarket.voidSession, (openedSession));
        add("SessionMarket.voidSession", address(sessions), call, EVERYBODY, 0);
        call = abi.encodeCall(ISessionMarket.voidBatch, (committedBatchId));
        add("SessionMarket.voidBatch", address(sessions), call, EVERYBODY, 0);
    }
}
