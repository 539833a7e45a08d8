#!/usr/bin/env bash
# All measurements, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:$PWD/.tools/nginx/usr/sbin
bin=${CARGO_TARGET_DIR:-target}/release
echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(free -g | awk '/^Mem/ {print $2}') GiB, Linux $(uname -r)"
"$bin/docket-bench" "$@"

if [ $# -eq 0 ]; then
  printf '\n## Pages of search at a million recordings, SQLite\n\n'
  cargo run --release --locked --quiet -p docket-catalog --example million -- "$PWD/${CARGO_TARGET_DIR:-target}/bench-million.sqlite"
fi
