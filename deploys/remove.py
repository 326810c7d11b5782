"""Remove the stack: its containers, and what is ours in the files of clients.

With --data purge=true its volumes and their models as well.
"""

from tasks.clients.stage import disconnect_clients
from tasks.converge.preflight import preflight
from tasks.converge.removal import remove_containers
from tasks.converge.report import report
from tasks.database.stage import record_inventory

preflight()
remove_containers()
disconnect_clients()
record_inventory()
report()
