# What people type. Everything else is an npm script that these call.
NPM = npm --no-update-notifier --loglevel=error
OUT ?= build/greeting.oci

.DEFAULT_GOAL := help
.PHONY: help install build convert test check fuzz bench clean

help: ## print these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: node_modules/.package-lock.json ## install what the lock file names

node_modules/.package-lock.json: package.json package-lock.json
	@$(NPM) ci --no-fund --no-audit
	@touch $@

build: install ## build the command and the library into dist/
	@$(NPM) run --silent build

convert: build ## convert IN to OUT (without IN: a small image that the fixtures build)
	@if [ -z "$(IN)" ]; then node build/make-fixture.js build/greeting.tar; fi
	@node dist/ocix.js convert "$(or $(IN),build/greeting.tar)" "$(OUT)"

test: build ## check types and form, run all tests
	@$(NPM) run --silent check
	@$(NPM) run --silent test

check: install ## check types, form and lint
	@$(NPM) run --silent check

fuzz: install ## hostile input made by chance, for SECONDS=60, from SEED; ONLY=names of readers (see test/fuzz/)
	@$(NPM) run --silent fuzz

bench: build ## measure against the peers (root, Debian; see test/bench/)
	@test/bench/make-image.sh && test/bench/make-image.sh small && test/bench/make-image.sh many && test/bench/make-mirror.sh && node test/bench/run.mjs

clean: ## remove what was built
	@rm -rf dist build coverage
