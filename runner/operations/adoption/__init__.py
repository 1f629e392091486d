"""Taking in a repository that has playbooks already: what is found there, what its crontab says, and the files that are made of it."""
