"""The official images of Ollama, where Docker Hub answers quickly."""

from __future__ import annotations

import functools
import urllib.error
import urllib.request

from docker.errors import DockerException

from lab import engine
from lab.images import REPOSITORY
from lab.say import line, step
from lab.state import LabState

PROBE = "https://registry-1.docker.io/v2/"
PROBE_SECONDS = 4


@functools.cache
def answers() -> bool:
    """Tell whether Docker Hub answers within a few seconds."""
    try:
        urllib.request.urlopen(PROBE, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        return error.code == 401  # it wants a token: it is there
    except (OSError, ValueError):
        return False
    return True


def pulled_from_hub(lab: LabState, version: str) -> bool:
    """Bring the official image of a version into the lab's registry, if that is possible."""
    if not answers():
        return False
    client = engine.client(lab.engine.socket, 3600)
    target = f"{lab.image_mirror}/{REPOSITORY}"
    try:
        with step(f"Pull {REPOSITORY}:{version} from Docker Hub"):
            was_here = engine.has_image(client, f"{REPOSITORY}:{version}")
            image = client.images.pull(REPOSITORY, tag=version)
            image.tag(target, tag=version)
            for told in client.images.push(target, tag=version, stream=True, decode=True):
                if "error" in told:
                    raise DockerException(str(told["error"]))
            engine.remove_image(client, f"{target}:{version}")
            if not was_here:
                engine.remove_image(client, f"{REPOSITORY}:{version}")
    except DockerException as error:
        line(f"Docker Hub gave no {REPOSITORY}:{version} ({error}); it is built instead.")
        return False
    return True
