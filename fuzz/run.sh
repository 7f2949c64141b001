#!/usr/bin/env bash
# Runs every fuzz target for the given number of seconds, starting from the fixtures. Stops at the first finding, which
# lies in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
# The sanitizer flags are unstable options; a stable compiler takes them this way.
export RUSTC_BOOTSTRAP=1
mkdir -p fuzz/corpus/{fcs,mtx,elements}
cp fixtures/fcs/*.fcs fixtures/bad/fcs/*.fcs fuzz/corpus/fcs/
# The text of a file of a folder, packed or not, under any of its names.
part() {
  for file in "$@"; do
    case $file in
      *.gz) [ -f "$file" ] && { gzip -dcq "$file" 2>/dev/null || true; return; } ;;
      *) [ -f "$file" ] && { cat "$file"; return; } ;;
    esac
  done
  return 0
}
for matrix in fixtures/{tenx/mtx_*,bad/10x-mtx/*}/*matrix.mtx*; do
  at=${matrix%matrix.mtx*}
  name=fuzz/corpus/mtx/$(basename "$(dirname "$matrix")")
  { part "$matrix"; printf '\0'; part "$at"barcodes.tsv{,.gz}; printf '\0'; part "$at"{features,genes}.tsv{,.gz}; } > "$name"
done
for target in fcs mtx elements; do
  echo "== $target"
  cargo fuzz run --sanitizer none --release "$target" -- \
    -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -max_len=65536 -print_final_stats=1
done
