# The peer that `./scripts/bench prover --peer ezkl` compares with, in an environment of its own.
# Sourced after setup.sh, once set_up has run; nothing else of the project needs it.
# shellcheck shell=bash

EZKL="$LOCAL/peer/ezkl"

# Wheels only: its source needs git repositories. A folder in PIP_FIND_LINKS serves as well as the registry.
make_ezkl_environment() {
  "$PYTHON" -m venv --clear "$EZKL" &&
    "$EZKL/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      -r scripts/locks/peer.txt || {
    say "ezkl's wheel cannot be had here: pip needs its registry, or PIP_FIND_LINKS naming a folder with the file"
    say "that scripts/locks/peer.txt pins; there are wheels for Linux, macOS and Windows. All else works without it."
    rm -rf "$EZKL"
    return 1
  }
}

install_ezkl() {
  [ -x "$EZKL/bin/python" ] || rm -f "$STAMPS/ezkl"
  mkdir -p "$LOCAL/peer"
  step ezkl "$EZKL $(hash_files scripts/locks/peer.txt)" "ezkl, to compare with (download: 14 MB)" make_ezkl_environment
}
