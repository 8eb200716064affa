"""Keeps content of callers to its nodes and its own values: no lookups, no files of this machine, no inner parts of Python,
no other hosts, and no other way to reach them.

Content of callers is checked before it comes here. What is checked there is text, and templates can hide text from
that: so what it must not reach is taken away at run time, too. Written for ansible-core 2.14 to 2.18. Where a name is
missing, as it may be in a later release, the play ends before anything is run.

Roles are the operator's and may do all that, but callers choose their variables, and so perhaps what files they read.
"""

import os

from ansible import constants
from ansible import template as ansible_template
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader as plugin_loader
from ansible.plugins.action import ActionBase
from ansible.plugins.connection.ssh import Connection
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

# These only rearrange the values that they are given.
PURE_LOOPS = frozenset(
    ['items', 'dict', 'list', 'sequence', 'nested', 'together', 'subelements', 'indexed_items', 'flattened']
)
FILTERS_THAT_READ = frozenset(
    ['fileglob', 'expandvars', 'expanduser', 'realpath', 'vault', 'unvault']
)
TESTS_THAT_READ = frozenset(
    ['directory', 'is_dir', 'file', 'is_file', 'link', 'is_link', 'exists', 'link_exists', 'is_link_exists']
    + ['mount', 'is_mount', 'same_file', 'is_same_file']
)
REMOTE_CONNECTIONS = frozenset(['ssh'])
# Variables may set these, among them such as a task makes while it runs.
OWN_SSH_OPTIONS = frozenset(
    ['ssh_executable', 'sftp_executable', 'scp_executable', 'ssh_args', 'ssh_common_args', 'ssh_extra_args']
    + ['sftp_extra_args', 'scp_extra_args', 'control_path', 'control_path_dir', 'private_key_file']
    + ['pkcs11_provider', 'host_key_checking', 'use_tty', 'pipelining']
)


class GuardedEnvironment(SandboxedEnvironment, NativeEnvironment):
    """Jinja's own sandbox. A template cannot set this off by an override of its first line."""

    sandboxed = property(lambda self: True)


def install(addresses, files):
    """Call before anything of a play is read. Raises when Ansible has not got what there is to be taken away.

    `addresses`: of the nodes; `files`: all that Ansible may load.
    """
    environment = ansible_template.AnsibleEnvironment
    if environment.__bases__ != (NativeEnvironment,):
        raise AnsibleError('this release of Ansible is not known to the guard of templates')
    environment.__bases__ = (GuardedEnvironment,)

    templar = ansible_template.Templar
    replace(templar, '_lookup', refuse_lookup)
    replace(templar, '_query_lookup', refuse_lookup)
    replace(templar, 'do_template', without_override(templar.do_template))
    replace(templar, '_do_template', templar.do_template)

    allow_only(plugin_loader.lookup_loader, PURE_LOOPS, 'lookup')
    allow_only(plugin_loader.connection_loader, REMOTE_CONNECTIONS, 'connection')
    deny(plugin_loader.filter_loader, FILTERS_THAT_READ, 'filter')
    deny(plugin_loader.test_loader, TESTS_THAT_READ, 'test')

    replace(Connection, 'get_option', with_own_options(Connection.get_option, frozenset(addresses)))
    replace(ActionBase, '_find_needle', refuse_file)
    replace(DataLoader, '_get_file_contents', only_files(DataLoader._get_file_contents, frozenset(files)))


def install_for_roles(private, files):
    """Keeps roles from files of the run itself, whatever a variable says.

    `private`: paths of those, of folders with all in them; `files`: those of them that Ansible may load all the same.
    """

    def check(path):
        path = os.path.realpath(path)
        if any(path == name or path.startswith(name + '/') for name in private):
            raise AnsibleError('files of the run are not available to its roles')

    find = ActionBase._find_needle
    read = DataLoader._get_file_contents
    provide = DataLoader.get_real_file

    def find_checked(self, dirname, needle):
        path = find(self, dirname, needle)
        check(path)
        return path

    def read_checked(self, file_name):
        if file_name not in files:
            check(self.path_dwim(file_name))
        return read(self, file_name)

    def provide_checked(self, file_path, decrypt=True):
        check(self.path_dwim(file_path))
        return provide(self, file_path, decrypt=decrypt)

    replace(ActionBase, '_find_needle', find_checked)
    replace(DataLoader, '_get_file_contents', read_checked)
    replace(DataLoader, 'get_real_file', provide_checked)


def replace(owner, name, value):
    if not hasattr(owner, name):
        raise AnsibleError('this release of Ansible is not known to the guard of templates: %s' % name)
    setattr(owner, name, value)


def refuse_lookup(self, name, *args, **kwargs):
    raise AnsibleError('lookups are not available to the content of callers')


def without_override(do_template):
    def guarded(self, data, *args, **kwargs):
        if isinstance(data, str) and data.startswith('#jinja2:'):
            raise AnsibleError('settings of Jinja are not available to the content of callers')
        return do_template(self, data, *args, **kwargs)

    return guarded


def refuse_file(self, dirname, needle):
    raise AnsibleError('files of this machine are not available to the content of callers')


def only_files(read, files):
    def guarded(self, file_name):
        if file_name not in files:
            refuse_file(self, None, file_name)
        return read(self, file_name)

    return guarded


def with_own_options(get_option, addresses):
    def guarded(self, option, hostvars=None):
        if option in OWN_SSH_OPTIONS:
            return constants.config.get_config_value(option, plugin_type='connection', plugin_name='ssh')
        value = get_option(self, option, hostvars)
        if option == 'host' and (value or self._play_context.remote_addr) not in addresses:
            raise AnsibleError('only the nodes of the run are available to the content of callers')
        return value

    return guarded


def allow_only(loader, names, kind):
    check_names(loader, lambda leaf: leaf in names, kind)


def deny(loader, names, kind):
    check_names(loader, lambda leaf: leaf not in names, kind)


def check_names(loader, is_allowed, kind):
    """`get` of all loaders comes through `get_with_context`."""
    load = loader.get_with_context

    def checked(name, *args, **kwargs):
        if not is_allowed(str(name).rsplit('.', 1)[-1]):
            raise AnsibleError('the %s %s is not available to the content of callers' % (kind, name))
        return load(name, *args, **kwargs)

    replace(loader, 'get_with_context', checked)
