"""Which machines: this one. `pyinfra @local deploys/stack.py` needs no inventory at all.

A row of workstations is a group; group_data/workstations.py may hold what differs for them:

    workstations = [
        ("ws1.lan", {"ssh_user": "dev"}),
        ("ws2.lan", {"ssh_user": "dev", "models_override": {"qwen": {"context": 8192}}}),
    ]

then: pyinfra inventory.py deploys/stack.py --limit workstations
"""

this_machine = ["@local"]
