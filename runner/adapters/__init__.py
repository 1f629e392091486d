"""What touches systems that we do not own: Ansible, ssh hosts, the web, desks, calendars."""
