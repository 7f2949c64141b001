#!/usr/bin/env bash
# Files scx writes, opened by anndata-rs: the fixtures and, with SCX_REAL_DATA, the real files, each converted to h5ad.
set -euo pipefail
cd "$(dirname "$0")/../.."
scx=$PWD/target/release/scx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
inputs=(fixtures/h5ad/*.h5ad)
if [ -n "${SCX_REAL_DATA:-}" ]; then
  inputs+=("$SCX_REAL_DATA"/h5ad/*.h5ad "$SCX_REAL_DATA"/tenx/*.h5 "$SCX_REAL_DATA"/loom/*.loom)
fi
for input in "${inputs[@]}"; do
  n=$((n + 1))
  # Filters anndata-rs has no plug-in for are written again; damaged files are refused, and that is right.
  "$scx" convert "$input" "$work/$n-$(basename "$input").h5ad" --compression gzip --quiet 2>/dev/null || true
done
cargo build --release --manifest-path tests/interop/anndata-rs/Cargo.toml
"${CARGO_TARGET_DIR:-tests/interop/anndata-rs/target}"/release/open-with-anndata-rs "$work"/*.h5ad
