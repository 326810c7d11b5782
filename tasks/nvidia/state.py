"""The driver's state on the host of a run: the looks joined with the plan."""

from __future__ import annotations

from tasks.host.facts import observe_host
from tasks.nvidia.driver import DriverState, driver_state, wants_driver
from tasks.nvidia.facts import observe_nvidia, observe_packages
from tasks.nvidia.recipe import recipe_for
from tasks.run.run import Run


def plan_driver(run: Run) -> DriverState:
    """Plan the driver's stage; apt is asked only where a driver is to be installed."""
    stack = run.stack
    if stack.driver != "install" or not stack.has_gpu_service:
        return DriverState()
    nvidia = observe_nvidia(run)
    if not wants_driver(nvidia, stack):
        return DriverState()
    host = observe_host(run)
    recipe = recipe_for(host, nvidia, stack.driver_minimum)
    apt = observe_packages(run, recipe.names) if recipe is not None and host.apt else None
    return driver_state(nvidia, host, apt, stack)
