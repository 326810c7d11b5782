"""Take the lab down: exactly what its state and its pid files name."""

from __future__ import annotations

import shutil
from itertools import chain

from docker.errors import DockerException

from lab import engine, engine29, fronts, lock, processes, rootfs, servers, state
from lab.errors import LabError
from lab.paths import state_folder
from lab.processes import Program
from lab.say import line, step
from lab.shell import as_root, run
from lab.state import LabState


def down() -> bool:
    """Take everything down and remove the state folder; tell whether there was a lab."""
    if not state_folder().exists():
        return False
    with lock.locked():
        lab = state.find()
        if lab is not None:
            _take_down_parts(lab)
        for program in reversed(_programs()):
            if processes.pid_of(program):
                with step(f"Stop {program.name}"):
                    processes.stop(program)
        if lab is not None:
            servers.remove_address(lab)
        _stop_engine()
        _remove_state_folder()
    return True


def _programs() -> list[Program]:
    """Return the registries, and what stands in front of them under each name."""
    fronted = (servers.front_programs(name) for name in ("", *fronts.names()))
    return [*servers.registry_programs(), *chain.from_iterable(fronted)]


def _take_down_parts(lab: LabState) -> None:
    if lab.engine29 is not None:
        engine29.remove(lab)
    if engine.version(lab.engine.socket) is None:
        if lab.hosts:
            raise LabError(
                f"no engine answers at {lab.engine.socket}, and it holds hosts of the lab",
                "start the engine, then run `python -m lab down` again",
            )
        return
    try:
        _remove_labelled(lab)
    except DockerException as error:
        raise LabError(
            f"the engine refused to remove what is the lab's: {error}", "run again"
        ) from None


def _remove_labelled(lab: LabState) -> None:
    client = engine.client(lab.engine.socket)
    label = [f"{name}={value}" for name, value in engine.labels().items()]
    for container in client.containers.list(all=True, filters={"label": label}):
        with step(f"Remove the container {container.name}"):
            container.remove(force=True, v=True)
    for volume in client.volumes.list(filters={"label": label}):
        with step(f"Remove the volume {volume.name}"):
            volume.remove(force=True)
    engine.remove_image(client, rootfs.image_name())


def _stop_engine() -> None:
    if engine.was_started_by_us():
        with step("Stop Docker Engine"):
            engine.stop()
    else:
        line("Docker Engine was not started by the lab: it goes on.")


def _remove_state_folder() -> None:
    folder = state_folder()
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        run(as_root(["rm", "-rf", "--one-file-system", str(folder)]))
