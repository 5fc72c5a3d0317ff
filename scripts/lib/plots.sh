# What draws the pictures of `./scripts/bench economics --plots DIR`, in an environment of its own.
# Sourced after setup.sh, once set_up has run; nothing else of the project needs it.
# shellcheck shell=bash

PLOTS="$LOCAL/peer/plots"

make_plots_environment() {
  "$PYTHON" -m venv --clear "$PLOTS" &&
    "$PLOTS/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      -r scripts/locks/plots.txt
}

exec_economics() { # exec_economics [ARGUMENT...]
  local folder='' output='' arguments=()
  while [ $# -gt 0 ]; do
    case $1 in
      --plots) folder=${2:?--plots needs a folder} && shift ;;
      --plots=*) folder=${1#*=} ;;
      --json) output=${2:?--json needs a file} && shift ;;
      --json=*) output=${1#*=} ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
  if [ -z "$folder" ]; then
    exec python -m tests.benchmarks.economics "${arguments[@]}" ${output:+--json "$output"}
  fi
  mkdir -p "$LOCAL/peer"
  step plots "$PLOTS $(hash_files scripts/locks/plots.txt)" "matplotlib, to draw with (download: 30 MB)" \
    make_plots_environment
  output=${output:-$(mktemp)}
  local status=0
  python -m tests.benchmarks.economics "${arguments[@]}" --json "$output" || status=$?
  "$PLOTS/bin/python" tests/benchmarks/economics_plots.py "$output" "$folder" || exit
  exit "$status"
}
