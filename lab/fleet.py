"""An inventory: the fresh hosts of the lab. `pyinfra lab/fleet.py deploys/stack.py -y`.

The group `fresh` holds each host that is up, and says where the lab's registries are as a host sees
them. A stack.toml would win over that: where one stands, STACK_FILE names another one.
"""

from pyinfra.api.exceptions import InventoryError

from lab import state
from lab.ways import hosts_of, settings

_lab = state.find()
_hosts = hosts_of(_lab) if _lab is not None else []
if _lab is None or not _hosts:
    raise InventoryError("the lab has no fresh host; remedy: python -m lab host up NAME")

fresh = (_hosts, settings(_lab))
