"""What goes wrong: the cause and the remedy that a person reads, and what is left as it was."""

from __future__ import annotations

import shutil

from tests.fake import content, lies
from tests.fake.host import REPOSITORY
from tests.fake.http import Request, Response, line_of, on_port
from tests.lies.installation import SERVICES
from tests.recorded.scenarios import lying, on_converged, on_empty
from tests.recorded.world import World


def forget_models(w: World, *services: str) -> None:
    """Let services be without their models."""
    for service in services:
        w.say(f"the model of {service} is gone")
        shutil.rmtree(w.host.store(w.stack.name(service)).folder / "models")


@on_converged
def a_port_that_is_taken(w: World) -> None:
    """Somebody listens where a service is to be published."""
    w.say(f"somebody listens on port {w.further_port}")
    with on_port("127.0.0.1", w.further_port):
        w.declare(qwen={"port": w.further_port})
        w.run()


@on_converged
def a_model_registry_that_fails(w: World) -> None:
    """Each answer of a model registry, while models have to be pulled."""
    forget_models(w, *SERVICES)
    answers = [
        ("says 500", lies.says("{}", 500)),
        ("says 404", lies.says('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', 404)),
        ("says 401", lies.says("{}", 401)),
        ("says 429", lies.says("{}", 429)),
        ("breaks the connection", lies.reset),
        ("says what is no JSON", lies.says("<html>")),
    ]
    for three in (answers[:3], answers[3:]):
        with lying(w):
            for service, (name, lie) in zip(SERVICES, three, strict=True):
                w.say(f"of the model of {service} the registry {name}")
                path = f"tiny-{service}/manifests"
                w.host.liar.aim(lie, server="registry", path=path)
            w.run()


@on_empty
def an_image_registry_that_fails(w: World) -> None:
    """Each answer of an image registry, where nothing is yet."""
    answers = [
        ("says 500", lies.says("{}", 500)),
        ("says 404", lies.says('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', 404)),
        ("wants a login", lies.says("{}", 401)),
    ]
    with lying(w):
        for service, (name, lie) in zip(SERVICES, answers, strict=True):
            w.say(f"of the image of {service} the registry {name}")
            w.declare(**{service: {"image": f"{REPOSITORY}:of-{service}"}})
            path = f"ollama/ollama/manifests/of-{service}"
            w.host.liar.aim(lie, server="registry", path=path)
        w.run()


@on_converged
def a_pull_that_breaks(w: World) -> None:
    """A pull that ends with an error, one that is spoiled, and one that says nothing any more."""
    forget_models(w, *SERVICES)

    def fails(request: Request, honest: lies.Honest) -> Response:
        lines = ({"status": "pulling manifest"}, {"error": "no such luck"})
        return Response(200, chunks=map(line_of, lines))

    spoils = lies.tampers(lambda body: body[:-1] + b"!")
    w.say("the pull of qwen ends with an error, of deepseek is spoiled, of mistral is silent")
    w.declare(pull_stall=3)
    with lying(w):
        w.host.liar.aim(fails, server=w.stack.name("qwen"), path="/api/pull")
        w.host.liar.aim(spoils, server="registry", path="tiny-deepseek/blobs")
        w.host.liar.aim(lies.silence(20), server=w.stack.name("mistral"), path="/api/pull")
        w.run()


@on_converged
def what_does_not_work(w: World) -> None:
    """Images whose servers end, or generate nothing, and a model that does so: taken back."""
    images = {"qwen": ("0.26.0", "exits"), "deepseek": ("0.27.0", "generates nothing")}
    for service, (version, behaviour) in images.items():
        w.host.registry.put(REPOSITORY, version, content.image(version, behaviour))
        w.say(f"a server of the image {version} {behaviour}")
        w.declare(**{service: {"image": f"{REPOSITORY}:{version}"}})
    broken = content.model("tiny-broken", behaviour="breaks")
    w.host.registry.put("library/tiny-broken", "v1", broken)
    w.say("tiny-broken:v1 generates nothing")
    w.declare(mistral={"model": "tiny-broken:v1"})
    w.run()
    w.console("status")


@on_empty
def a_declaration_with_faults(w: World) -> None:
    """Each fault is named, and nothing is looked at."""
    w.declare(
        qwen={"context": 0, "modle": "x", "port": 99999},
        deepseek={"port": w.stack.declared["models"]["mistral"]["port"]},
        keep_alive="soon",
        pull_stal=5,
    )
    w.dry()
    w.console("status")
    w.console("status", "--json")
    w.console("doctor")
    w.say("a stack.toml that is no TOML")
    (w.stack.folder / "stack.toml").write_text("models = [\n")
    w.dry()
    w.console("endpoint")


@on_converged
def wrong_use(w: World) -> None:
    """What is refused before anything is looked at."""
    w.dry("stack", "only=nobody")
    w.dry("stack", "nonsense=1")
    w.dry("stack", "purge=perhaps")
    w.pyinfra("-y", "@local", "deploys/nothing.py")
    w.console("statsu")
    w.console("activate", "nobody")
    w.console("activate")
    w.console("upgrade", "--image", "--models")
    w.console("upgrade", "qwen", "--to", "a:b")
    w.console("connect", "emacs")
    w.console("pull", "qwen", "::")
    w.console("db", "query", "delete from models")
    w.console("env", "qwn")


@on_converged
def no_engine(w: World) -> None:
    """Docker is not running, or does not answer as it should."""
    w.declare(docker_socket=f"{w.stack.folder}/nobody.sock")
    w.run()
    w.console("status")
    w.console("doctor")
    w.say("the engine says 500")
    w.declare(docker_socket=w.host.socket)
    with lying(w):
        w.host.liar.aim(lies.says('{"message":"busy"}', 500), server="engine")
        w.run()
        w.console("status")
        w.console("status", "--json")


@on_converged
def a_service_that_cannot_be_seen(w: World) -> None:
    """From what is unknown nothing is done; the others go on."""
    forget_models(w, "mistral")
    w.say("nobody can see the container of qwen, and the models of deepseek")
    with lying(w):
        container = f"/containers/{w.stack.name('qwen')}/json"
        w.host.liar.aim(lies.says('{"message":"try again"}', 500), server="engine", path=container)
        w.host.liar.aim(lies.says("{}"), server=w.stack.name("deepseek"), path="/api/tags")
        w.console("status")
        w.run()


@on_converged
def files_that_are_spoiled(w: World) -> None:
    """A database that is none is made anew; a lock that cannot be read is left alone."""
    w.say("models.db is spoiled")
    (w.stack.folder / "models.db").write_text("spoiled\n")
    w.console("db", "query", "select name from models")
    w.run()
    w.say("stack.lock is spoiled")
    (w.stack.folder / "stack.lock").write_text("[hosts\n")
    w.run()
    w.console("status")
