"""A declaration that changes, and a host that is no longer as declared."""

from __future__ import annotations

import shutil

from tests.fake import content
from tests.fake.containers import Container
from tests.fake.host import REPOSITORY
from tests.lies.installation import SERVICES
from tests.recorded.scenarios import on_converged, on_empty
from tests.recorded.world import World


def first_run(w: World) -> None:
    """From nothing to three services, shown first; and a second run that finds nothing to do."""
    w.dry()
    w.run()
    w.run()


@on_empty
def only_one_service(w: World) -> None:
    """One service of three on a host where nothing is yet."""
    w.dry("stack", "only=qwen")
    w.console("status")
    w.console("doctor")


@on_converged
def another_context(w: World) -> None:
    """A container is made anew with another environment."""
    w.declare(qwen={"context": 4096})
    w.dry()
    w.console("status")
    w.run()


@on_converged
def another_model(w: World) -> None:
    """A service gets a model of another name, and a further one; the one before is left there."""
    w.host.registry.put("library/tiny-other", "v2", content.model("tiny-other"))
    w.declare(mistral={"model": "tiny-other:v2", "also": ["tiny-qwen:v1"]})
    w.run()
    w.console("status", "--json")


@on_converged
def another_port(w: World) -> None:
    """A service is published on another port."""
    w.declare(qwen={"port": w.further_port})
    w.run()


@on_converged
def two_changes_at_once(w: World) -> None:
    """Ports that change places, limits, a proxy and an environment of a service's own."""
    places = {"deepseek": w.ports["mistral"], "mistral": w.ports["deepseek"]}
    w.declare(
        **{name: {"port": port} for name, port in places.items()},
        qwen={
            "memory": "2g",
            "cpus": 1.5,
            "environment": {"OLLAMA_DEBUG": "1", "MY_TOKEN": "private"},
        },
        no_proxy="127.0.0.1,localhost",
    )
    w.run()


@on_converged
def another_image_of_one_service(w: World) -> None:
    """One service gets an image of its own."""
    w.host.registry.put(REPOSITORY, "0.25.0", content.image("0.25.0"))
    w.declare(qwen={"image": f"{REPOSITORY}:0.25.0"})
    w.run()


@on_converged
def a_service_comes_and_goes(w: World) -> None:
    """A fourth service is declared, then not any more: left alone, removed, removed for good."""
    w.declare(fourth={"model": "tiny-qwen:v1", "role": "test", "port": w.further_port})
    w.run()
    w.undeclare("fourth")
    w.run()
    w.console("status")
    w.console("status", "--json")
    w.run("stack", "prune=true")
    w.run("stack", "prune=true", "purge=true")


@on_converged
def declared_inactive(w: World) -> None:
    """A service is declared inactive: stopped and kept."""
    w.declare(mistral={"active": False})
    w.run()


@on_converged
def stopped_and_paused(w: World) -> None:
    """Containers that somebody stopped, paused and removed."""
    w.say("deepseek is stopped, mistral paused, qwen removed")
    engine = w.host.engine
    engine.stop(w.host.containers[w.stack.name("deepseek")], 137)
    paused = w.host.containers[w.stack.name("mistral")]
    paused.status = "paused"
    if paused.server is not None:
        paused.server.is_frozen = True
    removed = w.host.containers[w.stack.name("qwen")]
    engine.stop(removed)
    del engine.containers[removed.id]
    w.console("status")
    w.run()


@on_converged
def a_foreign_container_of_our_name(w: World) -> None:
    """Somebody else's container has the name of ours: left alone, and taken on where told to."""
    w.say("rec-qwen is another one, made by hand")
    engine = w.host.engine
    mine = w.host.containers[w.stack.name("qwen")]
    engine.stop(mine)
    del engine.containers[mine.id]
    foreign = Container("f" * 64, mine.name, mine.image, {"Image": mine.body["Image"]}, "exited")
    engine.containers[foreign.id] = foreign
    w.run()
    w.console("status")
    w.run("stack", "adopt=qwen")


@on_converged
def a_model_that_went_and_one_that_is_another(w: World) -> None:
    """What was proven is held to: a model that is gone, one that was replaced, a tag that moved."""
    w.say("the model of mistral is gone, the one of deepseek another one; tags moved")
    name = w.stack.name("mistral")
    shutil.rmtree(w.host.store(name).folder / "models")
    store = w.host.store(w.stack.name("deepseek"))
    other = content.model("tiny-deepseek", build=7)
    for digest, blob in other.blobs.items():
        store.write(store.blob(digest), blob)
    store.write(store.path("tiny-deepseek:v1"), other.manifest)
    for service in SERVICES:
        tiny = f"tiny-{service}"
        w.host.registry.put(f"library/{tiny}", "v1", content.model(tiny, build=2))
    w.console("status")
    w.run()
