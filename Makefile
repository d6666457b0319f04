# The few commands of this repository. `make help` lists them; CONTRIBUTING.md explains them.
#
# DJANGO=5.2 uses another Django (and another virtual environment), PYTHON=... another interpreter,
# PYTEST_ARGS='...' goes to pytest.

DJANGO ?= 6.1
VENV := $(if $(filter 6.1,$(DJANGO)),.venv,.venv-$(DJANGO))
BIN := $(CURDIR)/$(VENV)/bin
REPORT := reports/demo.html
PYTEST_ARGS ?=
export PYTHON
# Where it is set, each of the hundreds of processes that demo and tests start would compile Django
# and all that it imports anew: two of its three seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: all help install demo test quick lint bench constraints reference news clean
.DEFAULT_GOAL := all

all: install
	@echo "$(VENV) is ready: $(VENV)/bin/freeloop --help, make demo, make test, make help"

help:
	@echo "make              virtual environment with freeloop in $(VENV)"
	@echo "make demo         race and judge the sample project, write $(REPORT)"
	@echo "make test         lint, then all tests on real servers"
	@echo "make quick        the tests that start no server"
	@echo "make lint         ruff, mypy, import contracts"
	@echo "make bench        check the claims that benchmarks/ can refute, in about twenty minutes"
	@echo "make constraints  renew the tested versions in constraints/"
	@echo "make reference    write the reference of commands and rules from themselves"
	@echo "make news         fold news/ into CHANGELOG.md; RELEASE=1.2.3"
	@echo "make clean        remove everything that make made"
	@echo "DJANGO=5.2, PYTHON=/path/to/python3.12 choose what it runs on"

install:
	@scripts/install "$(VENV)" "$(DJANGO)"

demo: install
	@mkdir -p "$(dir $(REPORT))"
	cd examples/cafe && "$(BIN)/python" backing.py -- \
		"$(BIN)/freeloop" bench --plan demo.toml --max-rounds 5 --html "$(CURDIR)/$(REPORT)"
	@echo "report: $(CURDIR)/$(REPORT)"

test: lint
	scripts/run-tests "$(BIN)/python" $(PYTEST_ARGS)

quick: install
	"$(BIN)/python" -m pytest -m "not real" -n logical --dist loadfile $(PYTEST_ARGS)

lint: install
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	"$(BIN)/lint-imports"

bench: install
	"$(BIN)/python" benchmarks/client_closed.py
	"$(BIN)/python" benchmarks/client_open.py
	"$(BIN)/python" benchmarks/aa.py --replay benchmarks/results/aa_rounds.json
	"$(BIN)/python" benchmarks/relations.py --check
	"$(BIN)/python" benchmarks/trace_cost.py
	"$(BIN)/python" benchmarks/relief.py
	"$(BIN)/python" benchmarks/interrupts.py
	"$(BIN)/python" benchmarks/check.py
	"$(BIN)/python" benchmarks/check_gain.py --check

constraints: install
	scripts/renew-constraints "$(VENV)"

reference: install
	"$(BIN)/python" scripts/command_line_page.py
	"$(BIN)/python" scripts/rules_page.py

news: install
	"$(BIN)/python" scripts/assemble_news.py "$(RELEASE)"

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf build dist reports
	find src tests examples benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
