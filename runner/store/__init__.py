"""What is kept: tables, claims by compare-and-swap, leases, and the append-only record."""
