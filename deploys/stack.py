"""Converge the stack: the ordered list of its stages."""

from tasks.clients.stage import connect_clients
from tasks.container_toolkit.stage import install_toolkit
from tasks.converge.available import watch_for_upgrades
from tasks.converge.preflight import plan, preflight
from tasks.converge.report import report
from tasks.database.stage import record_inventory
from tasks.docker_engine.stage import install_engine
from tasks.nvidia.stage import check_nvidia, install_driver
from tasks.services.stage import provision_containers, provision_models

preflight()
check_nvidia()
plan()
watch_for_upgrades()
install_driver()
install_engine()
install_toolkit()
provision_containers()
provision_models()
connect_clients()
record_inventory()
report()
