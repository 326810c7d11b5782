"""Bring the lab up: each part is looked at first, and only what is missing is made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from docker.errors import DockerException

from lab import (
    engine,
    engine29,
    forwarding,
    fronts,
    images,
    lock,
    models,
    pace,
    processes,
    seeds,
    servers,
    source,
    stack_file,
    state,
)
from lab.catalogue import LATEST
from lab.errors import LabError
from lab.faults import trouble_of
from lab.hub import pulled_from_hub
from lab.say import step
from lab.settings import (
    Addresses,
    choose_blob_address,
    choose_front_ports,
    choose_ports,
)
from lab.state import LabState
from lab.tools import ensure_programs, ensure_unpacked

PROGRAMS = {"ip": "iproute2", "ldd": "libc-bin"}


def up(*, with_engine29: bool = False, environment: Mapping[str, str] = os.environ) -> LabState:
    """Bring everything up, write the product's settings, and return the state.

    `environment` holds LAB_PACE and LAB_SEED, where they are set.
    """
    asked, seed = pace.wanted(environment)
    with lock.locked():
        ensure_programs(PROGRAMS, "Install what the lab needs")
        ensure_unpacked()
        lab = _with_engine()
        servers.ensure_address(lab)
        _ensure_front(lab)
        lab = state.update(pace=asked, seed=seed or lab.seed or pace.new_seed())
        # Who names a seed wants its delays from the first one on.
        lab = _with_registries(lab, begins_anew=seed is not None)
        if not fronts.name():
            stack_file.write(lab)
        if with_engine29:
            lab = engine29.ensure(lab)
            forwarding.ensure(lab)
    return lab


def _with_engine() -> LabState:
    """Find or start the engine; choose ports and addresses where no lab was made yet."""
    known = state.find()
    found = known.engine if known else engine.planned()
    if known and not engine.version(found.socket):
        found = engine.planned()
    # The engine runs before addresses can be known: until then its pid file is the record.
    engine.ensure_running(found)
    if known is not None:
        return state.save(known.model_copy(update={"engine": found}))
    gateway = engine.gateway(found)
    addresses = Addresses(gateway=str(gateway.ip), blobs=choose_blob_address(gateway))
    return state.save(
        LabState(
            engine=found,
            ports=choose_ports(),
            addresses=addresses,
            service_ports=stack_file.choose_ports(_published_ports(found.socket)),
        )
    )


def _ensure_front(lab: LabState) -> None:
    """Choose the ports of this process's front, where it names one that was never up."""
    if fronts.name() and fronts.read() is None:
        ports = choose_front_ports(lab.ports, state.all_ports())
        fresh = lab.model_copy(update={"ports": ports, "fault": None, "moves": ()})
        fronts.write(fresh.model_dump(mode="json"))


def _with_registries(lab: LabState, *, begins_anew: bool) -> LabState:
    image_seed = seeds.name_of(images.recipe())
    model_seed = seeds.name_of(models.recipe())
    lab = _restored(lab, "images", image_seed)
    lab = _restored(lab, "models", model_seed)
    servers.ensure_registries(lab)
    servers.ensure_nginx(lab, trouble_of(lab))
    forwarding.ensure(lab, begins_anew=begins_anew)
    if lab.image_seed != image_seed:
        _make_images(lab)
        seeds.keep("images", image_seed, servers.storage("images"))
        lab = state.update(image_seed=image_seed)
    if lab.model_seed != model_seed:
        models.build(lab)
        seeds.keep("models", model_seed, servers.storage("models"))
        lab = state.update(model_seed=model_seed)
    return lab


def _restored(lab: LabState, kind: str, seed: str) -> LabState:
    key = "image_seed" if kind == "images" else "model_seed"
    if getattr(lab, key) == seed:
        return lab
    if not seeds.has(kind, seed):
        # Another recipe, or an `up` that was killed in here: begin with nothing.
        processes.stop(servers.program(kind))
        shutil.rmtree(servers.storage(kind), ignore_errors=True)
        return lab
    with step(f"Fill the registry of {kind} from the cache"):
        processes.stop(servers.program(kind))
        seeds.restore(kind, seed, servers.storage(kind))
    return state.update(**{key: seed})


def _make_images(lab: LabState) -> None:
    registry = servers.image_registry(lab)
    for version in images.VERSIONS:
        if version in registry.tags(images.REPOSITORY):
            continue
        if pulled_from_hub(lab, version):
            continue
        binary = source.ollama(version)
        with step(f"Make the image {images.REPOSITORY}:{version}"):
            images.push_image(registry, version, images.root_archive(binary))
    with step("Make the images that are broken on purpose"):
        images.push_broken_images(registry)
    registry.move_tag(images.REPOSITORY, LATEST, images.NEWER)


def _published_ports(socket: str) -> frozenset[int]:
    """Return the ports of the product's containers."""
    try:
        containers = engine.client(socket).containers.list()
    except DockerException as error:
        raise LabError(f"the engine does not list its containers: {error}", "run again") from None
    return frozenset(
        int(place["HostPort"])
        for container in containers
        if stack_file.PRODUCT_LABEL in container.labels
        for places in container.ports.values()
        for place in places or ()
    )
