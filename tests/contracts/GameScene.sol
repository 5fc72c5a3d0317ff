// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdjudicator} from "../../contracts/interfaces/IAdjudicator.sol";
import {IAdjudicatorRegistry} from "../../contracts/interfaces/IAdjudicatorRegistry.sol";
import {TraceTree} from "../../contracts/libraries/TraceTree.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {LayerEnd, Pin} from "../../contracts/types/Pinpoint.sol";
import {Plan} from "../../contracts/types/Plan.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Judges as the model does: operator `fault` is wrong in its element 0, all else is right.
contract ModelJudge is IAdjudicator {
    uint256 private immutable FAULT;

    constructor(uint256 fault) {
        FAULT = fault;
    }

    function adjudicate(Claim calldata claim, bytes calldata) external view returns (Verdict) {
        return claim.op == FAULT && claim.elem == 0 ? Verdict.INCONSISTENT : Verdict.CONSISTENT;
    }

    function covers(uint8) external pure returns (bool) {
        return true;
    }
}

/// @notice A network of 2 layers of 4 operators from tests/vectors/game.json: its plan, its traces and what is opened of
/// them.
abstract contract GameScene is Deployment {
    uint256 internal constant LAYERS = 2;
    uint256 internal constant LAYER_OPS = 4;
    uint256 internal constant OPS = LAYERS * LAYER_OPS;
    uint256 internal constant NO_FAULT = 255;
    uint256 internal constant JUDGE = 7; // the model's judge is adjudicator 7, the element check adjudicator 0

    string private constant FILE = "tests/vectors/game.jsonl";

    string private terms;
    bytes[] private descriptors;
    bytes32[] private allDigests;
    mapping(uint256 key => bytes) private evidence;
    bytes32[] internal digests;
    /// What layer 0's leaf says; another digest than its last operator's in a trace that contradicts itself.
    bytes32 private firstLayerDigest;
    bool internal isBroken;
    bool internal isOpGranular;

    /// @notice Reads the first line; the plays come after it.
    function load() internal {
        terms = vm.readLine(FILE);
        descriptors = vm.parseJsonBytesArray(terms, ".descriptors");
        allDigests = vm.parseJsonBytes32Array(terms, ".digests");
        uint256[] memory keys = vm.parseJsonUintArray(terms, ".evidenceKeys");
        bytes[] memory blobs = vm.parseJsonBytesArray(terms, ".evidence");
        for (uint256 i = 0; i < keys.length; ++i) {
            evidence[keys[i]] = blobs[i];
        }
    }

    /// @notice The next play; nothing behind the last.
    function readPlay() internal view returns (bool isThere, uint256 fault, bool isReal, bytes memory steps) {
        string memory line = vm.readLine(FILE);
        if (bytes(line).length == 0) return (false, 0, false, "");
        isThere = true;
        fault = vm.parseJsonUint(line, ".fault");
        isReal = vm.parseJsonBool(line, ".isReal");
        steps = vm.parseJsonBytes(line, ".steps");
    }

    function readTerm(string memory name) internal view returns (uint256) {
        return vm.parseJsonUint(terms, string.concat(".terms.", name));
    }

    /// @notice Evidence for the element check about an element of the network that is wrong in operator `fault`.
    function readEvidence(uint256 fault, uint256 op, uint256 elem) internal view returns (bytes memory blob) {
        blob = evidence[fault << 16 | op << 8 | elem];
        assertTrue(blob.length != 0, "there is evidence");
    }

    /// @notice Sets the scene for a result that is wrong in operator `fault`, or in none.
    function setScene(uint256 fault) internal {
        uint256 row = fault == NO_FAULT ? 0 : fault + 1;
        delete digests;
        for (uint256 i = 0; i < OPS; ++i) {
            digests.push(allDigests[row * OPS + i]);
        }
        firstLayerDigest = digests[LAYER_OPS - 1];
        Plan memory plan = Plan({
            planRoot: planRoot(),
            ops: uint32(OPS),
            layers: uint32(LAYERS),
            planDepth: 3,
            layerDepth: 1,
            opDepth: 2,
            adjudicators: uint8(1 << JUDGE | 1),
            activeAt: 1
        });
        vm.mockCall(address(adjudicators), abi.encodeCall(IAdjudicatorRegistry.getPlan, (version)), abi.encode(plan));
        setJudge(fault);
    }

    function setJudge(uint256 fault) private {
        vm.mockCall(
            address(adjudicators),
            abi.encodeCall(IAdjudicatorRegistry.adjudicatorAt, (JUDGE)),
            abi.encode(address(new ModelJudge(fault)))
        );
    }

    /// @notice Makes the trace one whose layer 0 ends with another digest than its last operator.
    function breakTrace() internal {
        isBroken = true;
        // Each operator follows from what the trace says its inputs are.
        setJudge(NO_FAULT);
        firstLayerDigest = keccak256("broken");
    }

    /* TREES */

    function layerDigest(uint256 layer) internal view returns (bytes32) {
        return layer == 0 ? firstLayerDigest : digests[OPS - 1];
    }

    function opRoot(uint256 layer) internal view returns (bytes32) {
        return root(opLeaves(layer));
    }

    function leafRoot(uint256 layer) internal view returns (bytes32) {
        return isOpGranular ? opRoot(layer) : bytes32(0);
    }

    function traceRoot() internal view returns (bytes32) {
        return root(layerLeaves());
    }

    function planRoot() internal view returns (bytes32) {
        return root(planLeaves());
    }

    function opLeaves(uint256 layer) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](LAYER_OPS);
        for (uint256 i = 0; i < LAYER_OPS; ++i) {
            leaves[i] = TraceTree.hashOp(i, digests[layer * LAYER_OPS + i]);
        }
    }

    function layerLeaves() private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](LAYERS);
        for (uint256 i = 0; i < LAYERS; ++i) {
            leaves[i] = TraceTree.hashLayer(i, layerDigest(i), leafRoot(i));
        }
    }

    function planLeaves() private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](OPS);
        for (uint256 i = 0; i < OPS; ++i) {
            leaves[i] = keccak256(abi.encodePacked(uint8(0x13), uint64(i), keccak256(descriptors[i])));
        }
    }

    function root(bytes32[] memory leaves) private pure returns (bytes32) {
        while (leaves.length > 1) leaves = above(leaves);
        return leaves[0];
    }

    function above(bytes32[] memory nodes) private pure returns (bytes32[] memory next) {
        next = new bytes32[](nodes.length / 2);
        for (uint256 i = 0; i < next.length; ++i) {
            next[i] = keccak256(abi.encodePacked(uint8(1), nodes[2 * i], nodes[2 * i + 1]));
        }
    }

    /// @dev Appends the siblings of a leaf.
    function extend(bytes32[] memory siblings, bytes32[] memory leaves, uint256 index)
        private
        pure
        returns (bytes32[] memory all)
    {
        uint256 depth = leaves.length == 8 ? 3 : leaves.length / 2;
        all = new bytes32[](siblings.length + depth);
        for (uint256 i = 0; i < siblings.length; ++i) {
            all[i] = siblings[i];
        }
        for (uint256 i = 0; i < depth; ++i) {
            all[siblings.length + i] = leaves[index >> i ^ 1];
            leaves = above(leaves);
        }
    }

    /* OPENINGS */

    function lastPath() internal view returns (bytes32[] memory) {
        return extend(new bytes32[](0), layerLeaves(), LAYERS - 1);
    }

    function layerPath(uint256 layer) internal view returns (bytes32[] memory) {
        return extend(new bytes32[](0), layerLeaves(), layer);
    }

    function buildPin(JobId jobId, uint256 op, uint256 elem) internal view returns (Pin memory pin) {
        (uint256 layer, uint256 position) = (op / LAYER_OPS, op % LAYER_OPS);
        (pin.op, pin.elem, pin.desc) = (uint32(op), uint64(elem), descriptors[op]);
        (pin.layerDigest, pin.opRoot) = (layerDigest(layer), leafRoot(layer));
        pin.outDigest = digests[op];
        pin.siblings = extend(new bytes32[](0), planLeaves(), op);
        pin.siblings = extend(pin.siblings, layerLeaves(), layer);
        pin.siblings = extend(pin.siblings, opLeaves(layer), position);
        pin.inDigests = new bytes32[](1);
        if (position != 0) {
            pin.inDigests[0] = digests[op - 1];
            pin.siblings = extend(pin.siblings, opLeaves(layer), position - 1);
        } else if (layer != 0) {
            pin.inDigests[0] = layerDigest(layer - 1);
            pin.inputOpRoot = leafRoot(layer - 1);
            pin.siblings = extend(pin.siblings, layerLeaves(), layer - 1);
        } else {
            pin.terms = termsOf(jobId);
            pin.inDigests[0] = pin.terms.inDigest;
        }
    }

    function buildEnd(uint256 layer) internal view returns (LayerEnd memory end) {
        uint256 op = layer * LAYER_OPS + LAYER_OPS - 1;
        (end.op, end.desc, end.lastDigest) = (uint32(op), descriptors[op], digests[op]);
        (end.layerDigest, end.opRoot) = (layerDigest(layer), opRoot(layer));
        end.siblings = extend(new bytes32[](0), planLeaves(), op);
        end.siblings = extend(end.siblings, layerLeaves(), layer);
        end.siblings = extend(end.siblings, opLeaves(layer), LAYER_OPS - 1);
    }

    function buildClaim(JobId jobId, uint256 op, uint256 elem, bytes32 seed)
        internal
        view
        returns (Claim memory claim)
    {
        Pin memory pin = buildPin(jobId, op, elem);
        (claim.version, claim.jobId, claim.seed) = (version, jobId, seed);
        (claim.op, claim.elem, claim.desc) = (pin.op, pin.elem, pin.desc);
        (claim.inDigests, claim.outDigest) = (pin.inDigests, pin.outDigest);
    }

    function layerDigests() internal view returns (bytes32[] memory list) {
        list = new bytes32[](LAYERS);
        (list[0], list[1]) = (layerDigest(0), layerDigest(1));
    }

    function leafRoots() internal view returns (bytes32[] memory list) {
        list = new bytes32[](isOpGranular ? LAYERS : 0);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = opRoot(i);
        }
    }

    function opDigests(uint256 from, uint256 count) internal view returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = digests[from + i];
        }
    }
}
