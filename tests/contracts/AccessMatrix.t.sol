// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {BondSplit, JobSplit} from "../../contracts/types/Split.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Each state-changing function x each role (I27), from one table: who may, and with which error the others
/// are refused. Every row is set up so that nothing but the caller decides.
contract AccessMatrixTest is Deployment {
    /// @dev One row of the table.
    struct Row {
        string name;
        address target;
        uint256 value;
        bytes call;
        /// Who may: one bit a role.
        uint256 allowed;
        /// Error for everybody else.
        bytes4 refusal;
    }

    uint256 private constant ROLES = 10;
    uint256 private constant THE_CLIENT = 1 << 0;
    uint256 private constant THE_OWNER = 1 << 1;
    uint256 private constant THE_WORKER = 1 << 2;
    uint256 private constant THE_CHALLENGER = 1 << 3;
    uint256 private constant THE_DEPLOYER = 1 << 5;
    uint256 private constant THE_MARKET = 1 << 7;
    uint256 private constant THE_GAME = 1 << 8;
    uint256 private constant EVERYBODY = (1 << ROLES) - 1;

    Row[] private table;
    address[ROLES] private roles;

    /* Jobs of the world, one in each state that a row needs. */
    JobId private open;
    JobId private openAndOverdue;
    JobId private assigned;
    JobId private assignedAndOverdue;
    JobId private committed;
    JobId private committedAndOverdue;
    DisputeId private due;
    DisputeId private overdue;
    StakeVault private unwired;

    function setUp() public override {
        super.setUp();
        roles = [
            CLIENT,
            OWNER,
            WORKER,
            CHALLENGER,
            STRANGER,
            address(this),
            address(vault),
            address(market),
            address(game),
            address(registry)
        ];
        // The vault has money of its own already: the operator's stake.
        for (uint256 i = 0; i < ROLES; ++i) {
            if (roles[i] != address(vault)) vm.deal(roles[i], 1000 ether);
        }
        buildWorld();
        buildVaultRows();
        buildMarketRows();
        buildGameAndRegistryRows();
    }

    /* THE WORLD */

    function buildWorld() private {
        openAndOverdue = createJob();
        assignedAndOverdue = acceptedJob();
        committedAndOverdue = committedJob();
        (, overdue) = challengedJob();
        vm.prank(OWNER);
        vault.requestUnbond(1 ether);
        vm.warp(START + 1000);
        open = createJob();
        assigned = acceptedJob();
        committed = committedJob();
        (, due) = challengedJob();
        unwired = new StakeVault(localPreset());
        // Credit for the client, and for nobody else.
        JobId cancelled = createJob();
        vm.prank(CLIENT);
        market.cancelJob(cancelled);
    }

    function add(string memory name, address target, uint256 value, bytes memory call, uint256 allowed, bytes4 refusal)
        private
    {
        table.push(Row(name, target, value, call, allowed, refusal));
    }

    /* THE TABLE */

    function buildVaultRows() private {
        address v = address(vault);
        JobMarket unwiredMarket = new JobMarket(address(unwired), address(registry), localPreset());
        DisputeGame unwiredGame =
            new DisputeGame(address(unwired), address(registry), address(unwiredMarket), localPreset());
        bytes memory modules = abi.encodeCall(IStakeVault.setModules, (address(unwiredMarket), address(unwiredGame)));
        JobId fresh = JobId.wrap(1000);
        DisputeId freshDispute = DisputeId.wrap(1000);
        JobSplit memory refund;
        refund.feeToClient = FEE;
        uint96 bond = game.getDispute(due).bond;

        add("StakeVault.setModules", address(unwired), 0, modules, THE_DEPLOYER, IStakeVault.NotDeployer.selector);
        add("StakeVault.deposit", v, 1, abi.encodeCall(IStakeVault.deposit, ()), EVERYBODY, 0);
        add(
            "StakeVault.requestUnbond",
            v,
            0,
            abi.encodeCall(IStakeVault.requestUnbond, (1)),
            THE_OWNER,
            IStakeVault.InsufficientStake.selector
        );
        add(
            "StakeVault.withdrawUnbonded",
            v,
            0,
            abi.encodeCall(IStakeVault.withdrawUnbonded, ()),
            THE_OWNER,
            IStakeVault.ZeroAmount.selector
        );
        add("StakeVault.setWorker", v, 0, abi.encodeCall(IStakeVault.setWorker, (vm.addr(99))), EVERYBODY, 0);
        add(
            "StakeVault.leaveOwner",
            v,
            0,
            abi.encodeCall(IStakeVault.leaveOwner, ()),
            THE_WORKER,
            IStakeVault.NotWorker.selector
        );
        add(
            "StakeVault.withdrawCredit",
            v,
            0,
            abi.encodeCall(IStakeVault.withdrawCredit, (ETH)),
            THE_CLIENT,
            IStakeVault.NothingToWithdraw.selector
        );
        add(
            "StakeVault.openEscrow",
            v,
            1,
            abi.encodeCall(IStakeVault.openEscrow, (ETH, fresh, 1)),
            THE_MARKET,
            IStakeVault.NotMarket.selector
        );
        add(
            "StakeVault.lockStake",
            v,
            0,
            abi.encodeCall(IStakeVault.lockStake, (ETH, fresh, WORKER, 1)),
            THE_MARKET,
            IStakeVault.NotMarket.selector
        );
        add(
            "StakeVault.settleJob",
            v,
            0,
            abi.encodeCall(IStakeVault.settleJob, (ETH, open, CLIENT, address(0), refund)),
            THE_MARKET,
            IStakeVault.NotMarket.selector
        );
        add(
            "StakeVault.openBond",
            v,
            1,
            abi.encodeCall(IStakeVault.openBond, (ETH, freshDispute, CHALLENGER, 1)),
            THE_GAME,
            IStakeVault.NotGame.selector
        );
        add(
            "StakeVault.settleBond",
            v,
            0,
            abi.encodeCall(IStakeVault.settleBond, (ETH, due, CHALLENGER, OWNER, BondSplit(bond, 0, 0))),
            THE_GAME,
            IStakeVault.NotGame.selector
        );
    }

    function buildMarketRows() private {
        address m = address(market);
        bytes4 notGame = IJobMarket.NotDisputeGame.selector;
        JobId disputed = game.getDispute(due).jobId;

        add("JobMarket.createJob", m, FEE, abi.encodeCall(IJobMarket.createJob, (jobParams(FEE))), EVERYBODY, 0);
        add(
            "JobMarket.cancelJob",
            m,
            0,
            abi.encodeCall(IJobMarket.cancelJob, (open)),
            THE_CLIENT,
            IJobMarket.NotClient.selector
        );
        add(
            "JobMarket.acceptJob",
            m,
            0,
            abi.encodeCall(IJobMarket.acceptJob, (open)),
            THE_WORKER,
            IStakeVault.NotWorker.selector
        );
        add(
            "JobMarket.commitResult",
            m,
            0,
            abi.encodeCall(IJobMarket.commitResult, (assigned, OUT_DIGEST, "")),
            THE_WORKER,
            IJobMarket.NotOperator.selector
        );
        add("JobMarket.finalise", m, 0, abi.encodeCall(IJobMarket.finalise, (committedAndOverdue)), EVERYBODY, 0);
        add("JobMarket.expireJob", m, 0, abi.encodeCall(IJobMarket.expireJob, (openAndOverdue)), EVERYBODY, 0);
        add("JobMarket.failJob", m, 0, abi.encodeCall(IJobMarket.failJob, (assignedAndOverdue)), EVERYBODY, 0);
        add(
            "JobMarket.disputeJob",
            m,
            0,
            abi.encodeCall(IJobMarket.disputeJob, (committed, OUT_DIGEST)),
            THE_GAME,
            notGame
        );
        add("JobMarket.settleProven", m, 0, abi.encodeCall(IJobMarket.settleProven, (disputed)), THE_GAME, notGame);
        add(
            "JobMarket.settleRejected",
            m,
            0,
            abi.encodeCall(IJobMarket.settleRejected, (disputed, STRANGER)),
            THE_GAME,
            notGame
        );
    }

    function buildGameAndRegistryRows() private {
        address g = address(game);
        VersionParams memory params = versionParams();
        params.uri = "file:another";

        add(
            "DisputeGame.challenge",
            g,
            game.requiredBond(committed),
            abi.encodeCall(IDisputeGame.challenge, (committed, OUT_DIGEST)),
            EVERYBODY,
            0
        );
        add("DisputeGame.prove", g, 0, abi.encodeCall(IDisputeGame.prove, (due, "", "", "")), EVERYBODY, 0);
        add("DisputeGame.claimDefault", g, 0, abi.encodeCall(IDisputeGame.claimDefault, (overdue)), EVERYBODY, 0);
        add(
            "ModelRegistry.registerVersion",
            address(registry),
            0,
            abi.encodeCall(IModelRegistry.registerVersion, (params)),
            EVERYBODY,
            0
        );
    }

    /* THE TEST */

    function test_access__every_function_by_every_role() public {
        for (uint256 row = 0; row < table.length; ++row) {
            for (uint256 role = 0; role < ROLES; ++role) {
                uint256 state = vm.snapshotState();
                check(table[row], role);
                vm.revertToState(state);
            }
        }
    }

    function check(Row memory row, uint256 role) private {
        string memory what = string.concat(row.name, " by role ", vm.toString(role));
        vm.prank(roles[role]);
        (bool success, bytes memory reason) = row.target.call{value: row.value}(row.call);
        if (row.allowed >> role & 1 == 1) {
            assertTrue(success, string.concat(what, ": refused"));
        } else {
            assertTrue(!success, string.concat(what, ": let in"));
            assertEq(bytes32(bytes4(reason)), bytes32(row.refusal), what);
        }
    }
}
