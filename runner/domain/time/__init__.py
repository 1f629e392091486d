"""When: windows, freezes, the dates of a rule, and the openings they make."""
