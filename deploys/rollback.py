"""Roll back: to the image and the models that were proven before the present ones, offline."""

from tasks.clients.stage import connect_clients
from tasks.converge.preflight import plan, preflight
from tasks.converge.report import report
from tasks.database.stage import record_inventory
from tasks.nvidia.stage import check_nvidia
from tasks.upgrade.plan import upgrade_plan
from tasks.upgrade.stage import find_previous, move_services

preflight()
check_nvidia()
find_previous()
plan(upgrade_plan)
move_services()
connect_clients()
record_inventory()
report()
