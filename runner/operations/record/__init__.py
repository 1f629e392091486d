"""The record: checkpoints, exports, verification, reports."""
