"""What went wrong, in plain words: causes, fingerprints, and the tickets a run asks for."""
