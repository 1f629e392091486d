"""From plan to settled run: claim, advance, execute, recover, follow."""
