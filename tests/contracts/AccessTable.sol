// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {AccessRoles} from "./AccessRoles.sol";

/// @notice The table of who may call what, and the one test of it: each row by each role (I27). Every row is set up so
/// that nothing but the caller decides.
abstract contract AccessTable is AccessRoles {
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
        Mode mode;
    }

    enum Mode {
        RUNNING,
        PAUSED,
        REFUND
    }

    Row[] private table;
    Mode internal mode; // of the rows that are added

    function add(string memory name, address target, bytes memory call, uint256 allowed, bytes4 refusal) internal {
        addPaid(name, target, 0, call, allowed, refusal);
    }

    function addPaid(
        string memory name,
        address target,
        uint256 value,
        bytes memory call,
        uint256 allowed,
        bytes4 refusal
    ) internal {
        table.push(Row(name, target, value, call, allowed, refusal, mode));
    }

    /* THE TEST */

    function test_access__every_function_by_every_role() public {
        for (uint256 i = 0; i < table.length; ++i) {
            for (uint256 role = 0; role < ROLES; ++role) {
                uint256 state = vm.snapshotState();
                check(table[i], role);
                vm.revertToState(state);
            }
        }
    }

    function check(Row memory row, uint256 role) private {
        string memory what = string.concat(row.name, " by role ", vm.toString(role));
        vm.startPrank(address(guardian));
        if (row.mode == Mode.PAUSED) market.pause();
        if (row.mode == Mode.REFUND) market.enterRefundMode();
        vm.stopPrank();
        vm.prank(roles[role]);
        (bool success, bytes memory reason) = row.target.call{value: row.value}(row.call);
        if (row.allowed >> role & 1 == 1) {
            assertTrue(success, string.concat(what, ": refused"));
        } else {
            assertTrue(!success, string.concat(what, ": let in"));
            assertEq(bytes32(bytes4(reason)), bytes32(refusalOf(row, role)), what);
        }
    }

    /// @dev The one worker who serves somebody, but somebody in jail, hears that.
    function refusalOf(Row memory row, uint256 role) private pure returns (bytes4) {
        bool isJailed = 1 << role == THE_JAILED_WORKER && row.refusal == IStakeVault.NotWorker.selector;
        return isJailed ? IStakeVault.OperatorJailed.selector : row.refusal;
    }
}
