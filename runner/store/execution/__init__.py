"""Rows of runs: pieces, locks, outcomes, debts, holds, pauses, overrides, snapshots."""
