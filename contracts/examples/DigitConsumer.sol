// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IResultConsumer} from "../interfaces/IResultConsumer.sol";
import {IResultRelay} from "../interfaces/IResultRelay.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {Assurance, JobParams, JobState, PROOF_REQUIRED} from "../types/Job.sol";

/// @title An example: a prize for the first picture of a digit
/// @notice A sponsor puts up a prize; whoever first enters a picture that the network reads as the wanted digit wins it.
/// The contract orders each reading itself and acts on what the relay tells it, with four habits worth copying:
/// - only the relay may tell it a result, and only of a job that it ordered;
/// - it decides before, by the value at stake, which assurance it needs, and takes no less. UNCHALLENGED is enough for
///   a prize that nobody would attack: an entrant may be its own operator, and hope that nobody looks. From PROVEN_FROM
///   on it orders jobs that require a proof;
/// - what it does in the callback is small and fails for nobody else: it notes what it owes, and money is fetched;
/// - a job that ended without a result gives the entrant its fee back.
contract DigitConsumer is IResultConsumer {
    using SafeCast for uint256;

    /* TYPES */

    struct Entry {
        address entrant;
        uint96 fee;
    }

    /* ERRORS */

    error NotRelay(address caller);
    error NotSponsor(address caller);
    error NotAnEntry(JobId jobId);
    error TooLate(uint256 endsAt);
    error TooEarly(uint256 opensAt);
    error NotAssured(JobId jobId, Assurance assurance, Assurance wanted);
    error NotADigit(uint256 outputBytes);
    error NotOver(JobId jobId, JobState state);
    error NothingOwed(address account);

    /* EVENTS */

    event Entered(JobId indexed jobId, address indexed entrant);
    event DigitRead(JobId indexed jobId, uint256 digit);
    event PrizeWon(JobId indexed jobId, address indexed winner, uint256 prize);
    event EntryRefunded(JobId indexed jobId, address indexed entrant, uint256 amount);

    /* CONSTANTS */

    /// @notice Prize from which only a proven reading counts.
    uint256 public constant PROVEN_FROM = 1 ether;
    /// @notice Gas of the callback: three fresh words, two events and the reading of the output.
    uint32 public constant CALLBACK_GAS = 200_000;
    /// @notice After the end, so long entrants have their money to themselves.
    uint256 public constant GRACE = 30 days;

    uint256 private constant CLASSES = 10;
    uint256 private constant BPS = 10_000;
    /// @dev The deployment's keeper's tip, in hundredths of a percent of the fee (protocol.md 3.11).
    uint256 private constant TIP_BPS = 50;

    /* IMMUTABLES */

    address public immutable RELAY;
    address public immutable MARKET;
    address public immutable VAULT;
    address public immutable SPONSOR;
    bytes32 public immutable VERSION;
    uint256 public immutable DIGIT;
    uint256 public immutable PRIZE;
    uint256 public immutable ENDS_AT;
    Assurance public immutable WANTED;

    /* STORAGE */

    /// @notice Who won; zero before.
    address public winner;
    /// @notice What each account may fetch.
    mapping(address account => uint256) public owed;

    mapping(JobId => Entry) private entries;
    uint256 private totalOwed;
    uint64 private salt;

    /* CONSTRUCTOR */

    /// @param version A network whose output is ten numbers, the largest of which is the digit's.
    constructor(address relay, bytes32 version, uint256 digit, uint256 endsAt) payable {
        RELAY = relay;
        MARKET = IResultRelay(relay).MARKET();
        VAULT = IJobMarket(MARKET).VAULT();
        (SPONSOR, VERSION, DIGIT, PRIZE, ENDS_AT) = (msg.sender, version, digit, msg.value, endsAt);
        WANTED = msg.value < PROVEN_FROM ? Assurance.UNCHALLENGED : Assurance.PROVEN;
    }

    /// @dev Refunds, which the vault pays out when asked.
    receive() external payable {
        if (msg.sender != VAULT) revert NothingOwed(msg.sender);
    }

    /* ENTRANTS */

    /// @notice Orders the reading of a picture; what comes along is the fee.
    /// @param inDigest Digest of the picture.
    /// @param inputUri Where operators find it.
    function enter(bytes32 inDigest, string calldata inputUri) external payable returns (JobId jobId) {
        if (block.timestamp > ENDS_AT) revert TooLate(ENDS_AT);
        uint96 fee = msg.value.toUint96();
        JobParams memory params = JobParams({
            version: VERSION,
            inDigest: inDigest,
            token: address(0),
            fee: fee,
            verifyMask: WANTED == Assurance.PROVEN ? PROOF_REQUIRED : 0,
            privacyMask: 0,
            salt: ++salt,
            inputUri: inputUri
        });
        // SAFETY: market and relay call nobody here.
        jobId = IJobMarket(MARKET).createJob{value: fee}(params);
        entries[jobId] = Entry(msg.sender, fee);
        emit Entered(jobId, msg.sender);
        IResultRelay(RELAY).subscribe(jobId, address(this), CALLBACK_GAS);
    }

    /// @notice Ends an entry whose job ended, or ends now, without a result, and owes its entrant the fee; the keeper's
    /// tip less where somebody else let the job expire.
    function refund(JobId jobId) external {
        Entry memory entry = findEntry(jobId);
        JobState state = IJobMarket(MARKET).getJob(jobId).state;
        bool hasResult = state == JobState.FINAL || state == JobState.PROVEN;
        bool isOver = state == JobState.OPEN || state >= JobState.FINAL;
        if (!isOver || hasResult) revert NotOver(jobId, state);

        delete entries[jobId];
        // The client itself earns no tip. SAFETY: market and vault call nobody here.
        if (state == JobState.OPEN) IJobMarket(MARKET).expireJob(jobId);
        collectCredit();
        // INVARIANT: an entry gets what its own job gave back. A keeper of its own entry would have the tip twice: the
        // second time out of others' refunds.
        uint256 tip = state == JobState.EXPIRED ? entry.fee * TIP_BPS / BPS : 0;
        uint256 amount = Math.min(entry.fee - tip, getRest());
        owe(entry.entrant, amount);
        emit EntryRefunded(jobId, entry.entrant, amount);
    }

    /// @notice Pays the caller what it is owed.
    function withdraw() external {
        uint256 amount = owed[msg.sender];
        if (amount == 0) revert NothingOwed(msg.sender);

        owed[msg.sender] = 0;
        totalOwed -= amount;
        Address.sendValue(payable(msg.sender), amount);
    }

    /* THE RELAY */

    /// @inheritdoc IResultConsumer
    function onResult(JobId jobId, Assurance assurance, bytes calldata output) external {
        if (msg.sender != RELAY) revert NotRelay(msg.sender);
        Entry memory entry = findEntry(jobId);
        // INVARIANT: no prize is paid on less than it was worth.
        if (assurance < WANTED) revert NotAssured(jobId, assurance, WANTED);
        uint256 digit = readDigit(output);

        delete entries[jobId];
        emit DigitRead(jobId, digit);
        if (digit != DIGIT || winner != address(0)) return;
        winner = entry.entrant;
        owe(entry.entrant, PRIZE);
        emit PrizeWon(jobId, entry.entrant, PRIZE);
    }

    /* THE SPONSOR */

    /// @notice A while after the end, owes the sponsor what nobody else has a claim to: the prize that nobody won, and
    /// what slashed operators paid.
    function takeRest() external {
        if (msg.sender != SPONSOR) revert NotSponsor(msg.sender);
        if (block.timestamp <= ENDS_AT + GRACE) revert TooEarly(ENDS_AT + GRACE);
        // From here on nobody can win.
        if (winner == address(0)) winner = SPONSOR;
        collectCredit();
        owe(SPONSOR, getRest());
    }

    /* STEPS */

    function findEntry(JobId jobId) private view returns (Entry memory entry) {
        entry = entries[jobId];
        if (entry.entrant == address(0)) revert NotAnEntry(jobId);
    }

    function owe(address account, uint256 amount) private {
        owed[account] += amount;
        totalOwed += amount;
    }

    /// @dev SAFETY: the vault pays its caller only, and calls nobody else.
    function collectCredit() private {
        if (IStakeVault(VAULT).getAccount(address(0), address(this)).credit == 0) return;
        IStakeVault(VAULT).withdrawCredit(address(0));
    }

    /// @dev What is neither owed nor the prize.
    function getRest() private view returns (uint256) {
        uint256 kept = winner == address(0) ? totalOwed + PRIZE : totalOwed;
        return address(this).balance - kept;
    }

    /// @dev The class with the largest of ten signed numbers, the first of equal ones; big-endian, as digests have them.
    function readDigit(bytes calldata output) private pure returns (uint256 digit) {
        uint256 width = output.length / CLASSES;
        if (width == 0 || width > 32 || output.length != width * CLASSES) revert NotADigit(output.length);
        // Above every other number of the width once the sign is flipped: order of signed numbers becomes plain order.
        uint256 sign = 1 << (8 * width - 1);
        uint256 largest = 0;
        for (uint256 i = 0; i < CLASSES; ++i) {
            uint256 number = uint256(bytes32(output[i * width:(i + 1) * width])) >> (256 - 8 * width) ^ sign;
            if (i != 0 && number <= largest) continue;
            (digit, largest) = (i, number);
        }
    }
}
