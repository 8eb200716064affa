"""Marks what a run leaves on its nodes: every command has the run's key in its environment, every folder in its name."""

import os
import random
import shlex
import time

from ansible.plugins.action import ActionBase
from ansible.plugins.shell import ShellBase


def install(run_key):
    """`run_key`: letters, digits, `-` and `_`."""
    execute = ActionBase._low_level_execute_command

    # Not by `environment` of the play: `raw` does not know it. A shell of its own, as the one that sets a variable does not
    # have it in its own environment.
    def execute_marked(self, cmd, sudoable=True, in_data=None, executable=None, **kwargs):
        marked = 'PROBE_RUN_ID=%s %s -c %s' % (run_key, executable or '/bin/sh', shlex.quote(cmd))
        return execute(self, marked, sudoable=sudoable, in_data=in_data, executable=executable, **kwargs)

    def name_folder():
        return 'ansible-tmp-%s-%s-%s-%s' % (run_key, time.time(), os.getpid(), random.randint(0, 2**48))

    ActionBase._low_level_execute_command = execute_marked
    ShellBase._generate_temp_dir_name = staticmethod(name_folder)
