"""Each active server holds its declared models and generates with the main one."""

from __future__ import annotations

import pytest

from tasks.declared.stack import Service
from tasks.words.digests import short
from tests.verify.conftest import Note
from tests.verify.look import Look


def test_model_is_there(look: Look, service: Service, model: str, note: Note) -> None:
    held, error = look.models(service)
    assert not error, error
    assert model in held, (
        f"{model} is not at {service.url}; it holds {', '.join(sorted(held)) or 'no model'}"
    )
    note(short(held[model]))


def test_model_is_the_proven_one(look: Look, service: Service, model: str, note: Note) -> None:
    proven = look.proven(service).get("models", {}).get(model)
    if proven is None:
        pytest.skip("no digest was proven yet")
    held, error = look.models(service)
    wanted = proven["digest"].removeprefix("sha256:")
    assert held.get(model) == wanted, (
        error or f"stack.lock holds {short(wanted)}, the server {short(held.get(model, 'none'))}"
    )
    note(short(wanted))


def test_main_model_generates(look: Look, service: Service, note: Note) -> None:
    found = look.generation(service)
    assert found.tokens, found.error or f"{service.model} gave an empty answer"
    note(f"{service.model}: {found.tokens} tokens")


@pytest.mark.gpu
def test_main_model_is_on_the_gpu(look: Look, service: Service, note: Note) -> None:
    """For gpu = "required". The proof is memory: Ollama's own account of it, and the card's."""
    if not look.host.exists("nvidia-smi"):
        pytest.skip("no nvidia-smi on this host: no GPU can be looked at")
    found = look.generation(service)
    assert found.tokens, found.error or f"{service.model} gave an empty answer"
    share = found.vram / found.size if found.size else 0
    assert share >= 0.999, f"{share:.0%} of {service.model} is on the GPU"
    assert found.memory is None or found.memory.has_grown, (
        f"Ollama says GPU, and the used memory of the GPU did not grow by it ({found.memory})"
    )
    note(f"{found.vram / 1e9:.1f} GB on the GPU")
