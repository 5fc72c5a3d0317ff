// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOrderBook} from "../../contracts/interfaces/IOrderBook.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobTerms} from "../../contracts/types/Job.sol";
import {Order} from "../../contracts/types/Order.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Orders of the client, whose credit pays ten of them, and the ways to sign one.
abstract contract OrderSteps is JobSteps {
    uint256 internal constant CLIENT_KEY = 1;
    uint256 internal constant STRANGER_KEY = 5;
    uint96 internal constant MIN_FEE = 0.002 ether;
    uint96 internal constant MAX_FEE = 0.004 ether;
    uint96 internal constant CREDIT = 0.04 ether;
    uint256 internal constant RAMP_START = START + 10;
    uint256 internal constant RAMP_END = START + 30;
    uint256 internal constant TAKE_UNTIL = START + 60;
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    uint64 private orderSalt;

    function setUp() public virtual override {
        super.setUp();
        fundCredit(CLIENT, ETH, CREDIT);
        fundCredit(CLIENT, address(token), CREDIT);
    }

    function fundCredit(address account, address asset, uint96 amount) internal {
        vm.prank(account);
        vault.fund{value: asset == ETH ? amount : 0}(asset, amount);
    }

    /// @notice An order that no other of this test equals.
    function order() internal returns (Order memory) {
        return Order({
            client: CLIENT,
            version: version,
            inDigest: IN_DIGEST,
            token: ETH,
            minFee: MIN_FEE,
            maxFee: MAX_FEE,
            rampStart: uint40(RAMP_START),
            rampEnd: uint40(RAMP_END),
            takeUntil: uint40(TAKE_UNTIL),
            verifyMask: 0,
            salt: ++orderSalt
        });
    }

    /* SIGNATURES */

    function sign(uint256 key, Order memory o) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, orders.hashOrder(o));
        return abi.encodePacked(r, s, v);
    }

    /// @notice EIP-2098: the parity in the top bit of s.
    function signCompact(uint256 key, Order memory o) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, orders.hashOrder(o));
        return abi.encodePacked(r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    /// @notice The other signature of the same key: s in the upper half.
    function signHigh(uint256 key, Order memory o) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, orders.hashOrder(o));
        return abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    /* STEPS */

    function take(Order memory o, bytes memory signature) internal returns (JobId jobId) {
        vm.prank(WORKER);
        jobId = orders.takeOrder(o, signature, "file:input");
        jobs.push(jobId);
    }

    function take(Order memory o) internal returns (JobId) {
        return take(o, sign(CLIENT_KEY, o));
    }

    function cancel(Order memory o) internal {
        vm.prank(CLIENT);
        orders.cancelOrder(o);
    }

    function termsOfOrder(Order memory o, uint96 fee) internal view returns (JobTerms memory) {
        return JobTerms({
            client: o.client,
            version: o.version,
            inDigest: o.inDigest,
            token: o.token,
            fee: fee,
            verifyMask: o.verifyMask,
            privacyMask: 0,
            salt: uint256(orders.hashOrder(o))
        });
    }

    /// @notice Whoever tries it, with whatever signature: nothing changes, and this is why.
    function checkTakeRefused(address worker, Order memory o, bytes memory signature, bytes memory expected) internal {
        bytes32 before = snapshotOrder(o);
        bytes memory message = abi.encodeCall(IOrderBook.takeOrder, (o, signature, "file:input"));
        vm.prank(worker);
        (bool success, bytes memory reason) = address(orders).call(message);
        assertTrue(!success, "taken");
        assertEq(keccak256(reason), keccak256(expected), "reason");
        assertEq(snapshotOrder(o), before, "nothing changed");
        assertConserved();
    }

    function snapshotOrder(Order memory o) private view returns (bytes32) {
        bytes32 orderHash = orders.hashOrder(o);
        return keccak256(
            abi.encode(
                orders.jobOf(orderHash),
                orders.isCancelled(orderHash),
                vault.getAccount(o.token, o.client),
                vault.getAccount(o.token, OWNER)
            )
        );
    }

    function invalidSignature(Order memory o) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IOrderBook.InvalidSignature.selector, orders.hashOrder(o), o.client);
    }
}
