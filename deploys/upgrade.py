"""Upgrade: ask the registries, show what would change, move the lock or put everything back."""

from tasks.clients.deploy import connect_clients
from tasks.converge.preflight import plan, preflight
from tasks.converge.report_stage import report
from tasks.database.deploy import record_inventory
from tasks.nvidia.deploy import check_nvidia
from tasks.upgrade.deploy import find_upgrades, move_services
from tasks.upgrade.plan import upgrade_plan

preflight()
check_nvidia()
find_upgrades()
plan(upgrade_plan)
move_services()
connect_clients()
record_inventory()
report()
