"""What the clock asks for: the ledger, the openings, the tick."""
