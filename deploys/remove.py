"""Remove the stack: its containers; with --data purge=true its volumes and their models as well."""

from tasks.inventory.deploy import record_inventory
from tasks.ollama.deploy import remove_containers
from tasks.preflight.deploy import preflight
from tasks.report.deploy import report

preflight()
remove_containers()
record_inventory()
report()
