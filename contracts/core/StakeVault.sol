// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {JobId} from "../types/Ids.sol";
import {Modules} from "../types/Modules.sol";
import {Parameters} from "../types/Parameters.sol";
import {BondSplit, JobSplit, Parties, SlashSplit} from "../types/Split.sol";
import {Account, JobFunds, LockStatus} from "../types/Stake.sol";
import {Escrows} from "./Escrows.sol";
import {Ledger} from "./Ledger.sol";
import {VaultModules} from "./VaultModules.sol";
import {Workers} from "./Workers.sol";

/// @title The only holder of value
contract StakeVault is Escrows {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev Hundredths of a percent in a whole.
    uint256 private constant BPS = 10_000;

    /* IMMUTABLES */

    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    /* STORAGE */

    /// @inheritdoc IStakeVault
    mapping(JobId => uint256) public bondsOf;

    /// @dev One more than the bonds of all disputes of the game of pinpointing, from the first on: a word that was used once
    /// costs little to use again.
    uint256 private pinpointSum;

    /* CONSTRUCTOR */

    constructor(Modules memory modules, address token, Parameters memory p)
        VaultModules(modules)
        Ledger(token, p.unbondSeconds)
        Workers(p)
    {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
    }

    /* THE MARKET */

    /// @inheritdoc IStakeVault
    function settleJob(address token, JobId jobId, Parties calldata parties, JobSplit calldata split)
        external
        onlySettler
    {
        JobFunds memory job = funds[token][jobId];
        // INVARIANT: a lock leaves ACTIVE once: no second slash, no second release (I3).
        if (job.status > LockStatus.ACTIVE) revert WrongLockStatus(jobId, job.status);
        checkBalance(sumFee(split), job.escrow);
        // INVARIANT: a slash takes the lock, never more of it than there is (I4).
        checkBalance(sumLock(split), job.lock);

        settleLock(token, jobId, parties.operator, job, split);
        credit(token, jobId, parties.operator, split.feeToOperator);
        credit(token, jobId, parties.client, uint256(split.feeToClient) + split.lockToClient);
        credit(token, jobId, parties.modelOwner, split.feeToModelOwner);
        credit(token, jobId, parties.keeper, uint256(split.feeToKeeper) + split.lockToKeeper);
        burn(token, jobId, uint256(split.feeToBurn) + split.lockToBurn);
    }

    /// @inheritdoc IStakeVault
    function divideSlash(
        address token,
        JobId jobId,
        address operator,
        address client,
        address[] calldata challengers,
        SlashSplit calldata split
    ) external onlyJudge {
        JobFunds memory job = funds[token][jobId];
        // INVARIANT: a slashed lock is divided once.
        if (job.status != LockStatus.SLASHED) revert WrongLockStatus(jobId, job.status);
        checkBalance(uint256(split.toOperator) + split.toClient + split.toChallengers + split.toBurn, job.lock);

        funds[token][jobId] = JobFunds(0, 0, LockStatus.DIVIDED);
        accounts[token][operator].free += uint256(split.toOperator).toUint88();
        emit SlashDivided(token, jobId, operator, split.toOperator);
        credit(token, jobId, client, split.toClient);
        uint256 rest = creditEqually(token, jobId, challengers, split.toChallengers);
        burn(token, jobId, split.toBurn + rest);
    }

    /// @inheritdoc IStakeVault
    function slashStake(address token, JobId jobId, address operator, uint256 bps) external onlyMarket {
        Account storage account = accounts[token][operator];
        (uint88 free, uint88 unbonding) = (account.free, account.unbonding);
        // No check that bps is at most a whole: a part above it fails the subtractions below.
        uint88 fromFree = (free * bps / BPS).toUint88();
        uint88 fromUnbonding = (unbonding * bps / BPS).toUint88();

        account.free = free - fromFree;
        account.unbonding = unbonding - fromUnbonding;
        emit StakeSlashed(token, jobId, operator, fromFree, fromUnbonding);
        burn(token, jobId, uint256(fromFree) + fromUnbonding);
    }

    /* THE GAMES */

    /// @inheritdoc IStakeVault
    function addBond(JobId jobId, address challenger, uint96 amount) external payable onlyGames {
        if (msg.value < amount) revert WrongValue(msg.value, amount);

        if (msg.sender == PINPOINT) {
            pinpointSum = pinpointBonds() + uint256(amount).toUint80() + 1;
        } else {
            // Narrowed, so that whatever comes in can be credited when it goes out.
            bondsOf[jobId] = (bondsOf[jobId] + amount).toUint80();
        }
        emit BondAdded(jobId, challenger, amount);
        credit(ETH, jobId, challenger, msg.value - amount);
    }

    /// @inheritdoc IStakeVault
    function settleBonds(JobId jobId, address[] calldata challengers, address defender, BondSplit calldata split)
        external
        onlyGames
    {
        uint256 sum = uint256(split.toChallengers) + split.toDefender + split.toBurn;
        if (msg.sender == PINPOINT) {
            uint256 held = pinpointBonds();
            // INVARIANT: no dispute over a trace touches money that is not such a dispute's bond.
            if (sum > held) revert Unbalanced(sum, held);
            pinpointSum = held - sum + 1;
        } else {
            checkBalance(sum, bondsOf[jobId]);
            delete bondsOf[jobId];
        }
        emit BondsSettled(jobId, sum);
        credit(ETH, jobId, defender, split.toDefender);
        uint256 rest = creditEqually(ETH, jobId, challengers, split.toChallengers);
        burn(ETH, jobId, split.toBurn + rest);
    }

    /* STEPS */

    /// @dev Ends the escrow, and the lock if there is one: held whole for the airgap, or back to its operator but for
    /// what the split fines.
    function settleLock(address token, JobId jobId, address operator, JobFunds memory job, JobSplit calldata split)
        private
    {
        if (job.status == LockStatus.NONE) {
            delete funds[token][jobId];
            return;
        }
        Account storage account = accounts[token][operator];
        uint88 lock = job.lock;
        if (split.lockHeld != 0) {
            // INVARIANT: a lock is slashed whole; who gets what of it is decided after the airgap.
            checkBalance(split.lockHeld, lock);
            account.locked -= lock;
            funds[token][jobId] = JobFunds(0, lock, LockStatus.SLASHED);
            emit LockSlashed(token, jobId, operator, lock);
            return;
        }
        uint88 returned = uint256(split.lockToOperator).toUint88();
        (account.free, account.locked) = (account.free + returned, account.locked - lock);
        funds[token][jobId] = JobFunds(0, 0, LockStatus.RELEASED);
        emit LockReleased(token, jobId, operator, returned, lock - returned);
    }

    function checkBalance(uint256 parts, uint256 whole) private pure {
        if (parts != whole) revert Unbalanced(parts, whole);
    }

    function sumFee(JobSplit calldata split) private pure returns (uint256) {
        return
            uint256(split.feeToOperator) + split.feeToClient + split.feeToModelOwner + split.feeToKeeper
                + split.feeToBurn;
    }

    function sumLock(JobSplit calldata split) private pure returns (uint256) {
        return
            uint256(split.lockToOperator) + split.lockToClient + split.lockToKeeper + split.lockToBurn + split.lockHeld;
    }

    /* VIEWS */

    /// @inheritdoc IStakeVault
    function pinpointBonds() public view returns (uint256) {
        uint256 sum = pinpointSum;
        return sum == 0 ? 0 : sum - 1;
    }
}
