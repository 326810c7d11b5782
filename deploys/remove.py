"""Remove the stack: its containers, and what is ours in the files of clients.

With --data purge=true its volumes and their models as well.
"""

from tasks.clients.deploy import disconnect_clients
from tasks.database.deploy import record_inventory
from tasks.preflight.deploy import preflight
from tasks.report.deploy import report
from tasks.services.stage import remove_containers

preflight()
remove_containers()
disconnect_clients()
record_inventory()
report()
