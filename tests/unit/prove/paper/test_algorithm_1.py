"""Algorithm 1: completeness, extraction by rewinding (4)-(7), simulation, forgeries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from offchain.errors import ProofError, RangeError
from offchain.prove.paper.conversation import (
    Interactive,
    ProverEnd,
    VerifierEnd,
    fiat_shamir,
    verify_conversation,
)
from offchain.prove.paper.folding import (
    count_rounds,
    extract_folded,
    prove_folded,
    verify_folded,
)
from offchain.prove.paper.opening import (
    Conversation,
    FirstMessage,
    Opening,
    SigmaProver,
    Statement,
    extract,
    prove_opening,
    simulate,
    verify,
    verify_opening,
)
from offchain.prove.paper.pedersen import U, commit
from offchain.prove.reference.curve import add, encode, negate, scale
from offchain.prove.reference.field import R, inverse
from tests.unit.prove.paper.support import (
    FORMS,
    assert_nothing_can_change,
    assert_refused,
    bound_by,
    draws,
    run,
)

SIZES = pytest.mark.parametrize("size", [1, 2, 3, 8, 13])
POWERS = pytest.mark.parametrize("size", [1, 2, 4, 8])


def make(size: int, with_form: bool = True) -> tuple[Statement, Opening]:
    draw = draws(size)
    opening = Opening(tuple(draw() for _ in range(size)), draw())
    form = tuple(draw() for _ in range(size)) if with_form else ()
    value = sum(c * s for c, s in zip(form, opening.values, strict=False)) % R
    return Statement(commit(opening.values, opening.blinding), size, form, value), opening


def converse(statement: Statement, prover: SigmaProver, challenge: int) -> Conversation:
    """One accepted run, from the prover's first message on."""
    conversation = Conversation(prover.first, challenge, prover.respond(challenge))
    verify(statement, conversation)
    return conversation


def flatten(conversation: Conversation) -> tuple[bytes, int, Opening]:
    first = conversation.first
    return encode(first.commitment), first.value, conversation.response


# Completeness


@SIZES
@pytest.mark.parametrize("with_form", [False, True])
@FORMS
def test_algorithm_1__honest_prover__is_accepted(form: str, with_form: bool, size: int) -> None:
    statement, opening = make(size, with_form)
    run(
        form,
        lambda end: prove_opening(end, statement, opening, draws(9)),
        lambda end: verify_opening(end, statement),
    )


@POWERS
@pytest.mark.parametrize("with_form", [False, True])
@FORMS
def test_algorithm_1_folded__honest_prover__is_accepted_with_two_points_a_round(
    form: str, with_form: bool, size: int
) -> None:
    statement, opening = make(size, with_form)
    messages = run(
        form,
        lambda end: prove_folded(end, statement, opening, draws(9)),
        lambda end: verify_folded(end, statement),
    )
    rounds = size.bit_length() - 1
    assert sum(map(len, messages)) == 64 + 2 * 32 + rounds * 2 * 64 + 32


def test_algorithm_1_folded__size_that_is_no_power_of_two__is_refused() -> None:
    statement, _ = make(3)
    with pytest.raises(RangeError, match="not 3 values"):
        count_rounds(statement)


# Special soundness


@SIZES
def test_equations_4_to_7__rewound_prover__gives_the_committed_vector(size: int) -> None:
    statement, opening = make(size)
    prover, coins = SigmaProver(statement, opening, draws(9)), draws(10)
    one, other = (converse(statement, prover, coins()) for _ in range(2))
    assert extract(one, other) == opening


def test_equations_4_to_7__whole_conversation_run_twice__gives_the_committed_vector() -> None:
    statement, opening = make(5)
    accepted: list[Conversation] = []
    for seed in (10, 11):  # the same prover's coins, other verifier's coins: that is rewinding
        live = Interactive(draws(seed))
        end = ProverEnd(live)
        prove_opening(end, statement, opening, draws(9))
        verify_conversation(
            live.replay(),
            end.messages,
            lambda reader: accepted.append(verify_opening(reader, statement)),
        )
    assert extract(*accepted) == opening


def test_equations_4_to_7__prover_who_answers_one_coin_in_five__is_extracted_all_the_same() -> None:
    statement, opening = make(4)
    prover, coins = SigmaProver(statement, opening, draws(9)), draws(10)
    accepted: list[Conversation] = []
    refusals = 0
    while len(accepted) < 2:
        challenge = coins()
        answer = prover.respond(challenge if challenge % 5 == 0 else challenge + 1)
        conversation = Conversation(prover.first, challenge, answer)
        try:
            verify(statement, conversation)
        except ProofError:
            refusals += 1
        else:
            accepted.append(conversation)
    assert refusals
    assert extract(*accepted) == opening


def test_equation_7__two_runs_with_one_challenge__give_nothing() -> None:
    statement, opening = make(4)
    prover = SigmaProver(statement, opening, draws(9))
    with pytest.raises(ProofError, match="challenges are equal"):
        extract(converse(statement, prover, 77), converse(statement, prover, 77 + R))


def test_equation_7__runs_with_two_first_messages__give_nothing() -> None:
    statement, opening = make(4)
    runs = [converse(statement, SigmaProver(statement, opening, draws(k)), k) for k in (5, 6)]
    with pytest.raises(ProofError, match="begin differently"):
        extract(*runs)


@pytest.mark.parametrize("size", [1, 2, 4, pytest.param(8, marks=pytest.mark.slow)])
def test_algorithm_1_folded__tree_of_rewound_runs__gives_the_committed_vector(size: int) -> None:
    statement, opening = make(size)

    def extract_response(e: int) -> Opening:
        blindings = []

        def answer(challenges: list[int]) -> int:
            coins = Interactive([*reversed([e, 4711, *challenges])].pop)
            end = ProverEnd(coins)
            prove_folded(end, statement, opening, draws(9))
            z = []
            verify_conversation(
                coins.replay(), end.messages, lambda r: z.append(verify_folded(r, statement))
            )
            blindings.append(int.from_bytes(end.messages[2], "big"))
            return z[0]

        values = extract_folded(answer, count_rounds(statement), draws(12))
        return Opening(tuple(values), blindings[0])

    first = SigmaProver(statement, opening, draws(9)).first
    runs = [Conversation(first, e, extract_response(e)) for e in (21, 22)]
    for one in runs:
        verify(statement, one)
    assert extract(*runs) == opening


# Zero knowledge for an honest verifier


@SIZES
def test_algorithm_1__simulated_run__is_accepted_without_a_witness(size: int) -> None:
    statement, _ = make(size)
    verify(statement, simulate(statement, 99, draws(13)))
    false = Statement(statement.commitment, size, statement.form, statement.value + 1)
    verify(false, simulate(false, 99, draws(13)))  # true or false: it has seen no witness


@SIZES
def test_algorithm_1__honest_and_simulated_runs__are_in_bijection(size: int) -> None:
    """For a fixed challenge the prover's coins and the responses are one to one, and a response
    leaves one first message: uniform coins on either side give the same distribution."""
    statement, opening = make(size)
    e = 99
    honest = converse(statement, SigmaProver(statement, opening, draws(9)), e)
    coins = [*honest.response.values, honest.response.blinding]
    simulated = simulate(statement, e, iter(coins).__next__)
    assert flatten(simulated) == flatten(honest)

    simulated = simulate(statement, e, draws(13))
    secret = (*opening.values, opening.blinding)
    answered = (*simulated.response.values, simulated.response.blinding)
    masks = [(z - e * s) % R for z, s in zip(answered, secret, strict=True)]
    honest = converse(statement, SigmaProver(statement, opening, iter(masks).__next__), e)
    assert flatten(honest) == flatten(simulated)


# Forgeries


@FORMS
def test_equation_6__prover_with_another_vector__is_refused(form: str) -> None:
    statement, opening = make(4)
    other = Opening((opening.values[0] + 1, *opening.values[1:]), opening.blinding)
    assert_refused(
        form,
        lambda end: prove_opening(end, statement, other, draws(9)),
        lambda end: verify_opening(end, statement),
        "does not open",
    )


@FORMS
def test_equation_6__prover_with_a_wrong_value__is_refused(form: str) -> None:
    honest, opening = make(4)
    statement = Statement(honest.commitment, 4, honest.form, honest.value + 1)
    assert_refused(
        form,
        lambda end: prove_opening(end, statement, opening, draws(9)),
        lambda end: verify_opening(end, statement),
        "linear form",
    )


def test_equation_6__prover_who_guesses_the_challenge__wins_for_that_one_only() -> None:
    statement, _ = make(4)
    guessed = simulate(statement, 99, draws(13))
    verify(statement, guessed)
    for challenge in (98, 100, draws(14)()):
        with pytest.raises(ProofError, match="equation"):
            verify(statement, Conversation(guessed.first, challenge, guessed.response))


def test_equation_6__response_of_another_length__is_refused() -> None:
    statement, opening = make(4)
    prover = SigmaProver(statement, opening, draws(9))
    answer = prover.respond(3)
    longer = Opening((*answer.values, 0), answer.blinding)
    with pytest.raises(ProofError, match="4 values expected, 5 answered"):
        verify(statement, Conversation(prover.first, 3, longer))


class CredulousReader(VerifierEnd):
    """Hashes the statement that the forger wishes, not the one it verifies: weak Fiat-Shamir."""

    def __init__(self, hashed: Statement, messages: list[bytes]) -> None:
        super().__init__(fiat_shamir(), messages)
        self.hashed = hashed

    def bind(self, argument: str, *parts: bytes) -> None:
        super().bind(argument, self.hashed.to_bytes())


@pytest.mark.parametrize("chosen", ["value", "commitment"])
def test_algorithm_1__statement_chosen_after_the_challenge__needs_a_verifier_that_forgets_it(
    chosen: str,
) -> None:
    honest, opening = make(4)
    end = ProverEnd(fiat_shamir())
    end.bind("opening", honest.to_bytes())
    prover = SigmaProver(honest, opening, draws(9))
    first = prover.first
    if chosen == "value":
        first = FirstMessage(first.commitment, first.value + 1)
    else:
        first = FirstMessage(U, first.value)  # nobody can open this
    end.send_points([first.commitment])
    end.send_scalars([first.value])
    e = end.challenge()
    response = prover.respond(e)
    end.send_scalars([*response.values, response.blinding])

    value, commitment = honest.value, honest.commitment
    if chosen == "value":
        value = (honest.apply_form(response.values) - first.value) * inverse(e) % R
    else:
        answered = commit(response.values, response.blinding)
        commitment = scale(add(answered, negate(U)), inverse(e))
    false = Statement(commitment, 4, honest.form, value)
    assert false != honest

    verify_opening(CredulousReader(honest, end.messages), false)
    with pytest.raises(ProofError, match="does not open"):
        verify_opening(VerifierEnd(fiat_shamir(), end.messages), false)


def test_algorithm_1__size_and_form__are_bound_as_well() -> None:
    statement, _ = make(4)
    other = replace(statement, form=(1, *statement.form[1:]))
    longer = replace(statement, size=5, form=(*statement.form, 0))
    without = replace(statement, form=())
    told = {bound_by(lambda end, s=s: verify_opening(end, s)) for s in (statement, other, longer)}
    assert len(told | {bound_by(lambda end: verify_folded(end, without))}) == 4


@FORMS
@pytest.mark.parametrize("what", ["vector", "blinding", "value"])
def test_algorithm_1_folded__forgery__is_refused(form: str, what: str) -> None:
    statement, opening = make(4)
    if what == "vector":
        opening = Opening((opening.values[1], opening.values[0], *opening.values[2:]), 0)
    elif what == "blinding":
        opening = Opening(opening.values, opening.blinding + 1)
    else:
        statement = Statement(statement.commitment, 4, statement.form, statement.value + 1)
    assert_refused(
        form,
        lambda end: prove_folded(end, statement, opening, draws(9)),
        lambda end: verify_folded(end, statement),
        "folded response",
    )


@pytest.mark.parametrize(
    ("prove", "check"), [(prove_opening, verify_opening), (prove_folded, verify_folded)]
)
def test_algorithm_1__any_change_of_a_message__is_refused(
    prove: Callable[..., None], check: Callable[..., object]
) -> None:
    statement, opening = make(4)
    end = ProverEnd(fiat_shamir())
    prove(end, statement, opening, draws(9))
    assert_nothing_can_change(end.messages, lambda reader: check(reader, statement))
