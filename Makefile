# What a person types. Each target says what it does; the work is in scripts/.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build release test demo acceptance chaos bench format lint tidy clean

help: ## Lists the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## Installs the Debian packages and the speech engine, what is missing of them
	@scripts/install-packages
	@scripts/fetch-speech

build: setup ## Builds everything for debugging
	swift build

release: setup ## Builds everything optimised
	swift build --configuration release

test: ## Installs, lints, builds and runs all tests
	@scripts/test

demo: setup ## Streams a recording through a whole fleet on this machine and shows its words
	@scripts/demo

acceptance: setup ## Runs the acceptance tests and prints their figures (long)
	@scripts/acceptance

chaos: setup ## Kills, stops and cuts off every kind of process at random and checks every promise (CHAOS="--minutes 10 --seed 7")
	@scripts/chaos $(CHAOS)

bench: setup ## Runs the benchmarks and prints their figures
	@scripts/bench

format: ## Formats all Swift files in place
	@scripts/format

lint: ## Checks format and style
	@scripts/lint

tidy: ## Checks what the formatter cannot see: layers, imports, sizes, comments
	@scripts/tidy --self-test
	@scripts/tidy

clean: ## Removes what was built; downloads and data stay
	rm -rf .build
