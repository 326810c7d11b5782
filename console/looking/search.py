"""What a registry offers, to choose from: names of models, and the tags of one.

A declared registry is asked by the distribution's protocol (`_catalog`, `tags/list`). Ollama's own
has no such list (ollama/ollama#7751): there the pages of ollama.com/library are read for names.
"""

from __future__ import annotations

import re

from tasks.registry.manifests import Asker, RegistryFault, Reply, fault, fetch, model_url
from tasks.words.foreign import BadAnswer, Fields, read_json

LIBRARY = "https://ollama.com/library"
# Models without a namespace are Ollama's "library".
NAMESPACE = "library/"
AT_MOST = 1000
BY_HAND = "type name:tag as the registry's own pages name it"


def models(asker: Asker) -> list[str] | RegistryFault:
    """Return the names of all models that are offered, sorted."""
    if not asker.stack.model_registry:
        page = _page(asker, LIBRARY)
        return page if isinstance(page, RegistryFault) else names_in(page)
    value = _listed(asker, f"_catalog?n={AT_MOST}", "repositories")
    if isinstance(value, RegistryFault):
        return value
    return sorted(name.removeprefix(NAMESPACE) for name in value)


def tags(asker: Asker, name: str) -> list[str] | RegistryFault:
    """Return what is offered of one model, each as "name:tag", in the registry's order."""
    if not asker.stack.model_registry:
        page = _page(asker, f"{LIBRARY}/{name}/tags")
        return page if isinstance(page, RegistryFault) else tags_in(page, name)
    repository = name if "/" in name else f"{NAMESPACE}{name}"
    value = _listed(asker, f"{repository}/tags/list", "tags")
    return value if isinstance(value, RegistryFault) else [f"{name}:{tag}" for tag in value]


def names_in(page: str) -> list[str]:
    """Return the models that a page of the library links to. Source: ollama/ollama#7751."""
    return sorted(set(re.findall(r'href="/library/([A-Za-z0-9._-]+)"', page)))


def tags_in(page: str, name: str) -> list[str]:
    """Return the tags of a model that its page names, in their order, each once."""
    found = re.findall(rf"(?<![\w.-]){re.escape(name)}:[A-Za-z0-9._-]*[A-Za-z0-9]", page)
    return list(dict.fromkeys(found))


def _page(asker: Asker, url: str) -> str | RegistryFault:
    reply = fetch(asker, url, "text/html")
    return reply.body if reply.status == 200 else _fault(reply, url)


def _listed(asker: Asker, path: str, key: str) -> list[str] | RegistryFault:
    url = model_url(asker.stack, path)
    reply = fetch(asker, url, "application/json")
    if reply.status != 200:
        return _fault(reply, asker.stack.model_registry)
    return strings_in(reply.body, key) or RegistryFault(f"{url} lists nothing", BY_HAND)


def strings_in(body: str, key: str) -> list[str]:
    """Return the strings that a JSON object holds under a key; none where it holds none."""
    try:
        found = Fields(read_json(body)).items(key)
    except BadAnswer:
        return []
    return [text for text in found if isinstance(text, str)]


def _fault(reply: Reply, registry: str) -> RegistryFault:
    if reply.status in (401, 403, 404):
        return RegistryFault(f"{registry} does not list what it offers", BY_HAND)
    return fault(reply.status, "the list of models", registry, reply.error, "model")
