#!/usr/bin/env bash
# Runs every fuzz target for the given number of seconds, starting from the fixtures. Stops at the first finding, which
# lies in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
# The sanitizer flags are unstable options; a stable compiler takes them this way.
export RUSTC_BOOTSTRAP=1
mkdir -p fuzz/corpus/{fcs,mtx,elements}
cp fixtures/fcs/*.fcs fuzz/corpus/fcs/
for dir in fixtures/tenx_mtx/*/; do
  [ -f "$dir/matrix.mtx" ] || continue
  name=fuzz/corpus/mtx/$(basename "$dir")
  { cat "$dir/matrix.mtx"; printf '\0'; cat "$dir/barcodes.tsv" 2>/dev/null; printf '\0'; cat "$dir/features.tsv" 2>/dev/null; } > "$name" || true
done
for target in fcs mtx elements; do
  echo "== $target"
  cargo fuzz run --sanitizer none --release "$target" -- \
    -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -max_len=65536 -print_final_stats=1
done
