"""The one error that the lab raises for people: what is wrong, and the way out."""


class LabError(Exception):
    """Something the lab cannot do; the text says what and what would help."""
