"""What is kept so that it can be proved: canonical entries, chains, and what can be wrong with them."""
