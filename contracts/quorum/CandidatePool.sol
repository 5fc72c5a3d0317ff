// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ICandidatePool} from "../interfaces/ICandidatePool.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Lots} from "../libraries/Lots.sol";
import {Candidate, Search} from "../types/Quorum.sol";
import {Account} from "../types/Stake.sol";

/// @title Lists of candidates, and the lottery over them
contract CandidatePool is ICandidatePool {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @inheritdoc ICandidatePool
    uint256 public constant MAX_CANDIDATES = 64; // a draw reads all of them: some 1.5 million gas
    /// @inheritdoc ICandidatePool
    uint256 public constant WEIGHT_CAP_LOCKS = 16;

    /// @dev To take the place of another, have so many times its stake: pushing others out costs more than staying.
    uint256 private constant EVICTION_FACTOR = 2;
    /// @dev The lot of who is not to be drawn.
    uint256 private constant NO_LOT = type(uint256).max;

    /// @dev The token of stakes where it is not the ERC-20.
    address private constant ETH = address(0);

    /* IMMUTABLES */

    /// @inheritdoc ICandidatePool
    address public immutable VAULT;
    /// @inheritdoc ICandidatePool
    address public immutable REGISTRY;

    /// @dev The vault's ERC-20, or 0.
    address private immutable TOKEN;

    /* STORAGE */

    mapping(bytes32 version => mapping(address token => Candidate[])) private candidates;
    /// @dev Counted from 1; 0 for who is not enlisted.
    mapping(bytes32 version => mapping(address token => mapping(address operator => uint256))) private places;
    mapping(address tag => mapping(address owner => bool)) private admitted;

    /* CONSTRUCTOR */

    constructor(address vault, address registry) {
        (VAULT, REGISTRY) = (vault, registry);
        TOKEN = IStakeVault(vault).TOKEN();
    }

    /* OPERATORS */

    /// @inheritdoc ICandidatePool
    function admit(address owner, bool isWanted) external {
        admitted[msg.sender][owner] = isWanted;
        emit TagChanged(msg.sender, owner, isWanted);
    }

    /// @inheritdoc ICandidatePool
    function enlist(bytes32 version, address token, address tag, uint96 minFee) external {
        address operator = IStakeVault(VAULT).operatorOf(msg.sender);
        if (operator == address(0)) revert IStakeVault.NotWorker(msg.sender);
        if (!IModelRegistry(REGISTRY).isVersion(version)) revert IJobMarket.UnknownModelVersion(version);
        if (token != ETH && token != TOKEN) revert IJobMarket.UnsupportedFeeToken(token);
        if (!isAdmitted(tag, operator)) revert NotAdmitted(tag, operator);
        uint256 stake = readStake(token, operator);
        if (stake == 0) revert IStakeVault.InsufficientStake(operator, 0, 1);

        Candidate memory candidate = Candidate({
            operator: operator,
            since: block.number.toUint48(),
            unbondBefore: (IProtocolClock(IStakeVault(VAULT).MARKET()).clock() + IStakeVault(VAULT).UNBOND())
            .toUint40(),
            tag: tag,
            stake: stake.toUint88(),
            minFee: minFee
        });
        Candidate[] storage list = candidates[version][token];
        uint256 place = places[version][token][operator];
        if (place == 0) place = findPlace(version, token, list, stake);
        if (place > list.length) list.push(candidate);
        else list[place - 1] = candidate;
        places[version][token][operator] = place;
        emit CandidateEnlisted(version, operator, token, tag, stake, minFee);
    }

    /// @inheritdoc ICandidatePool
    function leave(bytes32 version, address token) external {
        address operator = IStakeVault(VAULT).operatorOf(msg.sender);
        // An owner need not have a worker to leave.
        if (places[version][token][operator] == 0) operator = msg.sender;
        uint256 place = places[version][token][operator];
        if (place == 0) revert NotEnlisted(version, token, operator);
        Candidate[] storage list = candidates[version][token];

        Candidate memory last = list[list.length - 1];
        list[place - 1] = last;
        places[version][token][last.operator] = place;
        list.pop();
        delete places[version][token][operator];
        emit CandidateLeft(version, operator, token);
    }

    /// @dev A place for who has none: a free one, or that of the one with the least stake now.
    function findPlace(bytes32 version, address token, Candidate[] storage list, uint256 stake)
        private
        returns (uint256 place)
    {
        if (list.length < MAX_CANDIDATES) return list.length + 1;
        uint256 least = type(uint256).max;
        for (uint256 i = 0; i < MAX_CANDIDATES; ++i) {
            uint256 held = readStake(token, list[i].operator);
            if (held < least) (least, place) = (held, i + 1);
        }
        // INVARIANT: nobody keeps others out with less stake than theirs, nor pushes them out with a little more.
        if (stake < EVICTION_FACTOR * least) revert NoPlace(version, token, stake, EVICTION_FACTOR * least);
        address evicted = list[place - 1].operator;
        delete places[version][token][evicted];
        emit CandidateLeft(version, evicted, token);
    }

    /* THE DRAW */

    /// @inheritdoc ICandidatePool
    function drawOperators(Search calldata search) external view returns (Candidate[] memory drawn, uint256 found) {
        Candidate[] memory list = candidates[search.version][search.token];
        uint256[] memory lots = new uint256[](list.length);
        // No unbounded loop: MAX_CANDIDATES.
        for (uint256 i = 0; i < list.length; ++i) {
            uint256 weight = computeWeight(search, list[i]);
            lots[i] = weight == 0 ? NO_LOT : Lots.compute(search.seed, list[i].operator, weight);
        }
        drawn = new Candidate[](search.required);
        while (found < search.required) {
            uint256 best = findSmallest(lots);
            if (best == NO_LOT) break;
            Candidate memory candidate = list[best];
            drawn[found++] = candidate;
            // Its own place is among those of its tag.
            for (uint256 i = 0; i < list.length; ++i) {
                if (list[i].tag == candidate.tag) lots[i] = NO_LOT;
            }
        }
    }

    function findSmallest(uint256[] memory lots) private pure returns (uint256 best) {
        best = NO_LOT;
        uint256 least = NO_LOT;
        for (uint256 i = 0; i < lots.length; ++i) {
            if (lots[i] < least) (least, best) = (lots[i], i);
        }
    }

    /// @dev 0 for who is not to be drawn: came later, asks more, has unbonded, is out of work, in jail or short of stake.
    function computeWeight(Search calldata search, Candidate memory candidate) private view returns (uint256) {
        address operator = candidate.operator;
        if (candidate.since > search.askedAt || operator == search.client || operator == search.primary) return 0;
        if (candidate.tag == search.tag || search.fee < candidate.minFee) return 0;
        Account memory account = IStakeVault(VAULT).getAccount(search.token, operator);
        if (account.free < search.lock) return 0;
        // INVARIANT: no stake stands behind two entries: it cannot leave an owner but by unbonding, nor come back to it once
        // the seed is known.
        if (account.unbondReadyAt >= candidate.unbondBefore) return 0;
        // INVARIANT: a jailed operator is never drawn (I23).
        if (IStakeVault(VAULT).getStanding(operator).jailedUntil != 0) return 0;
        if (IStakeVault(VAULT).workerOf(operator) == address(0)) return 0;
        return Math.min(Math.min(account.free, candidate.stake), WEIGHT_CAP_LOCKS * search.lock);
    }

    function readStake(address token, address operator) private view returns (uint256) {
        Account memory account = IStakeVault(VAULT).getAccount(token, operator);
        return uint256(account.free) + account.locked;
    }

    /* VIEWS */

    /// @inheritdoc ICandidatePool
    function getCandidates(bytes32 version, address token) external view returns (Candidate[] memory) {
        return candidates[version][token];
    }

    /// @inheritdoc ICandidatePool
    function isAdmitted(address tag, address owner) public view returns (bool) {
        return tag == owner || admitted[tag][owner];
    }
}
