"""Write dapp.json and dapp_money.json: what the web page computes for itself too.

`python -m tests.vectors.dapp`
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.vectors import dapp_ids as ids
from tests.vectors import dapp_models as models
from tests.vectors import dapp_money as money

FOLDER: Final = Path(__file__).parent
SEED: Final = 0xDA9


def dapp_vectors() -> dict[str, dict[str, Any]]:
    """Return the content of each file by its name."""
    rng = np.random.default_rng(SEED)
    return {
        "dapp": {
            "digests": ids.digest_vectors(rng),
            "weightRoots": ids.weight_root_vectors(rng),
            "jobs": ids.job_vectors(rng),
            "sessions": ids.session_vectors(rng),
            "typedData": ids.typed_data_vectors(rng),
            "models": [models.digits_model(), models.table_model(rng), *models.random_models()],
            "refused": models.refused_graphs(),
        },
        "dapp_money": {
            "parameters": money.parameter_vectors(),
            "prices": money.price_vectors(rng),
            "settlements": money.settlement_vectors(rng),
            "slashes": money.slash_vectors(rng),
        },
    }


def main() -> None:
    """Write the files anew."""
    for name, content in dapp_vectors().items():
        (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
