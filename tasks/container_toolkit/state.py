"""The toolkit's state on the host of a run: the looks joined with the plan."""

from __future__ import annotations

from tasks.container_toolkit.facts import observe_toolkit
from tasks.container_toolkit.plan import ToolkitState, toolkit_state
from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.state import plan_engine
from tasks.host.facts import observe_host
from tasks.run import Run


def plan_toolkit(run: Run) -> ToolkitState:
    """Plan the toolkit's stage; nothing is looked at where no service can use a GPU."""
    stack = run.stack
    if not run.gpu_is_usable:
        return ToolkitState()
    reached = plan_engine(run)
    if reached.kind == "unreachable":
        return ToolkitState()
    host, toolkit = observe_host(run), observe_toolkit(run)
    return toolkit_state(
        toolkit,
        host,
        stack,
        None if toolkit.is_there else observe_engine(run, is_up=host.answers),
        is_engine_planned=reached.kind == "install",
    )
