"""An argmax's answer is where its leaf looks: every index of small vectors is proven natively."""

from __future__ import annotations

import numpy as np
import pytest

from offchain.model.graph import Graph, Requant, TensorSpec
from offchain.model.operators import Argmax, Sum
from offchain.prove.compile import Choice
from offchain.prove.program import Lookup, Opening
from tests.differential.submissions import Case
from tests.random_models import RandomModel


@pytest.mark.parametrize("lookup", list(Lookup))
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_argmax__every_answer__accepted(count: int, lookup: Lookup) -> None:
    ops = (
        Sum("a", (("x", 1),)),
        Requant("q", "a", 256, 8, (8,), 8, "identity", 8, -128, 127),
        Argmax("y", "q"),
    )
    graph = Graph((TensorSpec("x", (count,), 8, -128, 127),), "y", (), ops)
    for answer in range(count):
        x = np.full((count,), -3)
        x[answer] = 50
        case = Case(RandomModel(graph, {}, x), Choice(None, lookup, Opening.MERCURY))
        assert case.submit().accepted_by_rust(), answer
