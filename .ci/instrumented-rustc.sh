#!/usr/bin/env bash
# Stands in for rustc where cargo compiles the workspace's own crates for .ci/fuzz.sh: with counters on every edge and
# the operands of every comparison, by which libFuzzer finds its way. Dependencies are compiled, and kept, as always.
set -euo pipefail
rustc=$1
shift
name=
previous=
for argument in "$@"; do
  [ "$previous" != --crate-name ] || name=$argument
  previous=$argument
done
case "$name" in
  # The daemon's workflow is large and waits for disks, not for instructions: optimising it takes longer than it saves.
  docket_http | docket_ingest | docket_catalog)
    set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    ;;
  docket_*)
    set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
      -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Copt-level=2 \
      -Cdebug-assertions=on -Coverflow-checks=on
    ;;
esac
exec "$rustc" "$@"
