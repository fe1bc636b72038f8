# Two commands do everything:  make lab  opens the course,  make test  checks it.
# All set-up is inside: a virtual environment in .venv, pinned by constraints.txt.

PYTHON ?= python3
ARGS ?=
# A Linux machine without a GPU:  make lab TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --disable-pip-version-check -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
FIRST = $(firstword $(wildcard notebooks/00_*.ipynb) notebooks)

.PHONY: help lab test setup setup-dev lint notebooks exercises claims oldest format whole clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: setup ## open the course in JupyterLab (options: ARGS="--no-browser --port 8931")
	@$(RUN) -m p2plib notebooks hand-out || true
	$(RUN) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/$(FIRST) $(ARGS)

test: setup-dev lint ## set up, then run every test and every notebook
	$(RUN) -m pytest --nbval -n 2 $(ARGS)

setup: whole ## make .venv with what a learner needs
	@$(MAKE) -s --no-print-directory $(VENV)/ready

setup-dev: setup ## the same with what only the makers need
	@$(MAKE) -s --no-print-directory $(VENV)/ready-dev

lint: setup-dev ## style, types, floors
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

notebooks: setup-dev ## execute the notebooks in place, in full
	$(RUN) -m p2plib notebooks stamp
	$(RUN) -m p2plib notebooks execute $(ARGS)

exercises: setup-dev ## make exercises/ from solutions/, executed
	$(RUN) -m p2plib notebooks exercises $(ARGS)

claims: setup-dev ## run every notebook in full, as a learner would: fails where a claim does; stores nothing
	P2PLIB_BUDGET=learner $(RUN) -m p2plib notebooks execute --no-store $(ARGS)

oldest: ## run the tests with the oldest versions allowed, and Colab's ipywidgets and IPython
	$(PYTHON) -m venv --clear $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet torch==2.6.0 torchvision==0.21.0 numpy==2.0.0 pillow==10.3.0 \
		matplotlib==3.9.0 scikit-image==0.24.0 tqdm==4.66.0 safetensors==0.4.5 ipywidgets==7.7.1 anywidget==0.9.0 ipython==7.34.0 \
		ipykernel nbformat nbclient jupyterlab pytest pytest-timeout hypothesis
	$(VENV)-oldest/bin/python -m pytest tests -o addopts="" --ignore tests/browser $(ARGS)

format: setup-dev ## let ruff mend the style
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean: ## remove .venv and .venv-oldest
	rm -rf $(VENV) $(VENV)-oldest

# A set-up that was interrupted, or whose Python has gone, is made anew.
whole:
	@if [ -e $(VENV) ] && { [ ! -f $(VENV)/ready ] || ! $(RUN) -c "import pip" 2>/dev/null; }; then \
		echo "$(VENV) is only half made: making it anew"; rm -rf $(VENV); fi

$(VENV)/ready: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c "import sys; v = sys.version_info[:3]; sys.exit(v < (3, 11, 4) and \
		'Python 3.11.4 or newer is needed; %s is %s.%s.%s. Try: make PYTHON=python3.12 setup' % (sys.executable, *v))"
	@[ -d $(VENV) ] || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@rm -f $(VENV)/ready $(VENV)/ready-dev
	@echo "Installing what the course needs into $(VENV): up to 6 GB with CUDA, some minutes, once"
	@$(INSTALL) -e .
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
		> $(VENV)/share/jupyter/lab/settings/overrides.json
	@touch $(VENV)/ready

$(VENV)/ready-dev: $(VENV)/ready
	@echo "Installing what the tests need"
	@$(INSTALL) -e ".[dev]"
	@touch $(VENV)/ready-dev
