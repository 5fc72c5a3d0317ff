// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Guardian} from "../../contracts/core/Guardian.sol";
import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {SessionMarket} from "../../contracts/core/SessionMarket.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {PlainToken} from "../../contracts/mocks/PlainToken.sol";
import {Log} from "./Cheats.sol";
import {GhostSessions} from "./GhostSessions.sol";

/// @notice The deployment that random actors work on.
struct World {
    StakeVault vault;
    JobMarket market;
    DisputeGame game;
    Guardian guardian;
    MockVerifier verifier;
    PlainToken token;
    bytes32 version;
    SessionMarket sessions;
}

/// @notice Actors, time and prices, and the one way in which a call is made: its success is forecast from the ghost
/// ledger alone (I24: every call outside the table reverts); a wrong forecast is a violation.
abstract contract HandlerBase is GhostSessions {
    uint256 public constant PEOPLE = 5;
    uint256 public constant FUNDS = 1_000_000 ether;
    uint256 internal constant PERSON_KEY = 100;
    uint256 internal constant WORKER_KEY = 200;

    address internal constant ETH = address(0);

    World internal world;
    address[PEOPLE] public people;
    address[PEOPLE] public workers;
    /// @dev What accounts sent along, or had taken from their allowance, with calls that succeeded.
    mapping(address token => mapping(address => uint256)) public paidIn;
    /// @dev Kept here, because each call of the fuzzer must go on where the last one stopped.
    uint256 internal time;
    uint256 internal blockNumber;
    uint256 internal baseFee;
    /// @dev Ids of jobs whose money has not settled.
    bytes32[] internal live;

    constructor(World memory world_) {
        world = world_;
        ghostToken = address(world_.token);
        (time, blockNumber) = (block.timestamp, block.number);
        for (uint256 i = 0; i < PEOPLE; ++i) {
            (people[i], workers[i]) = (vm.addr(PERSON_KEY + i), vm.addr(WORKER_KEY + i));
            fund(people[i]);
            fund(workers[i]);
        }
    }

    function fund(address account) private {
        vm.deal(account, FUNDS);
        world.token.mint(account, FUNDS);
        vm.prank(account);
        world.token.approve(address(world.vault), type(uint256).max);
    }

    /* CALLS */

    function setBlock() internal {
        vm.warp(time);
        vm.roll(blockNumber);
        vm.fee(baseFee);
    }

    function run(address target, address sender, uint256 value, bytes memory call) internal returns (bool success) {
        setBlock();
        vm.prevrandao(keccak256(abi.encode(blockNumber)));
        vm.recordLogs();
        vm.prank(sender);
        (success,) = target.call{value: value}(call);
        // The events of a call that reverted are recorded too, and mean nothing.
        Log[] memory logs = vm.getRecordedLogs();
        if (!success) return false;
        paidIn[ETH][sender] += value;
        applyLogs(logs);
    }

    /// @dev Runs a step and compares with the forecast.
    function expect(bool forecast, address target, address sender, uint256 value, bytes memory call)
        internal
        returns (bool success)
    {
        success = run(target, sender, value, call);
        require_(success == forecast, forecast ? "I24: a legal step was refused" : "I24: an illegal step was let in");
    }

    function personOf(uint256 seed) internal view returns (address) {
        return people[seed % PEOPLE];
    }

    /// @dev From the ghost ledger: the worker that serves `person`, or nobody.
    function workerOf(address person) internal view returns (address) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            if (ghostWorkers[workers[i]] == person) return workers[i];
        }
        return address(0);
    }

    /// @dev Whether steps of jobs are possible at all.
    function running() internal view returns (bool) {
        return !ghostPaused() && !ghostRefund;
    }

    /* TIME AND PRICES */

    /// @notice Mostly a few seconds pass; now and then minutes, or the base fee moves.
    function passTime(uint256 kind, uint256 x) external {
        kind = kind % 16;
        if (kind == 0) passSeconds(bound(x, 40, 400));
        else if (kind < 3) baseFee = bound(x, 0, 5 gwei);
        else passSeconds(bound(x, 0, 12));
    }

    function passSeconds(uint256 duration) internal {
        time += duration;
        blockNumber += duration / 2;
        setBlock();
    }

    function price() internal view returns (uint256) {
        return baseFee > 1 gwei ? baseFee : 1 gwei;
    }

    /* STAKE AND CREDIT */

    function depositAs(address owner, address token, uint256 amount) internal {
        bytes memory call = abi.encodeCall(world.vault.deposit, (token, amount));
        if (expect(true, address(world.vault), owner, token == ETH ? amount : 0, call) && token != ETH) {
            paidIn[token][owner] += amount;
        }
    }

    function bindAs(address owner, address worker) internal {
        bool isFree = ghostServed[worker] == address(0) || ghostServed[worker] == owner;
        expect(isFree, address(world.vault), owner, 0, abi.encodeCall(world.vault.proposeWorker, (worker)));
        expect(isFree, address(world.vault), worker, 0, abi.encodeCall(world.vault.acceptOwner, (owner)));
    }
}
