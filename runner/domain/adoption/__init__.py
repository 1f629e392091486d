"""What is found in a repository that was kept without us: crontab lines, the commands in them, and the options of ansible-playbook."""
