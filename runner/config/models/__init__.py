"""The shape of each kind of file: pydantic models, which live here only and turn into domain values by `to_domain()`."""
