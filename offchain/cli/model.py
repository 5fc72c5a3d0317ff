"""`zkdps model`: train, import, publish, fetch, check and register models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.bundles import COMMANDS as BUNDLE_COMMANDS
from offchain.cli.options import FILE, FOLDER, json_option
from offchain.cli.output import EXIT_HELP, answer, progress
from offchain.cli.plans import plan
from offchain.cli.versions import COMMANDS as CHAIN_COMMANDS

if TYPE_CHECKING:
    from offchain.commit.model_folder import PublishedModel

MODEL: Final = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)


@click.group(name="model")
def command() -> None:
    """Train, import, publish, check and register models. A model is a folder of plain files.

    \b
    zkdps model train --out models/mlp-digits
    zkdps model register --model models/mlp-digits --key-file registrant.key
    zkdps model plan --model models/mlp-digits --version 0x... --key-file registrant.key
    zkdps model verify --model models/mlp-digits --version 0x...
    zkdps model pull --version 0x... --out models
    """


for known in (*CHAIN_COMMANDS, plan, *BUNDLE_COMMANDS):
    command.add_command(known)


@command.command(epilog=EXIT_HELP)
@click.option("--out", type=FOLDER, required=True, help="Folder to write; must not exist.")
@click.option(
    "--dataset",
    type=click.Choice(["digits", "languages"]),
    default="digits",
    show_default=True,
    help="digits: 1,797 real scans, a picture in. languages: seven word lists, a text in.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the training.")
@json_option
def train(out: Path, dataset: str, seed: int, as_json: bool) -> None:
    """Train a network on real data, import it through ONNX, quantize it, publish it.

    Refused when held-out accuracy or the agreement of integer and float network miss their floors:
    95 % and 99 % for digits, 88 % and 97 % for languages (phrases of two to four words).

    \b
    zkdps model train --out models/mlp-digits
    zkdps model train --dataset languages --out models/mlp-languages
    """
    from offchain.commit.digits import build_digits_model
    from offchain.commit.languages import build_languages_model

    build = {"digits": build_digits_model, "languages": build_languages_model}[dataset]
    with progress("training and quantizing"):
        built = build(out, seed)
    held_out = built.model.report["sets"]["heldOut"]
    answer(
        {
            "folder": str(out),
            "graph_hash": "0x" + built.model.graph.hash().hex(),
            "train_s": round(built.train_s, 2),
            "quantize_s": round(built.quantize_s, 2),
            "held_out_accuracy": held_out["integerAccuracy"],
            "held_out_agreement": held_out["agreement"],
        },
        as_json,
    )


@command.command(name="import", epilog=EXIT_HELP)
@click.option("--onnx", "onnx_file", type=FILE, required=True, help="A chain of linear layers.")
@click.option(
    "--calibration",
    type=FILE,
    required=True,
    help=".npz with real inputs: x (rows, cols), and if known y, x_held_out, y_held_out.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder to write; must not exist.")
@click.option(
    "--input-bits",
    type=click.Choice(["8", "16", "32"]),
    default="8",
    show_default=True,
    help="Bits in which an input element is stored.",
)
@click.option("--input-lo", type=int, default=0, show_default=True, help="Least input integer.")
@click.option("--input-hi", type=int, required=True, help="Largest input integer.")
@click.option(
    "--input-scale", default=1.0, show_default=True, help="Real value of one step of the input."
)
@json_option
def import_(
    onnx_file: Path,
    calibration: Path,
    out: Path,
    input_bits: str,
    input_lo: int,
    input_hi: int,
    input_scale: float,
    as_json: bool,
) -> None:
    """Quantize an ONNX model to integers that every machine computes alike, and publish it.

    Refused with the reason and the remedy: operators that cannot be proven, weights with which a
    tensor could leave its range, answers that differ from the float model's on over 1 % of rows.

    \b
    zkdps model import --onnx net.onnx --calibration data.npz --input-hi 16 --out models/net
    """
    from offchain.commit.imported import import_model, read_calibration
    from offchain.quantize.layers import InputRange

    source = InputRange(int(input_bits), input_lo, input_hi, input_scale)
    with progress("quantizing"):
        model = import_model(out, onnx_file, read_calibration(calibration), source)
    answer(describe_files(out, model), as_json)


@command.command(epilog=EXIT_HELP)
@click.option("--model", type=MODEL, required=True, help="Model folder.")
@click.option("--to", "target", type=FOLDER, required=True, help="Folder of published models.")
@json_option
def publish(model: Path, target: Path, as_json: bool) -> None:
    """Copy a model to where others find it; every digest is recomputed from the copy.

    \b
    zkdps model publish --model models/mlp-digits --to /srv/models
    """
    from offchain.commit.model_folder import publish_model_folder

    with progress("copying and recomputing digests"):
        published = publish_model_folder(model, target)
    answer(describe_files(target / model.name, published), as_json)


def describe_files(folder: Path, model: PublishedModel) -> Mapping[str, Any]:
    """Return what a published folder holds."""
    return {
        "folder": str(folder),
        "graph_hash": "0x" + model.graph.hash().hex(),
        "weight_root": "0x" + model.weight_root.hex(),
        "size": dict(model.report.get("size", {})),
        "sets": {
            name: {k: v for k, v in figures.items() if k != "saturation"}
            for name, figures in model.report.get("sets", {}).items()
        },
    }
