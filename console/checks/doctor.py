"""Everything in the order in which a person would debug it, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator

from console.checks.clients import client_checks
from console.checks.context import ability_checks, context_checks
from console.checks.engine import dead_engine, engine_checks
from console.checks.files import database_checks, declaration_checks, log_checks
from console.checks.finding import Check
from console.checks.gpu import device_checks, gpu_checks, toolkit_checks, vram_checks
from console.checks.host import disk_check, host_checks, way_out_checks
from console.checks.looked import Looked
from console.checks.registries import registry_checks
from console.checks.services import port_checks, service_checks
from tasks.declared.stack import Stack


def checks(stack: Stack) -> Iterator[Check]:
    """Check one thing after the other; what depends on something that is not there is left out."""
    looked = Looked(stack)
    yield from declaration_checks(looked)
    yield from host_checks(looked)
    yield from gpu_checks(stack, looked.nvidia if stack.has_gpu_service else None)
    if not looked.snapshot.version:
        yield dead_engine(looked)
        yield from port_checks(looked)
    else:
        yield from engine_checks(looked)
        yield from toolkit_checks(looked)
        yield disk_check(looked.host, stack)
        yield from way_out_checks(looked)
        yield from registry_checks(looked)
        yield from vram_checks(looked)
        yield from port_checks(looked)
        yield from device_checks(looked)
        yield from service_checks(looked)
        yield from ability_checks(looked)
        yield from context_checks(looked)
        yield from client_checks(looked)
    yield from database_checks(looked)
    yield from log_checks(stack)
