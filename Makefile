# `make help` lists every command. Nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PORT ?= 8000
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset run test lint format bench messages lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/it.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements (once, about a minute)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev: $(VENV)/runtime requirements-dev.txt
	@echo "Installing what the tests need"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/messages: $(VENV)/runtime $(wildcard locale/*/LC_MESSAGES/django.po)
	@$(BIN)/pybabel -q compile -d locale -D django
	@touch $@

.env: | $(VENV)/runtime
	@$(BIN)/python bin/write_env

setup: $(VENV)/runtime $(VENV)/messages .env ## Create the environment and a .env file, nothing else

demo: setup ## Load the sample data once and start everything on http://localhost:8000 (PORT=... for another)
	@$(MANAGE) demo --port $(PORT)

demo-reset: setup ## Delete the demo's database and files, and start over
	@$(MANAGE) demo --port $(PORT) --reset

run: setup ## Start what production runs: gunicorn, a Celery worker and beat (a broker too where REDIS_URL is empty)
	@$(MANAGE) migrate --no-input
	@$(MANAGE) createcachetable
	@echo "Collecting and compressing static files (a minute the first time)"
	@$(MANAGE) collectstatic --no-input -v 0
	@$(MANAGE) serve --port $(PORT)

test: $(VENV)/dev $(VENV)/messages ## Run every test (DATABASE_URL and REDIS_URL choose the services; SQLite without)
	@$(BIN)/python bin/find_chromium > /dev/null
	@CHROMIUM="$$($(BIN)/python bin/find_chromium)" $(BIN)/python -m pytest -q -n auto --dist loadfile $(PYTEST_ARGS)

lint: $(VENV)/dev $(VENV)/messages ## Format, lint, types, import contracts, migrations, deployment checks
	@PY=$(BIN)/python bin/lint

format: $(VENV)/dev ## Put the code into its format
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

bench: $(VENV)/dev $(VENV)/messages .env ## Time the night beside plain SQL (needs PostgreSQL in DATABASE_URL)
	@$(BIN)/python -m bench

messages: $(VENV)/dev ## Collect texts into locale/ (needs gettext) and compile them
	@$(BIN)/python bin/collect_messages
	@$(BIN)/pybabel -q compile -d locale -D django

lock: ## Resolve requirements*.in into requirements*.txt (needs uv)
	@uv pip compile -q --no-header --no-annotate requirements.in -o requirements.txt
	@uv pip compile -q --no-header --no-annotate requirements-dev.in -o requirements-dev.txt

clean: ## Remove the environment; the data under var/ stays
	@rm -rf $(VENV) staticfiles
