"""Tickets from failures, and what people do with them."""
