// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim, Verdict} from "./Claim.sol";

/// @notice What a version's owner declares about its operators.
struct PlanParams {
    bytes32 version;
    /// Root over the leaves keccak(0x13 || u64 t || keccak(descriptor of operator t)), padded with zero words.
    bytes32 planRoot;
    /// Number of operators of a trace.
    uint32 ops;
    /// Number of layers of a trace.
    uint32 layers;
    /// Depths of the trees: over all operators, over the layers, over the operators of any layer.
    uint8 planDepth;
    uint8 layerDepth;
    uint8 opDepth;
    /// Bit i: adjudicator i decides disputes about this version.
    uint8 adjudicators;
    /// Where the descriptors are; only emitted.
    string uri;
}

/// @notice A version's plan in storage; never changes once it is active.
///
/// | word | bits                                                                                              |
/// |------|---------------------------------------------------------------------------------------------------|
/// | 0    | planRoot                                                                                          |
/// | 1    | ops [0,32) layers [32,64) planDepth [64,72) layerDepth [72,80) opDepth [80,88) adjudicators [88,96) activeAt [96,136) |
struct Plan {
    bytes32 planRoot;
    uint32 ops;
    uint32 layers;
    uint8 planDepth;
    uint8 layerDepth;
    uint8 opDepth;
    /// Bit i: adjudicator i decides disputes about this version.
    uint8 adjudicators;
    /// Second of the protocol's clock at which it became active; 0 until then.
    uint40 activeAt;
}

/// @notice A claim that an adjudicator has to decide as expected, and to refuse when its evidence is damaged.
struct Vector {
    Claim claim;
    /// From the leaf of claim.op to the plan's root.
    bytes32[] path;
    bytes evidence;
    Verdict expected;
    /// Offset of the evidence's byte whose lowest bit is flipped.
    uint32 mutateAt;
}
