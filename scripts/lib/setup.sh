# Set-up shared by the scripts: everything the project needs, from Python, Rust and Node alone.
# Sourced, never run. Each step leaves a stamp in .local/stamps and is done again only when its inputs change;
# `rm -r .local` makes every step run again.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LOCAL="$ROOT/.local"
VENV="$ROOT/.venv"
STAMPS="$LOCAL/stamps"
NPM="$ROOT/scripts/npm"
DAPP="$ROOT/offchain/dapp"
SOLC_VERSION=0.8.30
RUST_MINIMUM=1.91     # offchain/native/Cargo.toml
SOLC_DOWNLOAD_S=30    # py-solc-x fetches some 15 MB; without a way out it fails at once
NODE_FOR_DAPP=20.19   # what the web page is built with asks for it (offchain/dapp/package.json)
FOUNDRY_MINIMUM=1.7.0 # the oldest that contracts/foundry.toml was tried with

say() { printf '==> %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# version_at_least FOUND WANTED
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# hash_files FILE...: one hash of the names and contents, so that a moved file counts as a change.
hash_files() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }

# step NAME INPUTS WHAT COMMAND...: run the command unless the stamp holds these inputs already.
step() {
  local name=$1 inputs=$2 what=$3 began=$SECONDS
  shift 3
  if [ -f "$STAMPS/$name" ] && [ "$(<"$STAMPS/$name")" = "$inputs" ]; then return; fi
  say "$what"
  rm -f "$STAMPS/$name"
  "$@" || fail "set-up stopped at '$name': the lines above say why. Run the same command again to resume."
  printf '%s\n' "$inputs" >"$STAMPS/$name"
  say "$name: done in $((SECONDS - began)) s"
}

# ---------------------------------------------------------------- what must be there

find_python() {
  local candidate
  # 3.11 and 3.12 first: ape's pinned packages have builds for them.
  for candidate in python3 python3.12 python3.11; do
    "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null || continue
    command -v "$candidate"
    return
  done
  for candidate in python3 python3.13 python3.14; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' 2>/dev/null || continue
    command -v "$candidate"
    return
  done
}

check_machine() {
  local missing=() found node rust
  PYTHON=$(find_python) || true
  found=$(python3 --version 2>/dev/null) || found=none
  [ -n "$PYTHON" ] || missing+=("Python 3.11 or later (found: $found)")
  rust=$(cargo --version 2>/dev/null | cut -d ' ' -f 2) || true
  version_at_least "${rust:-0}" "$RUST_MINIMUM" ||
    missing+=("Rust $RUST_MINIMUM or later with cargo (found ${rust:-none}; see rust-lang.org/tools/install)")
  command -v npm >/dev/null || missing+=("npm, which comes with Node")
  if node=$(node --version 2>/dev/null); then
    version_at_least "${node#v}" 18 || missing+=("Node 18 or later (found $node)")
  else
    missing+=("Node 18 or later")
  fi
  [ ${#missing[@]} -eq 0 ] && return
  printf 'error: missing on this machine:\n' >&2
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
}

# ---------------------------------------------------------------- steps

make_venv() {
  # --clear: an environment remembers its own path, so one that was moved here does not work.
  "$PYTHON" -m venv --clear "$VENV" || {
    say "python3 -m venv failed; on Debian and Ubuntu it is in the package python3-venv"
    return 1
  }
}

install_python_packages() {
  # --no-deps: the lock is complete, and one cap of a dependency is lifted on purpose (scripts/locks/overrides.txt).
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r scripts/locks/full.txt
}

install_torch() {
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r scripts/locks/torch.txt
}

# user_foundry: succeed when forge, anvil and cast on PATH are recent enough.
user_foundry() {
  local tool version
  for tool in forge anvil cast; do
    version=$("$tool" --version 2>/dev/null | sed -nE '1s/^[a-z]+ (Version: )?v?([0-9]+\.[0-9]+\.[0-9]+).*/\2/p')
    [ -n "$version" ] && version_at_least "$version" "$FOUNDRY_MINIMUM" || return 1
  done
}

# install_npm_tools FOUNDRY: install scripts/npm; "own" leaves out Foundry's binaries, which are optional packages there.
install_npm_tools() {
  local omit=() tool binary
  [ "$1" = own ] && omit=(--omit=optional)
  npm --prefix "$NPM" ci --ignore-scripts --loglevel=error "${omit[@]}" >/dev/null || return 1
  rm -f "$LOCAL"/bin/{forge,anvil,cast}
  [ "$1" = own ] && return
  for tool in forge anvil cast; do
    binary="$NPM/node_modules/@foundry-rs/$tool-linux-amd64/bin/$tool"
    [ -f "$binary" ] || {
      say "npm has no $tool for this machine: install Foundry $FOUNDRY_MINIMUM or later (getfoundry.sh) and run again"
      return 1
    }
    chmod +x "$binary"
    ln -sf "$binary" "$LOCAL/bin/$tool"
  done
}

# choose_solc: the native compiler when py-solc-x can fetch it, otherwise npm's behind a stand-in executable.
choose_solc() {
  local path
  if path=$(SOLCX_BINARY_PATH='' timeout "$SOLC_DOWNLOAD_S" "$VENV/bin/python" - 2>/dev/null <<PYTHON
import os
del os.environ["SOLCX_BINARY_PATH"]
import solcx
from solcx.install import get_executable
solcx.install_solc("$SOLC_VERSION", show_progress=False)
print(get_executable("$SOLC_VERSION"))
PYTHON
  ); then
    say "solc $SOLC_VERSION: native, $path"
  else
    path="$NPM/solc/solc-v$SOLC_VERSION"
    say "solc $SOLC_VERSION: cannot be downloaded here, using npm's build (slower, same output)"
  fi
  printf '%s\n' "$path" >"$LOCAL/solc-path"
}

# use_native_flags: leave this machine's paths out of the core, so that the same compiler gives the same bytes anywhere.
use_native_flags() {
  local cargo=${CARGO_HOME:-$HOME/.cargo}
  # Encoded, because a path may hold spaces.
  export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$ROOT=/zkdps"$'\x1f'"--remap-path-prefix=$cargo=/cargo"
}

build_native() (
  use_native_flags
  log="$LOCAL/native.log"
  VIRTUAL_ENV="$VENV" "$VENV/bin/maturin" develop --release --locked >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
  }
)

compile_contracts() {
  forge build contracts && "$VENV/bin/python" scripts/lib/share_artefacts.py &&
    "$VENV/bin/python" scripts/lib/package_artefacts.py
}

install_dapp_packages() {
  local node
  node=$(node --version)
  version_at_least "${node#v}" "$NODE_FOR_DAPP" || {
    say "the web page is built with Node $NODE_FOR_DAPP or later (found $node)"
    return 1
  }
  npm --prefix "$DAPP" ci --ignore-scripts --loglevel=error >/dev/null
}

build_dapp() {
  local log="$LOCAL/dapp.log"
  npm --prefix "$DAPP" run build >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
}

# forget_lost: drop the stamps of whatever was deleted or moved since.
forget_lost() {
  [ -x "$VENV/bin/python" ] && [ "$(cat "$STAMPS/venv" 2>/dev/null)" = "$VENV" ] ||
    rm -f "$STAMPS"/{venv,python,torch,native}
  [ -d "$NPM/node_modules/solc" ] || rm -f "$STAMPS/npm"
  [ -x "$(cat "$LOCAL/solc-path" 2>/dev/null)" ] || rm -f "$STAMPS/solc"
  compgen -G "$ROOT/offchain/native/_core*" | grep -qv '\.pyi$' || rm -f "$STAMPS/native"
  [ -d "$LOCAL/forge/out" ] && [ -f "$ROOT/.build/__local__.json" ] && [ -d "$ROOT/offchain/chain/artifacts" ] ||
    rm -f "$STAMPS/contracts"
  [ -d "$DAPP/node_modules/vite" ] || rm -f "$STAMPS/dapp-packages"
  [ -f "$DAPP/dist/index.html" ] || rm -f "$STAMPS/dapp"
}

# ---------------------------------------------------------------- the door

use_contract_tools() {
  local solc
  solc=$(<"$LOCAL/solc-path")
  export FOUNDRY_CONFIG="$ROOT/contracts/foundry.toml" FOUNDRY_SOLC="$solc" FOUNDRY_OFFLINE=true
  case $solc in "$NPM"/*) export SOLCX_BINARY_PATH="$NPM/solc" ;; esac
}

# set_up [without-contracts | with-dapp]: make the machine ready and put the project's tools on PATH. Under 3 s when
# nothing changed.
set_up() {
  cd "$ROOT" || exit
  check_machine
  mkdir -p "$STAMPS" "$LOCAL/bin"
  forget_lost

  step venv "$VENV" "Python environment in .venv ($PYTHON)" make_venv
  step python "$(hash_files scripts/locks/full.txt)" \
    "Python packages (download: about 175 MB)" install_python_packages
  step torch "$(hash_files scripts/locks/torch.txt)" \
    "torch, for training and for operators (download: about 200 MB where PIP_FIND_LINKS offers the CPU build, several GB with CUDA from the registry)" \
    install_torch

  local foundry=npm
  PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$LOCAL/bin" | paste -sd:) user_foundry && foundry=own
  step npm "$foundry $(hash_files "$NPM/package.json" "$NPM/package-lock.json")" \
    "Contract tools (download: about $([ $foundry = own ] && echo 5 || echo 75) MB; Foundry: $foundry)" \
    install_npm_tools "$foundry"
  [ $foundry = own ] || export PATH="$LOCAL/bin:$PATH"
  export PATH="$VENV/bin:$PATH"

  step solc "$SOLC_VERSION" "Solidity compiler $SOLC_VERSION" choose_solc
  use_contract_tools

  local rust contracts
  mapfile -t rust < <(find offchain/native -name target -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print | sort)
  step native "$(hash_files pyproject.toml "${rust[@]}")" \
    "Native prover (cargo downloads about 10 MB the first time)" build_native
  [ "${1:-}" = without-contracts ] && return
  mapfile -t contracts < <(find contracts -name '*.sol' | sort)
  step contracts "$(hash_files contracts/foundry.toml "$LOCAL/solc-path" "${contracts[@]}")" \
    "Contracts" compile_contracts
  [ "${1:-}" = with-dapp ] || return 0

  local page
  step dapp-packages "$(hash_files "$DAPP/package.json" "$DAPP/package-lock.json")" \
    "Web page's packages (download: about 60 MB)" install_dapp_packages
  mapfile -t page < <(find "$DAPP" \( -name node_modules -o -name dist -o -name '*.md' -o -path "$DAPP/src/protocol/abi.ts" \) -prune \
    -o -type f -print | sort)
  step dapp "$(hash_files "${page[@]}" "$STAMPS/contracts")" "Web page" build_dapp
}
