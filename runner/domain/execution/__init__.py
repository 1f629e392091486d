"""What runs: schedules, plans, waves, guards, outcomes, and the next step of a run."""
