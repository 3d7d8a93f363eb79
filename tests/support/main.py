"""Make environments for the tests, then run linters and pytest in them: what `./run-tests` does.

Under `.work/`: `test-PYTHON/` and `lint/`, virtual environments that are made anew when `pyproject.toml` asks for other
things; `wheels/`, what the tests install without an index; `dist/`, the wheel that is tested.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / ".work"

CORE = ["-n3", "--dist=worksteal", "-m", "not slow and not network"]
"""What is run by `--fast`, and on every Python but the first."""

PARTS = {f"bin/{name}": name for name in ("busybox", "dash", "git", "ksh", "mksh", "strace", "tmux", "zsh")}
PARTS.update({"sbin/mkfs.btrfs": "btrfs-progs", "sbin/mkfs.xfs": "xfsprogs", "bin/cc": "gcc"})
PARTS.update({"bin/crontab": "cron", "bin/systemd-analyze": "systemd", "bin/systemd-nspawn": "systemd-container"})
PARTS.update({"*bin/ip": "iproute2", "bin/python3": "python3", "lib/python3*/ensurepip": "python3-venv"})
PARTS.update({"sbin/slurmctld": "slurmctld", "sbin/slurmd": "slurmd", "bin/sbatch": "slurm-client"})
PARTS["sbin/munged"] = "munge"
