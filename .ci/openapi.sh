#!/usr/bin/env bash
# docs/openapi.json is what the daemon serves: an API change shows in the diff of that file.
set -euo pipefail
cd "$(dirname "$0")/.."
# What the tests need as well, in one go: with other features of the same crates it would be built twice.
cargo build --locked --workspace --bins --tests
if ! diff -u docs/openapi.json <("${CARGO_TARGET_DIR:-target}/debug/docketd" openapi); then
  echo "docs/openapi.json is not what docketd serves: run 'make openapi', read the diff, commit it" >&2
  exit 1
fi
