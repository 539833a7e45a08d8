#!/usr/bin/env bash
# Lets libFuzzer search for inputs of which something does not hold:
#   .ci/fuzz.sh              what there is to search
#   .ci/fuzz.sh track        a minute with the target `track`
#   .ci/fuzz.sh track 600 ~/films    ten minutes, beginning with the files in a folder, too
# A stable compiler will do. What was found goes on from where the last run stopped (target/fuzz/<target>); an input that
# breaks something is left there as crash-...: `.ci/fuzz.sh track 0 FILE` runs it again.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
  sed -n 's/^ *\([a-z]*\) \([a-z_]*\) [0-9_]*;$/\2\t\1/p' crates/fuzz/src/lib.rs | sort | expand -t 14
  exit 0
fi
target=$1
seconds=${2:-60}
shift $(($# < 2 ? $# : 2))
export CARGO_INCREMENTAL=0 RUSTC_WORKSPACE_WRAPPER="$PWD/.ci/instrumented-rustc.sh"
# With the features of the whole workspace, so that dependencies need not be compiled again.
cargo build --quiet --locked --workspace --features docket-fuzz/libfuzzer --bin docket-fuzz
binary=${CARGO_TARGET_DIR:-target}/debug/docket-fuzz
folder=target/fuzz/$target
mkdir -p "$folder/corpus" "$folder/seeds"
export DOCKET_FUZZ_TARGET=$target DOCKET_FUZZ_SEEDS=$folder/seeds
if [ $# -eq 1 ] && [ -f "$1" ]; then
  exec "$binary" "$1"
fi
exec "$binary" "$folder/corpus" "$folder/seeds" "$@" -artifact_prefix="$folder/" -max_total_time="$seconds" \
  -timeout=10 -rss_limit_mb=2048 -max_len=65536
