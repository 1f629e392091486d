"""Asks hosts one command each over SSH, as Ansible would reach them, and never without checking the host's key."""
