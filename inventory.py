"""Which machines: this one. `pyinfra @local deploys/stack.py` needs no inventory at all.

A row of workstations is a group, as below; docs/fleet.md tells the rest. What differs for a group
is in group_data/GROUP.py, what differs for a host stands beside its name. A host may be in several
groups; where two of them set the same, the later one wins. Then:

    pyinfra inventory.py deploys/stack.py --limit workstations
"""

this_machine = ["@local"]

# workstations = [
#     ("ws1", {"ssh_hostname": "ws1.lan", "ssh_user": "dev"}),
#     ("ws2", {"ssh_hostname": "ws2.lan", "ssh_user": "dev"}),
#     ("ws3", {"ssh_hostname": "ws3.lan", "models_override": {"qwen": {"context": 8192}}}),
# ]
# no_card = ["ws1"]
# card_24gb = ["ws2"]
