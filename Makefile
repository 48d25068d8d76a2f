# What `make demo` runs; `make demo ARGS="--seed 12 --out demo_12"` shows another hill. Threads that wait do so asleep: where others use the processors too, this saves minutes.
DEMO = OMP_WAIT_POLICY=passive $(BIN)/splittimer_demo $(ARGS)

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Any Python 3.11 or newer that can make a virtual environment; choose another with `make test PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help setup test demo lab export clean readme prepare docs hooks

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install the library with its tools (the other targets do so by themselves)

test: $(STAMP) ## run the notebooks' tests, e.g. `make test ARGS="10_align --flags slow"` for some
	@$(BIN)/python tools/test_notebooks.py $(ARGS)

demo: $(STAMP) ## render three riders' films, find the splits of one in the others: some two minutes
	@$(DEMO)

lab: $(STAMP) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab nbs

export: $(STAMP) ## write splittimer/ from the notebooks, and nbs/nbdev.yml from settings.ini
	$(BIN)/nbdev_export
	@$(BIN)/python -c 'from nbdev.quarto import refresh_quarto_yml; refresh_quarto_yml()'

clean: $(STAMP) ## strip the notebooks of what does not belong in git (outputs stay)
	$(BIN)/nbdev_clean

readme: $(STAMP) ## write README.md from nbs/index.ipynb
	$(BIN)/python tools/readme.py

prepare: export clean readme test ## all that a commit needs

docs: $(STAMP) ## build the documentation site into _docs (needs Quarto)
	@touch README.md # or nbdev would have Quarto write it, and differently
	PATH="$(CURDIR)/$(BIN):$$PATH" nbdev_docs

hooks: $(STAMP) ## have git and Jupyter keep the notebooks clean and merge them by cell
	PATH="$(CURDIR)/$(BIN):$$PATH" nbdev_install_hooks

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo 'error: no Python 3.11 or newer with venv was found.' \
			'Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it: make test PYTHON=/path/to/python3.11' >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is not Python 3.11 or newer; name one that is: make test PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(STAMP): settings.ini setup.py pyproject.toml | $(BIN)/python
	@echo "installing splittimer and its tools; the first time this fetches PyTorch and takes some minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
