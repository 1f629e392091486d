"""A lab of real OpenSSH hosts on this machine, with apt and dpkg of their own: no container engine, no virtual machine.

    with Lab.up(folder) as lab:                                   # web-01, web-02, web-03, db-01, db-02
        subprocess.run(["ansible-playbook", "-i", lab.inventory, ...])
        lab.run("db-02", ["dpkg", "--audit"])

Standard library only. `python -m tests.lab --help` is the same from a shell.
"""

from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.plan import Mode
from tests.lab.start import Wishes

__all__ = ["Lab", "LabError", "Mode", "Wishes"]
