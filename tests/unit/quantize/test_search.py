"""Quantization of small float models: bounds hold, layers stay equal, the search is frugal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.errors import FidelityError, UnboundedError
from offchain.execute.reference import run_traced
from offchain.model.float_graph import FloatArray, FloatGraph, FloatLayer
from offchain.prove.compile import Choice as ProofChoice
from offchain.prove.compile import compile_graph
from offchain.prove.program import Lookup
from offchain.quantize.layers import (
    Choice,
    InputRange,
    compute_multiplier,
    equalize,
    quantize_layers,
)
from offchain.quantize.ranges import Interval, bound_quotient, verify_ranges
from offchain.quantize.report import LabelledSet, make_report
from offchain.quantize.search import Target, compute_lambda, list_choices, search

SOURCE = InputRange(bits=8, lo=-100, hi=100, scale=0.01)
CHOICE = Choice((8, 8), 8, 8, is_equalized=True)


def draw_floats(seed: int, sizes: tuple[int, ...] = (12, 9, 5)) -> FloatGraph:
    """Draw a float chain with ReLU between its layers."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        FloatLayer(
            f"fc{k}",
            rng.normal(size=(outer, inner)) * rng.uniform(0.1, 3.0, size=(outer, 1)),
            rng.normal(size=outer) if k % 2 == 0 else None,
            "relu" if k < len(sizes) - 2 else "identity",
        )
        for k, (inner, outer) in enumerate(itertools.pairwise(sizes))
    )
    return FloatGraph("x", sizes[0], layers)


def draw_inputs(seed: int, rows: int = 200, cols: int = 12) -> FloatArray:
    return np.random.default_rng(seed).uniform(-1, 1, size=(rows, cols))


@given(
    st.integers(0, 2**32),
    st.sampled_from([(8,), (8, 8), (12,), (16, 16)]),
    st.integers(4, 12),
    st.integers(4, 12),
    st.booleans(),
    st.sampled_from([None, 5]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_quantize_layers__any_choice__worst_case_stays_in_its_tables(
    seed: int,
    digits: tuple[int, ...],
    hidden: int,
    output: int,
    is_equalized: bool,
    top: int | None,
) -> None:
    model = draw_floats(seed, (12, 9, 7, 5))
    quantized = quantize_layers(model, SOURCE, Choice(digits, hidden, output, is_equalized, top))
    verify_ranges(quantized.graph, quantized.weights)
    assert compile_graph(quantized.graph).program.op_count == 6


@given(st.integers(-(1 << 40), 1 << 40), st.integers(0, 1 << 40), st.sampled_from([8, 16, 32]))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_compute_multiplier__any_bounds__next_integer_would_leave(
    lo: int, span: int, s: int
) -> None:
    width, half = 8, 128
    acc = Interval(np.array([lo]), np.array([lo + span]))
    m = int(compute_multiplier(acc, s, width))
    fits = bound_quotient(acc, m, s)
    assert -half <= fits.least <= fits.greatest < half
    if acc.least < 0 or acc.greatest > 0:
        beyond = bound_quotient(acc, m + 1, s)
        assert beyond.least < -half or beyond.greatest >= half


def test_equalize__relu_chain__same_function_and_equal_worst_cases() -> None:
    model, x = draw_floats(3), draw_inputs(4)
    equal = FloatGraph("x", 12, equalize(model, SOURCE))
    assert np.allclose(model.run(x), equal.run(x), rtol=1e-12)
    layer = equal.layers[0]
    assert layer.bias is not None
    worst = np.abs(layer.weight).sum(axis=1) + np.abs(layer.bias)
    assert np.allclose(worst, worst[0])


def test_quantize_layers__fine_tables__close_to_float() -> None:
    model, x = draw_floats(5), draw_inputs(6)
    quantized = quantize_layers(model, SOURCE, Choice((16,), 14, 14, is_equalized=True))
    graph = quantized.graph.with_rows(len(x))
    integers = SOURCE.to_integers(x)
    output = run_traced(graph, quantized.weights, integers).output * quantized.output_scale
    exact = model.run(integers * SOURCE.scale)
    assert np.abs(output - exact).max() < 0.02 * np.abs(exact).max()


def test_quantize_layers__zero_layer__is_not_a_division_by_zero() -> None:
    zero = FloatLayer("fc0", np.zeros((3, 4)), np.zeros(3), "identity")
    quantized = quantize_layers(FloatGraph("x", 4, (zero,)), SOURCE, CHOICE)
    assert not quantized.weights["fc0.w"].any()


def test_quantize_layers__bias_beyond_32_bits__refused_by_name() -> None:
    huge = FloatLayer("fc0", np.full((1, 1), 1e-9), np.array([1e9]), "identity")
    with pytest.raises(UnboundedError, match="fc0: the bias does not fit 32 bits"):
        quantize_layers(FloatGraph("x", 1, (huge,)), SOURCE, CHOICE)


@pytest.mark.parametrize("sizes", [(12, 9, 5), (12, 9, 7, 5), (12, 3), (12, 32, 10)])
def test_compute_lambda__every_kind_of_choice__equals_the_compiled_program(
    sizes: tuple[int, ...],
) -> None:
    model = draw_floats(7, sizes)
    for choice in list_choices(model)[::17]:
        graph = quantize_layers(model, SOURCE, choice).graph
        program = compile_graph(graph, ProofChoice(lookup=Lookup.GKR)).program
        # Layers of one width share a function table only if their clamps are equal, which they are.
        assert program.lam == max(1, compute_lambda(model, choice))


def test_search__easy_model__smallest_lambda_that_meets_the_target() -> None:
    model, x = draw_floats(8), draw_inputs(9)
    target = Target(agreement=0.97, cosine=0.99)
    found = search(model, SOURCE, x, run_traced, target)
    assert target.is_met(found.fidelity)
    least = compute_lambda(model, found.choice)
    cheaper = [c for c in list_choices(model) if compute_lambda(model, c) < least]
    for choice in cheaper:
        graph = quantize_layers(model, SOURCE, choice)
        integers = SOURCE.to_integers(x)
        output = run_traced(graph.graph.with_rows(len(x)), graph.weights, integers).output
        exact = model.run(x)
        agreement = (output.argmax(axis=1) == exact.argmax(axis=1)).mean()
        norms = np.linalg.norm(output, axis=1) * np.linalg.norm(exact, axis=1)
        cosine = ((output * exact).sum(axis=1) / np.maximum(norms, 1e-300)).mean()
        assert agreement < target.agreement or cosine < target.cosine


def test_search__same_data_twice__same_graph() -> None:
    model, x = draw_floats(8), draw_inputs(9)
    target = Target(agreement=0.97, cosine=0.99)
    first, second = (search(model, SOURCE, x, run_traced, target).model for _ in range(2))
    assert first.graph.hash() == second.graph.hash()
    assert all((first.weights[k] == second.weights[k]).all() for k in first.weights)


def test_search__impossible_target__error_names_the_best() -> None:
    model = draw_floats(10, (3, 2))
    with pytest.raises(FidelityError, match=r"the best one: Choice.*agreement .*cosine"):
        search(model, SOURCE, draw_inputs(1, 20, 3), run_traced, Target(agreement=1.1))


def test_make_report__clamped_choice__counts_saturation_and_flags_it() -> None:
    model, x = draw_floats(11), draw_inputs(12)
    quantized = quantize_layers(model, SOURCE, Choice((8, 8), 9, 9, is_equalized=False, top=1))
    labelled = LabelledSet(x, model.run(x).argmax(axis=1))
    report = make_report(model, SOURCE, quantized, {"some": labelled}, run_traced)
    measured = report["sets"]["some"]
    t = (
        run_traced(quantized.graph.with_rows(len(x)), quantized.weights, SOURCE.to_integers(x))
        .steps["fc0.y"]
        .t
    )
    assert measured["saturation"] == {"fc0.y": float((t > 1).mean()), "fc1.y": 0.0}
    assert measured["tooSaturated"] == ["fc0.y"]
    assert measured["floatAccuracy"] == 1.0
    assert measured["integerAccuracy"] == measured["agreement"]
    assert report["size"]["tableRows"] == 256 + 512 + 512
    assert report["size"]["weights"] == 12 * 9 + 9 + 9 * 5
