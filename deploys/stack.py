"""Converge the stack: the ordered list of its stages."""

from tasks.clients.deploy import connect_clients
from tasks.container_toolkit.deploy import install_toolkit
from tasks.converge.available import watch_for_upgrades
from tasks.converge.preflight import plan, preflight
from tasks.converge.report_stage import report
from tasks.database.deploy import record_inventory
from tasks.docker_engine.deploy import install_engine
from tasks.nvidia.deploy import check_nvidia, install_driver
from tasks.services.model_stage import provision_models
from tasks.services.stage import provision_containers

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
