"""Rows of the slot ledger and of cadence work."""
