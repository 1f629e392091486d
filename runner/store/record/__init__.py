"""Rows of the log, its checkpoints, evidence, observations, and what reports read."""
