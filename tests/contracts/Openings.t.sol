// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IOpeningVerifier} from "../../contracts/interfaces/IOpeningVerifier.sol";
import {IProofVerifier} from "../../contracts/interfaces/IProofVerifier.sol";
import {FQ, FR} from "../../contracts/verifiers/Field.sol";
import {HyperKzgOpening} from "../../contracts/verifiers/openings/HyperKzgOpening.sol";
import {MercuryOpening} from "../../contracts/verifiers/openings/MercuryOpening.sol";

/// @notice The cheatcodes that the openings' tests use.
interface OpeningVm {
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function readFile(string calldata path) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
}

/// @notice A call of an opening verifier.
struct OpeningCall {
    bytes32 state;
    bytes terms;
    uint256[] point;
    uint256 value;
    bytes proof;
}

/// @notice Opens Mercury's inversions to tests.
contract MercuryHarness is MercuryOpening {
    constructor(uint256[4] memory tau) MercuryOpening(tau) {}

    function inverses(uint256 alpha, uint256 zeta) external view returns (uint256, uint256, uint256) {
        Challenges memory c;
        (c.alpha, c.zeta) = (alpha, zeta);
        invert(c);
        return (c.inverse, c.slope, c.scale);
    }
}

/// @notice Both openings on the shared vectors (tests/vectors/mercury.json), forged and malformed ones.
contract OpeningsTest {
    OpeningVm private constant vm = OpeningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 private constant MERCURY_SIZE = 704;
    /// @dev The six scalars' place in a proof of Mercury; the rest are points.
    uint256 private constant SCALARS = 320;
    uint256 private constant SCALARS_END = 512;
    /// @dev What a Mercury opening of three terms may cost, whatever the number of variables.
    uint256 private constant MERCURY_GAS = 240_000;

    string private json;
    IOpeningVerifier private mercury;
    IOpeningVerifier private hyperKzg;

    event Measured(uint256 variables, uint256 mercury, uint256 hyperKzg, uint256 mercuryBytes, uint256 hyperKzgBytes);

    function setUp() public {
        json = vm.readFile("tests/vectors/mercury.json");
        uint256[4] memory tau = readTau();
        (mercury, hyperKzg) = (new MercuryOpening(tau), new HyperKzgOpening(tau));
    }

    /* READING */

    function readTau() private view returns (uint256[4] memory tau) {
        tau = abi.decode(vm.parseJsonBytes(json, ".tauG2"), (uint256[4]));
    }

    function root(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "]");
    }

    function count(string memory list) private view returns (uint256 total) {
        while (vm.keyExistsJson(json, root(list, total))) ++total;
    }

    function read(string memory list, uint256 index, string memory kind) private view returns (OpeningCall memory c) {
        string memory key = root(list, index);
        c.state = vm.parseJsonBytes32(json, string.concat(key, ".state"));
        c.terms = vm.parseJsonBytes(json, string.concat(key, ".terms"));
        bytes32[] memory point = vm.parseJsonBytes32Array(json, string.concat(key, ".point"));
        c.point = new uint256[](point.length);
        for (uint256 i = 0; i < point.length; ++i) {
            c.point[i] = uint256(point[i]);
        }
        c.value = uint256(vm.parseJsonBytes32(json, string.concat(key, ".value")));
        c.proof = vm.parseJsonBytes(json, string.concat(key, ".", kind));
    }

    /// @dev The honest opening for three variables.
    function honest() private view returns (OpeningCall memory) {
        return read("small", 2, "mercury");
    }

    /// @dev Requires that the opening is accepted; returns the gas of the call, without its encoding.
    function open(IOpeningVerifier verifier, OpeningCall memory c) private view returns (uint256 used) {
        bytes memory call = abi.encodeCall(IOpeningVerifier.open, (c.state, c.terms, c.point, c.value, c.proof));
        used = gasleft();
        (bool accepted,) = address(verifier).staticcall(call);
        used -= gasleft();
        require(accepted, "refused");
    }

    function requireRefused(IOpeningVerifier verifier, OpeningCall memory c, bytes4 expected) private view {
        requireRefused(verifier, c, expected, 0, false);
    }

    /// @dev Requires a refusal with this error and, if asked, this first argument.
    function requireRefused(
        IOpeningVerifier verifier,
        OpeningCall memory c,
        bytes4 expected,
        uint256 arg,
        bool checkArg
    ) private view {
        try verifier.open(c.state, c.terms, c.point, c.value, c.proof) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == expected, "other error");
            uint256 got;
            assembly ("memory-safe") {
                got := mload(add(reason, 0x24))
            }
            require(!checkArg || got == arg, "other argument");
        }
    }

    function cut(bytes memory whole, uint256 size) private pure returns (bytes memory part) {
        part = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            part[i] = whole[i];
        }
    }

    function word(bytes memory whole, uint256 at) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(whole, 0x20), at))
        }
    }

    function setWord(bytes memory whole, uint256 at, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(add(whole, 0x20), at), value)
        }
    }

    /* ACCEPTED */

    function test_open_sharedVectors_succeeds() public view {
        require(count("small") == 6 && count("large") == 7, "vectors are missing");
        for (uint256 i = 0; i < 6; ++i) {
            open(mercury, read("small", i, "mercury"));
            open(hyperKzg, read("small", i, "hyperkzg"));
        }
    }

    /// @dev Mercury's cost does not depend on the number of variables but for some field arithmetic.
    function test_open_largeVectors_succeedsAtBoundedCost() public {
        // Both accounts are warm from here on: a cold one costs 2,500 more.
        require(mercury.SRS_ID() == hyperKzg.SRS_ID(), "id");
        for (uint256 i = 0; i < 7; ++i) {
            OpeningCall memory a = read("large", i, "mercury");
            OpeningCall memory b = read("large", i, "hyperkzg");
            (uint256 gasA, uint256 gasB) = (open(mercury, a), open(hyperKzg, b));
            require(a.proof.length == MERCURY_SIZE, "size");
            require(gasA < MERCURY_GAS && gasA < gasB, "gas");
            emit Measured(a.point.length, gasA, gasB, a.proof.length, b.proof.length);
        }
    }

    function test_srsId_isTheReferenceStrings() public view {
        bytes32 expected = keccak256(bytes.concat("zkdps/srs/1", vm.parseJsonBytes(json, ".tauG2")));
        require(mercury.SRS_ID() == expected && hyperKzg.SRS_ID() == expected, "id");
    }

    /* FORGED */

    function test_open_forgeries_revert() public view {
        uint256 forgeries = count("forgeries");
        require(forgeries >= 18, "forgeries are missing");
        for (uint256 i = 0; i < forgeries; ++i) {
            requireRefused(mercury, read("forgeries", i, "mercury"), IProofVerifier.PairingFailed.selector);
        }
    }

    function test_open_otherClaim_reverts() public view {
        bytes4 refused = IProofVerifier.PairingFailed.selector;
        OpeningCall memory c = honest();
        c.value = addmod(c.value, 1, FR);
        requireRefused(mercury, c, refused);
        for (uint256 i = 0; i < 3; ++i) {
            c = honest();
            c.point[i] = addmod(c.point[i], 1, FR);
            requireRefused(mercury, c, refused);
            c = honest();
            // Term 1 is infinity: its scalar may be any.
            setWord(c.terms, 96 * i, addmod(word(c.terms, 96 * i), 1, FR));
            if (i == 1) open(mercury, c);
            else requireRefused(mercury, c, refused);
        }
        c = honest();
        c.state = bytes32(uint256(c.state) ^ 1);
        requireRefused(mercury, c, refused);
        c = honest();
        c.terms = cut(c.terms, 192);
        requireRefused(mercury, c, refused);
    }

    function test_open_hyperKzgOtherClaim_reverts() public view {
        OpeningCall memory c = read("small", 4, "hyperkzg");
        c.value = addmod(c.value, 1, FR);
        requireRefused(hyperKzg, c, IProofVerifier.OpeningMismatch.selector);
        c = read("small", 4, "hyperkzg");
        setWord(c.terms, 0, addmod(word(c.terms, 0), 1, FR));
        requireRefused(hyperKzg, c, IProofVerifier.PairingFailed.selector);
    }

    function test_open_otherReferenceString_reverts() public {
        // [1]_2: the reference string of tau = 1.
        uint256[4] memory tau = [
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
            8495653923123431417604973247489272438418190587263600148770280649306958101930
        ];
        requireRefused(new MercuryOpening(tau), honest(), IProofVerifier.PairingFailed.selector);
        requireRefused(new HyperKzgOpening(tau), read("small", 2, "hyperkzg"), IProofVerifier.PairingFailed.selector);
    }

    function test_open_swappedMessages_reverts() public view {
        for (uint256 a = 0; a < MERCURY_SIZE; a += 32) {
            bool scalar = a >= SCALARS && a < SCALARS_END;
            uint256 size = scalar ? 32 : 64;
            if (!scalar && a % 64 != 0) continue;
            for (uint256 b = a + size; b < MERCURY_SIZE; b += size) {
                if ((b >= SCALARS && b < SCALARS_END) != scalar) continue;
                OpeningCall memory c = honest();
                bytes memory proof = honest().proof;
                for (uint256 k = 0; k < size; k += 32) {
                    setWord(c.proof, a + k, word(proof, b + k));
                    setWord(c.proof, b + k, word(proof, a + k));
                }
                requireRefused(mercury, c, IProofVerifier.PairingFailed.selector);
            }
        }
    }

    /* MALFORMED */

    function test_open_anyByteChanged_reverts() public view {
        OpeningCall memory c = honest();
        for (uint256 i = 0; i < MERCURY_SIZE; ++i) {
            bytes1 kept = c.proof[i];
            c.proof[i] = kept ^ 0x01;
            try mercury.open(c.state, c.terms, c.point, c.value, c.proof) {
                revert("accepted");
            } catch {}
            c.proof[i] = kept;
        }
        open(mercury, c);
    }

    function test_open_nonCanonicalElement_reverts() public view {
        OpeningCall memory c = honest();
        for (uint256 at = 0; at < MERCURY_SIZE; at += 32) {
            uint256 kept = word(c.proof, at);
            if (at >= SCALARS && at < SCALARS_END) {
                setWord(c.proof, at, kept + FR);
                requireRefused(mercury, c, IProofVerifier.NonCanonicalScalar.selector, at, true);
            } else {
                setWord(c.proof, at, kept + FQ);
                requireRefused(mercury, c, IProofVerifier.InvalidPoint.selector, at & ~uint256(63), true);
                setWord(c.proof, at, addmod(kept, 1, FQ));
                requireRefused(mercury, c, IProofVerifier.InvalidPoint.selector, at & ~uint256(63), true);
            }
            setWord(c.proof, at, kept);
        }
    }

    function test_open_truncatedOrExtended_reverts() public view {
        OpeningCall memory c = honest();
        bytes memory proof = c.proof;
        for (uint256 size = 0; size < MERCURY_SIZE; size += 31) {
            c.proof = cut(proof, size);
            requireRefused(mercury, c, IProofVerifier.TruncatedProof.selector);
        }
        for (uint256 more = 1; more < 100; more += 31) {
            c.proof = bytes.concat(proof, new bytes(more));
            requireRefused(mercury, c, IProofVerifier.TrailingBytes.selector, more, true);
        }
        c = read("small", 2, "hyperkzg");
        c.proof = bytes.concat(c.proof, new bytes(32));
        requireRefused(hyperKzg, c, IProofVerifier.TrailingBytes.selector, 32, true);
    }

    function test_open_malformedCall_reverts() public view {
        for (uint256 size = 0; size < 288; size += 95) {
            OpeningCall memory c = honest();
            c.terms = cut(c.terms, size);
            requireRefused(mercury, c, IOpeningVerifier.MalformedTerms.selector, size, true);
            requireRefused(hyperKzg, c, IOpeningVerifier.MalformedTerms.selector, size, true);
        }
        for (uint256 variables = 0; variables < 30; variables += 29) {
            OpeningCall memory c = honest();
            c.point = new uint256[](variables);
            requireRefused(mercury, c, IOpeningVerifier.UnsupportedVariables.selector, variables, true);
            requireRefused(hyperKzg, c, IOpeningVerifier.UnsupportedVariables.selector, variables, true);
        }
    }

    function test_constructor_invalidTau_reverts() public {
        uint256[4] memory tau = readTau();
        tau[3] = FQ - tau[3];
        for (uint256 i = 0; i < 2; ++i) {
            try new MercuryOpening(tau) {
                revert("accepted");
            } catch (bytes memory reason) {
                require(bytes4(reason) == IProofVerifier.InvalidSrs.selector, "other error");
            }
            // Infinity.
            tau = [uint256(0), 0, 0, 0];
        }
    }

    /* CHALLENGES */

    function test_invert_distinctPoints_inverts(uint256 seed) public {
        uint256 alpha = uint256(keccak256(abi.encode(seed, 0))) % FR;
        uint256 zeta = uint256(keccak256(abi.encode(seed, 1))) % FR;
        MercuryHarness harness = new MercuryHarness(readTau());
        (uint256 inverse, uint256 slope, uint256 scale) = harness.inverses(alpha, zeta);
        require(mulmod(inverse, zeta, FR) == 1, "1/zeta");
        require(mulmod(slope, addmod(zeta, FR - inverse, FR), FR) == 1, "1/(zeta - 1/zeta)");
        uint256 product = mulmod(addmod(alpha, FR - zeta, FR), addmod(alpha, FR - inverse, FR), FR);
        require(mulmod(scale, product, FR) == 1, "1/((alpha - zeta)(alpha - 1/zeta))");
    }

    function test_invert_collidingPoints_reverts() public {
        MercuryHarness harness = new MercuryHarness(readTau());
        uint256 half = (FR + 1) / 2;
        uint256[2][5] memory collisions =
            [[uint256(5), 0], [uint256(5), 1], [uint256(5), FR - 1], [uint256(5), 5], [half, 2]];
        for (uint256 i = 0; i < 5; ++i) {
            bytes4 expected =
                i == 0 ? IProofVerifier.ZeroChallenge.selector : IOpeningVerifier.ForbiddenChallenge.selector;
            try harness.inverses(collisions[i][0], collisions[i][1]) {
                revert("accepted");
            } catch (bytes memory reason) {
                require(bytes4(reason) == expected, "other error");
            }
        }
    }
}
