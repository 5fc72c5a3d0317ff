// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobTerms} from "../../contracts/types/Job.sol";
import {LayerEnd, Pin} from "../../contracts/types/Pinpoint.sol";
import {TreeBuilder} from "./TreeBuilder.sol";

/// @notice A model of so many layers of so many operators, its plan, and traces of it: built node by node, as
/// protocol.md 3.2 says it. The operators of a layer read each other and the layer's input:
///   0 <- input; 1 <- 0; 2 <- 1, 0; p <- p - 1, input
abstract contract TraceModel is TreeBuilder {
    uint256 internal constant LAYER_INPUT = 0xffff;

    uint256 internal layers;
    uint256 internal width;
    uint256 internal planDepth;
    uint256 internal layerDepth;
    uint256 internal opDepth;

    /// Digests of all outputs in the trace, operator by operator.
    bytes32[] internal digests;
    /// Where a layer's leaf has another digest than its last operator's.
    mapping(uint256 layer => bytes32) internal layerDigests;
    /// What a layer has behind its last operator.
    mapping(uint256 layer => bytes32) internal paddings;
    /// vkHash of the key of an operator.
    mapping(uint256 op => bytes32) internal opKeys;
    /// Shape of all outputs, one byte an element.
    uint32 internal outRows;
    uint32 internal outCols;
    bytes32 internal modelInput;

    function makeModel(uint256 layers_, uint256 width_, uint256 room, bytes32 inDigest, bytes32 outDigest) internal {
        (layers, width, modelInput) = (layers_, width_, inDigest);
        (outRows, outCols) = (4, 32);
        planDepth = depthFor(layers * width);
        layerDepth = depthFor(layers);
        opDepth = depthFor(room);
        delete digests;
        for (uint256 op = 0; op < layers * width; ++op) {
            digests.push(keccak256(abi.encode("digest", op)));
        }
        digests[layers * width - 1] = outDigest;
    }

    function depthFor(uint256 count) private pure returns (uint256 depth) {
        while (1 << depth < count) ++depth;
    }

    /* THE PLAN */

    function readsOf(uint256 op) internal view returns (uint256[] memory refs) {
        uint256 p = op % width;
        if (p < 2) {
            refs = new uint256[](1);
            refs[0] = p == 0 ? LAYER_INPUT : 0;
            return refs;
        }
        refs = new uint256[](2);
        (refs[0], refs[1]) = (p - 1, p == 2 ? 0 : LAYER_INPUT);
    }

    function describe(uint256 op) internal view returns (bytes memory desc) {
        uint256[] memory refs = readsOf(op);
        desc = abi.encodePacked(uint8(1), uint8(0x0b), uint8(refs.length), uint8(0), uint32(op / width));
        desc = abi.encodePacked(desc, uint16(op % width), uint16(width), opKeys[op], bytes32(0));
        desc = abi.encodePacked(desc, uint8(1), outRows, outCols);
        for (uint256 i = 0; i < refs.length; ++i) {
            desc = abi.encodePacked(desc, uint16(refs[i]), uint8(1), outRows, outCols);
        }
        return abi.encodePacked(desc, uint8(0));
    }

    function planLeaves() internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](1 << planDepth);
        for (uint256 op = 0; op < digests.length; ++op) {
            leaves[op] = keccak256(abi.encodePacked(uint8(0x13), uint64(op), keccak256(describe(op))));
        }
    }

    /* THE TRACE */

    function opLeaf(uint256 position, bytes32 digest) internal pure returns (bytes32) {
        return digest == 0 ? bytes32(0) : keccak256(abi.encodePacked(uint8(0x11), uint64(position), digest));
    }

    function opDigests(uint256 layer) internal view returns (bytes32[] memory list) {
        list = new bytes32[](1 << opDepth);
        for (uint256 p = 0; p < width; ++p) {
            list[p] = digests[layer * width + p];
        }
        if (list.length > width) list[width] = paddings[layer];
    }

    function opLeaves(uint256 layer) internal view returns (bytes32[] memory leaves) {
        leaves = opDigests(layer);
        for (uint256 p = 0; p < leaves.length; ++p) {
            leaves[p] = opLeaf(p, leaves[p]);
        }
    }

    function opRootOf(uint256 layer) internal view returns (bytes32) {
        return layer < layers ? rootOf(opLeaves(layer)) : bytes32(0);
    }

    function layerDigestOf(uint256 layer) internal view returns (bytes32) {
        if (layer >= layers) return 0;
        return layerDigests[layer] != 0 ? layerDigests[layer] : digests[(layer + 1) * width - 1];
    }

    function layerLeaves(bool isOp) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](1 << layerDepth);
        for (uint256 l = 0; l < layers; ++l) {
            bytes32 opRoot = isOp ? opRootOf(l) : bytes32(0);
            leaves[l] = keccak256(abi.encodePacked(uint8(0x10), uint64(l), layerDigestOf(l), opRoot));
        }
    }

    function traceRoot(bool isOp) internal view returns (bytes32) {
        return rootOf(layerLeaves(isOp));
    }

    /// @notice The nodes `levels` below node `index` of level `height`.
    function descendants(bytes32[] memory leaves, uint256 height, uint256 index, uint256 levels)
        internal
        pure
        returns (bytes32[] memory words)
    {
        words = new bytes32[](1 << levels);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = nodeAt(leaves, height - levels, (index << levels) + i);
        }
    }

    /// @notice The siblings from node `child` of level `low` up to level `high`.
    function pathBetween(bytes32[] memory leaves, uint256 low, uint256 high, uint256 child)
        internal
        pure
        returns (bytes32[] memory path)
    {
        path = new bytes32[](high - low);
        for (uint256 level = low; level < high; ++level) {
            path[level - low] = nodeAt(leaves, level, (child >> (level - low)) ^ 1);
        }
    }

    /* OPENINGS */

    function makePin(uint256 op, uint64 elem, bool isOp, JobTerms memory terms) internal view returns (Pin memory pin) {
        (pin.op, pin.elem, pin.desc) = (uint32(op), elem, describe(op));
        (uint256 layer, uint256 position) = (op / width, op % width);
        (pin.layerDigest, pin.outDigest) = (layerDigestOf(layer), digests[op]);
        if (isOp) pin.opRoot = opRootOf(layer);
        bytes32[] memory path = buildPath(planLeaves(), op);
        path = concat(path, buildPath(layerLeaves(isOp), layer));
        path = concat(path, buildPath(opLeaves(layer), position));
        uint256[] memory refs = readsOf(op);
        pin.inDigests = new bytes32[](refs.length);
        bool isOpen;
        for (uint256 i = 0; i < refs.length; ++i) {
            if (refs[i] != LAYER_INPUT) {
                pin.inDigests[i] = digests[layer * width + refs[i]];
                path = concat(path, buildPath(opLeaves(layer), refs[i]));
                continue;
            }
            pin.inDigests[i] = layer == 0 ? modelInput : layerDigestOf(layer - 1);
            if (isOpen) continue;
            isOpen = true;
            if (layer == 0) {
                pin.terms = terms;
                continue;
            }
            if (isOp) pin.inputOpRoot = opRootOf(layer - 1);
            path = concat(path, buildPath(layerLeaves(isOp), layer - 1));
        }
        pin.siblings = path;
    }

    function makeEnd(uint256 layer, bool isOp) internal view returns (LayerEnd memory end) {
        uint256 op = (layer + 1) * width - 1;
        (end.op, end.desc, end.layerDigest) = (uint32(op), describe(op), layerDigestOf(layer));
        (end.opRoot, end.lastDigest) = (opRootOf(layer), digests[op]);
        end.siblings = concat(buildPath(planLeaves(), op), buildPath(layerLeaves(isOp), layer));
        end.siblings = concat(end.siblings, buildPath(opLeaves(layer), width - 1));
    }

    function concat(bytes32[] memory a, bytes32[] memory b) internal pure returns (bytes32[] memory joined) {
        joined = new bytes32[](a.length + b.length);
        for (uint256 i = 0; i < a.length; ++i) {
            joined[i] = a[i];
        }
        for (uint256 i = 0; i < b.length; ++i) {
            joined[a.length + i] = b[i];
        }
    }
}
