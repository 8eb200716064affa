"""Writes what becomes of each task on each node to a file, one JSON document a line; prints nothing."""

import json
import os
import re
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: probe_events
type: stdout
short_description: Events of one play
description: Appends one line for each task and node, and a last one of statistics, to a file.
"""

# Ansible's own, facts of nodes, and what says the same a second time.
LEFT_OUT = frozenset(
    ['invocation', 'ansible_facts', 'stdout_lines', 'stderr_lines', 'deprecations', 'changed', 'failed']
    + ['skipped', 'unreachable', 'diff']
)
MAX_ENTRIES = 200
MAX_DEPTH = 6
SMALLEST_STRING = 64
# All but those that stand for an octet.
LONE_SURROGATE = re.compile('[\ud800-\udc7f\udd00-\udfff]')


def escape_surrogate(match):
    return '\\u%04x' % ord(match.group())


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'stdout'
    CALLBACK_NAME = 'probe_events'

    def __init__(self):
        super().__init__()
        with open(os.environ['PROBE_EVENT_SETTINGS'], encoding='utf-8') as file:
            settings = json.load(file)
        self._file = os.open(settings['file'], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._secrets = settings['secrets']
        self._max_string = settings['maxStringLength']
        self._max_line = settings['maxLineOctets']
        self._details_left = settings['maxDetailOctets']
        self._starts = {}
        self._begun = set()

    def v2_playbook_on_start(self, playbook):
        self._write({'kind': 'start'})

    def v2_runner_on_start(self, host, task):
        name, now = host.get_name(), time.time()
        self._starts[(name, task._uuid)] = now
        if name not in self._begun:
            self._begun.add(name)
            self._write({'kind': 'begin', 'node': name, 'at': int(now * 1000)})

    def v2_runner_on_ok(self, result):
        self._report(result, 'ok')

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._report(result, 'failed', bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self._report(result, 'unreachable', bool(result._task.ignore_unreachable))

    def v2_runner_on_skipped(self, result):
        self._report(result, 'skipped')

    def v2_playbook_on_stats(self, stats):
        nodes = {}
        for name in sorted(stats.processed):
            nodes[name] = stats.summarize(name)
        self._write({'kind': 'stats', 'nodes': nodes})

    def _report(self, result, verdict, is_ignored=False):
        now = time.time()
        name = result._host.get_name()
        started = self._starts.pop((name, result._task._uuid), now)
        event = {
            'kind': 'task',
            'node': name,
            'action': self._trim(result.task_name or result._task.get_name(), 512),
            'module': self._trim(result._task.action, 512),
            'result': verdict,
            'isIgnored': is_ignored,
            'isChanged': bool(result._result.get('changed', False)),
            'startedAt': int(started * 1000),
            'endedAt': int(now * 1000),
        }
        # Ansible goes on without an event whose callback fails; the outcome itself must not get lost.
        try:
            line = self._fit(event, result._result)
        except Exception as error:
            line = self._encode(dict(event, detail={'omitted': 'cannot be written down: %s' % type(error).__name__}))
        self._append(line)

    def _fit(self, event, given):
        """With as long strings as the limits allow."""
        if self._details_left <= 0:
            return self._encode(dict(event, detail={'omitted': 'the run has said too much'}))
        length = self._max_string
        while length >= SMALLEST_STRING:
            line = self._encode(dict(event, detail=self._clean(given, length)))
            if len(line) <= self._max_line:
                self._details_left -= len(line)
                return line
            length //= 4
        return self._encode(dict(event, detail={'omitted': 'the result is too large'}))

    def _clean(self, value, length, depth=0):
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, (int, float)):
            return self._mask_number(value)
        if isinstance(value, (str, bytes)):
            return self._trim(value, length)
        if depth == MAX_DEPTH:
            return '…'
        if isinstance(value, dict):
            if isinstance(value.get('exception'), str):
                # A traceback of this machine; what it ends with is the reason.
                value = dict(value, exception=value['exception'].strip().rsplit('\n', 1)[-1])
            kept = [entry for entry in value.items() if self._is_shown(entry[0], depth)]
            return {self._trim(key, 256): self._clean(item, length, depth + 1) for key, item in kept[:MAX_ENTRIES]}
        if isinstance(value, (list, tuple, set)):
            return [self._clean(item, length, depth + 1) for item in list(value)[:MAX_ENTRIES]]
        return self._trim(str(value), length)

    def _is_shown(self, key, depth):
        # The entries of `results` of a loop are results like the whole.
        return not str(key).startswith('_ansible_') and not (depth in (0, 2) and key in LEFT_OUT)

    def _mask_number(self, value):
        if str(value) in self._secrets:
            return '********'
        # JSON knows neither NaN nor infinity.
        return value if value == value and value not in (float('inf'), float('-inf')) else str(value)

    def _trim(self, value, length):
        """Secrets go first: a cut would leave the beginning of one."""
        text = value.decode('utf-8', 'surrogateescape') if isinstance(value, bytes) else str(value)
        # Octets that are not UTF-8 come as lone surrogates; databases take neither these nor NUL.
        octets = LONE_SURROGATE.sub(escape_surrogate, text).encode('utf-8', 'surrogateescape')
        text = octets.decode('utf-8', 'backslashreplace').replace('\0', '\\x00')
        for secret in self._secrets:
            text = text.replace(secret, '********')
        if len(text) <= length:
            return text
        return '%s… (%d characters)' % (text[:length], len(text))

    def _write(self, event):
        self._append(self._encode(event))

    def _append(self, line):
        left = memoryview(line)
        while left:
            left = left[os.write(self._file, left):]

    @staticmethod
    def _encode(event):
        return json.dumps(event, ensure_ascii=False, allow_nan=False).encode('utf-8') + b'\n'
