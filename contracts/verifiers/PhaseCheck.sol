// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Multilinear} from "./Multilinear.sol";
import {ProgramLib, Program} from "./Program.sol";
import {CheckWalk, SegmentCheck} from "./SegmentCheck.sol";
import {NONE, SOURCE_CONTRACTION, SOURCE_LINK, SOURCE_PRODUCT, SOURCE_ZETA} from "./Session.sol";

/// @title Structure check of a program's phases (FORMAT.md 3.1)
library PhaseCheck {
    using ProgramLib for Program;
    using SegmentCheck for CheckWalk;

    uint256 private constant MAX_LOG = 40;
    uint256 private constant MAX_SHIFT = 220;
    uint256 private constant MAX_COLUMNS = 3;
    uint256 private constant ATOM_SIZE = 9;
    uint256 private constant FUNCTION = 0x8000;

    uint256 private constant RESIDUAL_LINEAR = 1;
    uint256 private constant RESIDUAL_PRODUCT = 2;
    uint256 private constant RESIDUAL_CONTRACTION = 3;
    uint256 private constant ORIGIN_SLOT = 1;

    /// @dev Index into `ends` of the last phase whose slots an instruction may name.
    uint256 private constant DIRECT = 1;
    uint256 private constant PRODUCT = 2;
    uint256 private constant CONTRACTION = 3;
    uint256 private constant LINK = 4;

    /// @notice Walks over the eight sections.
    function run(Program memory p, CheckWalk memory w) internal pure {
        p.takeOpcode(1);
        p.takeOpcode(2);
        checkLookups(p, w);
        p.takeOpcode(3);
        checkRelations(p, w);
        p.takeOpcode(4);
        checkProducts(p, w);
        p.takeOpcode(5);
        checkContractions(p, w);
        p.takeOpcode(6);
        checkLinks(p, w);
        p.takeOpcode(7);
        p.takeOpcode(8);
        // INVARIANT: no segment reaches out of its vector.
        for (uint256 source = 0; source < w.needed.length; ++source) {
            if (w.needed[source] > w.rounds[source]) p.revertMalformed();
        }
        // INVARIANT: whatever is sent without a claim, or left to an instance, is proven.
        for (uint256 slot = 0; slot < w.isVirtual.length; ++slot) {
            if (w.isVirtual[slot] != w.isProven[slot]) p.revertMalformed();
        }
        for (uint256 k = 0; k < w.isContracted.length; ++k) {
            if (w.isContracted[k] != w.isNamed[k]) p.revertMalformed();
        }
    }

    /* LOOKUPS AND RELATIONS */

    /// @dev u8 lambda | u16 count | count x (u8 n | u16 tableId | numerator | u8 columns | columns x expression)
    function checkLookups(Program memory p, CheckWalk memory w) private pure {
        uint256 word = p.take(3);
        w.rounds[SOURCE_ZETA] = word >> 248;
        uint256 leaves;
        uint256 largest = MAX_LOG;
        uint256 first;
        uint256 late;
        bool isInverse = p.lookup == ProgramLib.LOOKUP_INVERSES;
        for (uint256 b = 0; b < (word >> 232) & 0xffff; ++b) {
            uint256 n = p.take(3) >> 248;
            if (n > largest) p.revertMalformed();
            if (b == 0) first = n;
            largest = n;
            leaves += 1 << n;
            checkExpression(p, w);
            uint256 columns = p.take(1) >> 248;
            if (columns == 0 || columns > MAX_COLUMNS) p.revertMalformed();
            for (; columns != 0; --columns) {
                checkExpression(p, w);
            }
            if (isInverse) late = checkLate(p, late, n);
        }
        if (nextLate(p, late) != p.tensorCount) p.revertMalformed();
        // No more rounds than the leaves need, and at least one.
        uint256 least = isInverse ? first : leaves == 0 ? 0 : Multilinear.ceilLog2(leaves);
        if (w.rounds[SOURCE_ZETA] != (least == 0 ? 1 : least) || w.rounds[SOURCE_ZETA] > MAX_LOG) {
            p.revertMalformed();
        }
        requireReach(p, w, w.rounds[SOURCE_ZETA]);
    }

    /// @dev Requires a late tensor of n variables from `id` on; returns the number behind it.
    function checkLate(Program memory p, uint256 id, uint256 n) private pure returns (uint256) {
        id = nextLate(p, id);
        if ((p.tensorWord(id) >> 240) & 0xff != n) p.revertMalformed();
        return id + 1;
    }

    function nextLate(Program memory p, uint256 id) private pure returns (uint256) {
        while (id < p.tensorCount && p.tensorWord(id) >> 248 != ProgramLib.KIND_LATE) ++id;
        return id;
    }

    /// @dev u8 atoms | atoms x (coefficient | u16 slot | u16 function), at zeta. Notes how far its functions reach.
    function checkExpression(Program memory p, CheckWalk memory w) private pure {
        for (uint256 atoms = p.take(1) >> 248; atoms != 0; --atoms) {
            uint256 word = p.take(ATOM_SIZE);
            uint256 slot = (word >> 200) & 0xffff;
            uint256 id = (word >> 184) & 0xffff;
            if ((word >> 216) & 0xff > MAX_SHIFT || (slot != NONE && slot >= w.ends[DIRECT])) p.revertMalformed();
            if (id != NONE) noteReach(p, w, id);
        }
    }

    function noteReach(Program memory p, CheckWalk memory w, uint256 id) private pure {
        if (id >= w.reaches.length) p.revertMalformed();
        if (w.reaches[id] > w.reach) w.reach = w.reaches[id];
    }

    /// @dev Requires that no function noted so far reaches farther than its vector; forgets them.
    function requireReach(Program memory p, CheckWalk memory w, uint256 length) private pure {
        if (w.reach > length) p.revertMalformed();
        w.reach = 0;
    }

    /// @dev u16 count | count x (u8 residual | expression | if residual = 1: u8 terms | terms x term)
    function checkRelations(Program memory p, CheckWalk memory w) private pure {
        uint256 count = p.take(2) >> 240;
        p.requireRoom(count, 2);
        (w.isContracted, w.isNamed) = (new bool[](count), new bool[](count));
        for (uint256 k = 0; k < count; ++k) {
            uint256 residual = p.take(1) >> 248;
            checkExpression(p, w);
            if (residual > RESIDUAL_CONTRACTION) p.revertMalformed();
            if (residual == RESIDUAL_PRODUCT) ++w.products;
            if (residual == RESIDUAL_CONTRACTION) w.isContracted[k] = true;
            if (residual == RESIDUAL_LINEAR) checkTerms(p, w);
        }
        requireReach(p, w, w.rounds[SOURCE_ZETA]);
    }

    /// @dev u8 terms | terms x (coefficient | u16 tensor | u8 segments | segments x segment): points of zeta alone, as the
    /// expression is.
    function checkTerms(Program memory p, CheckWalk memory w) private pure {
        uint256 terms = p.take(1) >> 248;
        if (terms == 0) p.revertMalformed();
        for (; terms != 0; --terms) {
            uint256 word = p.take(8);
            uint256 entry = p.tensorWord((word >> 200) & 0xffff);
            uint256 variables = w.takeSegments(p, (word >> 192) & 0xff, SOURCE_ZETA);
            bool valid = (word >> 216) & 0xff <= MAX_SHIFT && entry >> 248 <= ProgramLib.KIND_LATE;
            if (!valid || variables != (entry >> 240) & 0xff) p.revertMalformed();
        }
    }

    /* SUM-CHECKS */

    /// @dev u8 rounds | u16 count | count x (u8 n | u8 monomials | monomials x (coefficient | u8 factors | factors x u16))
    function checkProducts(Program memory p, CheckWalk memory w) private pure {
        uint256 word = p.take(3);
        (uint256 rounds, uint256 count) = (word >> 248, (word >> 232) & 0xffff);
        uint256 largest;
        for (uint256 k = 0; k < count; ++k) {
            word = p.take(2);
            if (word >> 248 > largest) largest = word >> 248;
            for (uint256 monomials = (word >> 240) & 0xff; monomials != 0; --monomials) {
                uint256 head = p.take(6);
                if ((head >> 216) & 0xff > MAX_SHIFT) p.revertMalformed();
                for (uint256 factors = (head >> 208) & 0xff; factors != 0; --factors) {
                    uint256 factor = p.take(2) >> 240;
                    if (factor >= FUNCTION) noteReach(p, w, factor & (FUNCTION - 1));
                    else if (factor >= w.ends[PRODUCT]) p.revertMalformed();
                }
            }
        }
        bool valid = count == w.products && rounds == largest && rounds <= w.rounds[SOURCE_ZETA];
        if (!valid || (count == 0 && w.ends[PRODUCT] != w.ends[DIRECT])) p.revertMalformed();
        w.rounds[SOURCE_PRODUCT] = rounds;
        requireReach(p, w, rounds);
    }

    /// @dev u8 rounds | u8 degree | u16 count | count x instance
    function checkContractions(Program memory p, CheckWalk memory w) private pure {
        uint256 word = p.take(4);
        (uint256 rounds, uint256 degree, uint256 count) = (word >> 248, (word >> 240) & 0xff, (word >> 224) & 0xffff);
        uint256 largest;
        uint256 least = 2;
        for (uint256 k = 0; k < count; ++k) {
            (uint256 variables, bool isWeighted) = checkInstance(p, w);
            if (variables > largest) largest = variables;
            if (isWeighted) least = 3;
        }
        bool valid = rounds == largest && rounds <= MAX_LOG && degree == least;
        if (!valid || (count == 0 && w.ends[CONTRACTION] != w.ends[PRODUCT])) p.revertMalformed();
        w.rounds[SOURCE_CONTRACTION] = rounds;
    }

    /// @dev u8 variables | u8 origin | u16 index | coefficient | u16 A | u16 B | u16 function | u8 ties | ties x tie
    function checkInstance(Program memory p, CheckWalk memory w)
        private
        pure
        returns (uint256 variables, bool isWeighted)
    {
        uint256 word = p.take(16);
        variables = word >> 248;
        checkOrigin(p, w, (word >> 240) & 0xff, (word >> 224) & 0xffff);
        if ((word >> 184) & 0xff > MAX_SHIFT) p.revertMalformed();
        uint256 limit = w.ends[CONTRACTION];
        if ((word >> 168) & 0xffff >= limit || (word >> 152) & 0xffff >= limit) p.revertMalformed();
        uint256 id = (word >> 136) & 0xffff;
        if (id != NONE) {
            noteReach(p, w, id);
            requireReach(p, w, variables);
        }
        uint256 ties = (word >> 128) & 0xff;
        isWeighted = id != NONE || ties != 0;
        for (; ties != 0; --ties) {
            word = p.take(4);
            uint256 length = (word >> 232) & 0xff;
            if (length == 0 || ((word >> 224) & 0xff) + length > variables) p.revertMalformed();
            w.check(p, word, SOURCE_PRODUCT);
        }
    }

    /// @dev An instance proves a relation that waits for one, or a virtual slot sent before the batching challenge.
    function checkOrigin(Program memory p, CheckWalk memory w, uint256 origin, uint256 index) private pure {
        if (origin == ORIGIN_SLOT) {
            proveSlot(p, w, index, w.ends[PRODUCT]);
            return;
        }
        bool valid = origin == 0 && index < w.isNamed.length && w.isContracted[index] && !w.isNamed[index];
        if (!valid) p.revertMalformed();
        w.isNamed[index] = true;
    }

    /// @dev Requires a virtual slot below `limit` that nothing has proven.
    function proveSlot(Program memory p, CheckWalk memory w, uint256 slot, uint256 limit) private pure {
        if (slot >= limit || !w.isVirtual[slot] || w.isProven[slot]) p.revertMalformed();
        w.isProven[slot] = true;
    }

    /// @dev u8 rounds | u16 count | count x (u16 window | u16 tensor | axis H | axis W)
    function checkLinks(Program memory p, CheckWalk memory w) private pure {
        uint256 word = p.take(3);
        (uint256 rounds, uint256 count) = (word >> 248, (word >> 232) & 0xffff);
        uint256 largest;
        for (uint256 k = 0; k < count; ++k) {
            word = p.take(32);
            proveSlot(p, w, word >> 240, w.ends[CONTRACTION]);
            uint256 slot = (word >> 224) & 0xffff;
            if (slot >= w.ends[LINK] || !w.isTensor[slot]) p.revertMalformed();
            uint256 variables = checkAxis(p, w, word << 32) + checkAxis(p, w, word << 144);
            if (variables > largest) largest = variables;
        }
        if (rounds != largest || (count == 0 && w.ends[LINK] != w.ends[CONTRACTION])) p.revertMalformed();
        w.rounds[SOURCE_LINK] = rounds;
    }

    /// @dev u16 out | u16 in | u8 kernel | u8 stride | u8 pad | segment z | segment kappa | u8 log_in; returns log_in.
    function checkAxis(Program memory p, CheckWalk memory w, uint256 word) private pure returns (uint256 log) {
        (uint256 out, uint256 size, uint256 kernel) = (word >> 240, (word >> 224) & 0xffff, (word >> 216) & 0xff);
        if (out == 0 || size == 0 || kernel == 0 || (word >> 208) & 0xff == 0) p.revertMalformed();
        w.check(p, word << 56, SOURCE_CONTRACTION);
        w.check(p, word << 80, SOURCE_CONTRACTION);
        log = (word >> 144) & 0xff;
        bool valid = log == Multilinear.ceilLog2(size) && out <= 1 << ((word >> 176) & 0xff)
            && kernel <= 1 << ((word >> 152) & 0xff);
        if (!valid) p.revertMalformed();
    }
}
