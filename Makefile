# make demo   build scx and run it on a simulated experiment
# make test   run every test
# Both use one release profile, so that nothing is built twice.

CARGO ?= cargo
PYTHON ?= python3
SHELL := /bin/bash

# HDF5 is built from source and needs CMake >= 3.26. Use the one on PATH if it is new enough, else put one in .cmake/.
CMAKE_DIR := $(CURDIR)/.cmake
export PATH := $(CMAKE_DIR)/bin:$(PATH)
export PYTHONPATH := $(CMAKE_DIR)$(if $(PYTHONPATH),:$(PYTHONPATH))

.PHONY: all build demo test lint cmake quality bench interop fuzz clean

all: build

cmake:
	@version=$$(cmake --version 2>/dev/null | sed -n 's/^cmake version //p'); \
	if [ -n "$$version" ] && [ "$$(printf '3.26\n%s\n' "$$version" | sort -V | head -n 1)" = 3.26 ]; then exit 0; fi; \
	echo "CMake >= 3.26 not found (found: $${version:-none}); putting one in .cmake/"; \
	rm -rf "$(CMAKE_DIR)"; \
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
	  --target "$(CMAKE_DIR)" 'cmake>=3.26,<5' && "$(CMAKE_DIR)/bin/cmake" --version | head -n 1

build: cmake
	$(CARGO) build --release --locked

demo: build
	./target/release/scx demo demo --force

test: cmake
	$(CARGO) test --release --locked

lint: cmake
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings

# The table of docs/neuron-edit.md; needs SCX_REAL_DATA.
quality: cmake
	$(CARGO) run --release --locked --example quality

# Ratios against the peers; needs numpy, torch, flowio, anndata, scanpy and loompy in $(PYTHON).
bench: build
	$(CARGO) build --release --locked --examples
	for bench in train_speed fcs_read paper_scale fcs_to_h5ad h5ad_speed tenx_h5ad mtx_h5ad loom_h5ad info; do \
	  $(PYTHON) benches/$$bench.py || exit 1; done

# What scx writes, opened by anndata-rs; its first build takes ten minutes and more.
interop: build
	tests/interop/run.sh

# Random bytes against every reader, FUZZ_SECONDS for each target; needs `cargo install cargo-fuzz`.
FUZZ_SECONDS ?= 600
fuzz: cmake
	fuzz/run.sh $(FUZZ_SECONDS)

clean:
	$(CARGO) clean
	rm -rf .cmake demo
