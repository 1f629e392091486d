"""The record, shaped for readers: rows into frozen report values, values into JSON, and JSON into pages."""
