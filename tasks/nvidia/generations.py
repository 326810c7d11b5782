"""Generations of NVIDIA's cards: which are too old for Ollama, which nobody here knows. Pure."""

from __future__ import annotations

from tasks.nvidia.observed import Card, Gpu, Nvidia
from tasks.words.versions import numbers, older

# Source: docs.ollama.com/gpu. Maxwell was the first of them.
LEAST_CAPABILITY = "5.0"
# pci.ids: Kepler ends with 12ba, and Maxwell begins with 1340, the oldest card on NVIDIA's list for
# the driver 580. The last driver for Kepler is 470, for Fermi 390.
MAXWELL = 0x1340
# The README of NVIDIA's open modules: "Turing or later"; pci.ids begins Turing at 1e02.
TURING = 0x1E00
# pci.ids: Ada ends with 28xx, Blackwell begins with 2901 and ends with 31xx.
BLACKWELL = 0x2900
UNKNOWN = 0x3200


def is_too_old(card: Card) -> bool:
    """Tell whether Ollama cannot use a card, and a driver of today does not know it."""
    return card.device_id < MAXWELL


def lacks_capability(gpu: Gpu) -> bool:
    """Tell whether a card says itself that it is too old; one that says nothing is not judged."""
    capability = gpu.compute_capability
    return bool(numbers(capability)) and older(capability, LEAST_CAPABILITY)


def has_only_old(nvidia: Nvidia) -> bool:
    """Tell whether there are cards and Ollama can use none of them."""
    if nvidia.cards:
        return all(is_too_old(card) for card in nvidia.cards)
    return bool(nvidia.gpus) and all(lacks_capability(gpu) for gpu in nvidia.gpus)


def unknown_card(nvidia: Nvidia) -> Card | None:
    """Return a card of which nobody here knows what drivers it takes."""
    return next((card for card in nvidia.cards if card.device_id >= UNKNOWN), None)
