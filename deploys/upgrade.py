"""Upgrade: ask the registries, show what would change, move the lock or put everything back."""

from tasks.clients.stage import connect_clients
from tasks.converge.preflight import plan, preflight
from tasks.converge.report import report
from tasks.database.stage import record_inventory
from tasks.nvidia.stage import check_nvidia
from tasks.upgrade.plan import upgrade_plan
from tasks.upgrade.stage import find_upgrades, move_services

preflight()
check_nvidia()
find_upgrades()
plan(upgrade_plan)
move_services()
connect_clients()
record_inventory()
report()
