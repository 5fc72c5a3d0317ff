"""What is in the wheel, and that it needs nothing that is not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest

from offchain.chain.manifest import CONTRACTS
from offchain.cli.main import NOUNS
from tests.package.conftest import ROOT, Client

# What the one does not know the other does in its name.
DELEGATES: Final = {"PinpointGame": "TraceSearches"}

SOURCES = (".rs", ".toml", ".lock", ".sol", ".c", ".h", ".o")


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


def test_wheel__one_file_for_every_python_from_3_11(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name


def test_wheel__nothing_but_the_package__no_sources_no_tests(names: list[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"offchain"}
    assert [name for name in names if name.endswith(SOURCES)] == []
    assert [name for name in names if "test" in name] == []
    assert [name for name in names if ".local" in name or "key" in PurePosixPath(name).suffix] == []


def test_wheel__names_no_folder_of_the_machine_that_built_it(wheel: Path) -> None:
    folders = [str(ROOT).encode(), str(Path.home() / ".cargo").encode()]
    with zipfile.ZipFile(wheel) as file:
        for name in file.namelist():
            content = file.read(name)
            assert not [folder for folder in folders if folder in content], name


def test_wheel__holds_core_types_contracts_and_every_module(names: list[str]) -> None:
    wanted = {"offchain/py.typed", "offchain/native/_core.abi3.so", "offchain/native/_core.pyi"}
    wanted |= {f"offchain/chain/artifacts/{name}.json" for name in CONTRACTS}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "offchain").rglob("*.py")}
    assert wanted - set(names) == set()


def test_wheel__holds_the_built_page_and_nothing_it_was_made_from(names: list[str]) -> None:
    built = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "offchain" / "dapp" / "dist").rglob("*")
        if path.is_file()
    }
    assert "offchain/dapp/dist/index.html" in built
    assert {name for name in names if name.startswith("offchain/dapp/")} == built


def test_wheel__contracts_are_those_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        for name in CONTRACTS:
            packaged = json.loads(file.read(f"offchain/chain/artifacts/{name}.json"))
            compiled = read_compiled(name)
            assert packaged["creationCode"] == compiled["bytecode"]["object"]
            if name not in DELEGATES:
                assert packaged["abi"] == compiled["abi"]
                continue
            # Its code lies in two contracts, and callers need the functions of both.
            other = [e for e in read_compiled(DELEGATES[name])["abi"] if "name" in e]
            own = [e for e in compiled["abi"] if e["type"] not in ("fallback", "receive")]
            assert as_set(packaged["abi"]) == as_set(own) | as_set(other)
            assert len(packaged["abi"]) == len(as_set(packaged["abi"]))


def read_compiled(name: str) -> dict[str, Any]:
    path = ROOT / ".local" / "forge" / "out" / f"{name}.sol" / f"{name}.json"
    compiled: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return compiled


def as_set(abi: list[dict[str, Any]]) -> set[str]:
    return {json.dumps(entry, sort_keys=True) for entry in abi}


def test_installed__lies_in_its_own_environment(client: Client) -> None:
    path = client.run_python("import offchain; print(offchain.__file__)")
    assert path.startswith(str(client.folder))


def test_installed__core_proves_nothing_false__and_commits(client: Client) -> None:
    code = (
        "from offchain import native; import numpy as np; srs = native.srs_insecure(4); "
        "one = native.commit(srs, np.ones(16, dtype=np.int64)); "
        "two = native.commit(srs, np.full(16, 2, dtype=np.int64)); print(len(one), one != two)"
    )
    assert client.run_python(code) == "64 True"


def test_installed__every_module_of_a_client_imports(client: Client) -> None:
    code = (
        "import pkgutil, importlib, offchain; "
        # Imported inside a worker's home only, where torch is, or by a gateway (an extra).
        "optional = ('offchain.workers', 'offchain.execute.torch_', 'offchain.gateway'); "
        "names = [m.name for m in pkgutil.walk_packages(offchain.__path__, 'offchain.')]; "
        "[importlib.import_module(n) for n in names if not n.startswith(optional)]; "
        "importlib.import_module('offchain.execute.torch_runtime'); "
        "print(len(names))"
    )
    assert int(client.run_python(code)) > 50


@pytest.mark.parametrize("noun", [(), *((noun,) for noun in NOUNS)], ids=" ".join)
def test_installed__every_noun_explains_itself(client: Client, noun: tuple[str, ...]) -> None:
    done = client.run(*noun, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: zkdps" in done.stdout


def test_installed__artifacts_are_found(client: Client) -> None:
    code = (
        "from offchain.chain.artifacts import list_artifacts, load_artifact; "
        "print(*(n for n in list_artifacts() if load_artifact(n).creation_code))"
    )
    assert set(CONTRACTS) <= set(client.run_python(code).split())
