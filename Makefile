# Docket. `make run` shows it, `make test` proves it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(PATH):$(CURDIR)/.tools/bin
BINARIES := -p docketd -p docket-media -p docket-dock -p docket-cli

.PHONY: help deps test-deps console build run check test bench fmt openapi

help:            ## This list
	@grep -hE '^[a-z-]+: .*##' Makefile | sed 's/:.*##/\t/' | expand -t 14

deps:            ## Install what building needs
	@.ci/deps.sh build

test-deps:       ## Install what tests need, too
	@.ci/deps.sh test

CONSOLE := $(shell find console \( -name node_modules -o -name dist -o -name tests \) -prune -o -type f -print)
console: console/dist/index.html ## Build the browser console into console/dist
console/dist/index.html: $(CONSOLE) | deps
	npm --prefix console run --silent build

build: console   ## Build everything in release
	cargo build --release --locked --bins $(BINARIES)

run: build       ## A daemon and a station with a simulated recorder, on ./data
	@.ci/demo.sh

check: test-deps ## Formatting, lints, file sizes, arrows, licences, openapi.json, the console's own checks
	cargo fmt --all --check
	.ci/rooms.sh
	.ci/deny.sh
	npm --prefix console run check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	.ci/openapi.sh

test: check      ## Everything
	npm --prefix console run test
	cargo nextest run --workspace --locked --profile $(if $(CI),ci,default)

bench: console   ## Ingest, memory, latency, watching and search, measured against others (about half an hour)
	@.ci/deps.sh bench
	cargo build --release --locked --bins $(BINARIES) -p docket-bench
	@.ci/bench.sh

fmt:             ## Format everything
	cargo fmt --all

openapi: deps    ## Write docs/openapi.json anew, after a change of the API
	cargo run --quiet --locked --bin docketd -- openapi > docs/openapi.json
