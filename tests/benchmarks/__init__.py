"""Measurements for people: `python -m tests.benchmarks [--quick]` prints tables and asserts nothing."""
