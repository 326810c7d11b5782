"""The toolkit's state on the host of a run: the looks joined with the plan."""

from __future__ import annotations

from tasks.container_toolkit.facts import observe_toolkit
from tasks.container_toolkit.observed import Toolkit
from tasks.container_toolkit.plan import ToolkitState, attachment_of, toolkit_state
from tasks.containers.observed import Attachment
from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.state import plan_engine
from tasks.host.facts import observe_host
from tasks.run.run import Run


def attachment(run: Run) -> Attachment:
    """Return how containers of this host are given the GPU; "" where it may not be used."""
    if not run.decided.gpu_is_usable:
        return ""
    toolkit = observe_toolkit(run)
    return attachment_of(run.stack, toolkit, _engine(run, toolkit))


def _engine(run: Run, toolkit: Toolkit) -> ObservedEngine | None:
    """Look at the engine, where it matters: with a toolkit that it knows it is not asked."""
    is_known = toolkit.is_there and not toolkit.came_after_engine
    if is_known and run.stack.gpu_attach != "cdi":
        return None
    return observe_engine(run, is_up=observe_host(run).answers)


def plan_toolkit(run: Run) -> ToolkitState:
    """Plan the toolkit's stage; nothing is looked at where no service can use a GPU."""
    stack = run.stack
    if not run.decided.gpu_is_usable:
        return ToolkitState()
    reached = plan_engine(run)
    if reached.kind == "unreachable":
        return ToolkitState()
    host, toolkit = observe_host(run), observe_toolkit(run)
    return toolkit_state(
        toolkit,
        host,
        stack,
        _engine(run, toolkit),
        is_engine_planned=reached.kind == "install",
    )
