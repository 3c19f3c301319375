# The project's commands. `make` alone lists them; the steps themselves are scripts in scripts/,
# so that each can be read, run and mended by itself.

.DEFAULT_GOAL := help
SHELL         := /bin/sh

VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_LDFLAGS := -s -w -X main.version=$(VERSION)

# Further arguments of `make run` (flags of `rollcall serve`) and of `make test` (arguments of
# `go test`, packages among them).
ARGS ?=

.PHONY: help run build test check bench fmt

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

run: build ## build and serve a demo on 127.0.0.1:8095 (ARGS='--listen 127.0.0.1:9000')
	bin/rollcall serve --demo $(ARGS)

build: ## build bin/rollcall: one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(GO_LDFLAGS)' -o bin/rollcall ./cmd/rollcall

test: ## all tests on SQLite and PostgreSQL, with the race detector (ARGS='-run Name ./store')
	@scripts/postgres.sh with scripts/test.sh $(ARGS)

check: ## what CI runs: test, and format, vet, static analysis, modules, fuzzing, long tests
	@scripts/postgres.sh with scripts/check.sh

bench: ## measure against anchors, in one table (BENCH_ARGS='--quick', '--json', '--rows PATTERN')
	@scripts/postgres.sh with scripts/bench.sh $(BENCH_ARGS)

fmt: ## format all Go files
	@scripts/format.sh -w
