"""Rows of tickets, and of what is to be told or done after the fact."""
