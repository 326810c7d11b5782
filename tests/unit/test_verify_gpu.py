"""What `verify` says of the memory of the GPU: as the proof and the doctor do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.words.steps import LOCAL
from tests.unit.tasks.samples import stack
from tests.unit.tasks.servers.gpu_card import Card, recorded, rows_of
from tests.verify.look import Look
from tests.verify.test_models import test_main_model_is_on_the_gpu as on_the_gpu

QWEN, DEEPSEEK, MISTRAL = (
    recorded()[name] for name in ("qwen2.5-coder:1.5b", "deepseek-r1:8b", "mistral:7b")
)
IDLE = MISTRAL.used_before
STACK = stack(gpu="required")
SERVICE = STACK.services[0]


class Host:
    """testinfra's host: scripts run here beside a made-up card, and a server answers."""

    def __init__(self, card: Card, load: Callable[[], None], vram: int) -> None:
        self.card, self.load, self.vram = card, load, vram
        self.is_loaded = False

    def exists(self, command: str) -> bool:
        return True

    def run(self, command: str, *args: str) -> SimpleNamespace:
        said = self.card.run(args[0]) if command.startswith("sh ") else json.dumps(self._say(args))
        return SimpleNamespace(succeeded=True, failed=False, stdout=said, stderr="", rc=0)

    def _say(self, args: Sequence[str]) -> object:
        if args[-1].endswith("/api/ps"):
            there = {"name": SERVICE.model, "size": self.vram, "size_vram": self.vram}
            return {"models": [there] if self.is_loaded else []}
        if '"prompt"' in args[1]:
            self.load()
            self.is_loaded = True
        return {"done": True, "eval_count": 8}


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card.made(tmp_path)


def verified(card: Card, load: Callable[[], None], vram: int) -> Look:
    """Return the look after its test of the GPU passed."""
    look = Look(Host(card, load, vram), STACK, LOCAL)
    on_the_gpu(look, SERVICE, lambda text: None)
    return look


def test_fault_1_of_the_card_verify_proves_mistral_while_deepseek_is_leaving(card: Card) -> None:
    """As it failed on the card: "the used memory of the GPU did not grow"."""
    card.shows(DEEPSEEK.used_with, DEEPSEEK.used_with, 138_000, IDLE)
    look = verified(card, lambda: card.shows(MISTRAL.used_with), MISTRAL.claimed)
    assert str(look.generation(SERVICE).memory) == "+6119 MiB"


def test_fault_1_of_the_card_verify_counts_by_process(card: Card) -> None:
    card.shows(QWEN.used_with, processes=rows_of({41: QWEN.held}))
    after = rows_of({42: DEEPSEEK.held})
    load = lambda: card.shows(DEEPSEEK.used_with, processes=after)  # noqa: E731
    look = verified(card, load, DEEPSEEK.claimed)
    assert str(look.generation(SERVICE).memory) == "+6236 MiB"


def test_fault_3_verify_does_not_believe_a_card_that_grew_by_a_window(card: Card) -> None:
    card.shows(412)
    with pytest.raises(AssertionError, match=r"did not grow by it \(\+9 MiB\)"):
        verified(card, lambda: card.shows(421), MISTRAL.claimed)
