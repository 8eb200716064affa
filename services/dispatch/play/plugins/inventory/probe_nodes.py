"""The nodes of a play, by name as they are: no ranges, no patterns. First of the project's code that Ansible runs."""

import json

import probe_guard
import probe_marks
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = """
name: probe_nodes
short_description: The nodes of one play
description: Reads a JSON file with the nodes and their variables.
options: {}
"""


class InventoryModule(BaseInventoryPlugin):
    NAME = 'probe_nodes'

    def verify_file(self, path):
        return True

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        try:
            with open(path, encoding='utf-8') as file:
                play = json.load(file)
            probe_marks.install(play['runKey'])
            if play['isGuarded']:
                addresses = [node['variables']['ansible_host'] for node in play['nodes']]
                probe_guard.install(addresses, play['files'])
            else:
                probe_guard.install_for_roles(play['private'], play['files'])
            for node in play['nodes']:
                inventory.add_host(node['name'], 'all')
                for name, value in node['variables'].items():
                    inventory.set_variable(node['name'], name, value)
        except Exception as error:
            raise AnsibleParserError('the play cannot be prepared: %s' % error) from error
