#!/usr/bin/env bash
# Tests by both Pythons at the same time, as tests of real hosts mostly wait: the first is seen as it goes, what the other said stands below it.
set -u
said=$(mktemp)
trap 'rm -f "$said"' EXIT
"$MAKE" --no-print-directory test-other >"$said" 2>&1 &
other=$!
trap 'kill "$other" 2>/dev/null; exit 130' INT TERM
"$MAKE" --no-print-directory test-all
first=$?
wait "$other"
second=$?
cat "$said"
exit $((first ? first : second))
