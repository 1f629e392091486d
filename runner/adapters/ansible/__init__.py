"""Runs playbooks by ansible-runner, in processes of their own, below a leash that can always end them."""

from runner.adapters.ansible.playbooks import AnsibleExecutor

__all__ = ["AnsibleExecutor"]
