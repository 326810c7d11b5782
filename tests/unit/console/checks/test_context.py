"""What the doctor says of a prompt that was longer than the context."""

from __future__ import annotations

from console.checks.context import judged
from tasks.servers.context import Cuts

WHAT, UNTRIED = "qwen: context", "not tried"


def test_a_server_that_reads_all_of_its_context_is_well() -> None:
    found = judged(WHAT, 2048, 2048, Cuts(), UNTRIED)
    assert found.is_well and not found.is_notable
    assert found.finding == "2048 tokens, all of them read"


def test_a_model_that_reads_less_than_clients_are_told_is_not() -> None:
    found = judged(WHAT, 16384, 4096, Cuts(), UNTRIED)
    assert not found.is_well
    assert "told 16384 tokens, and 4096 of a longer prompt were read" in found.finding
    assert "--modelfile" in found.remedy


def test_prompts_of_clients_that_were_cut_are_notable() -> None:
    found = judged(WHAT, 2048, 2048, Cuts(2, 5060, 2048), UNTRIED)
    assert found.is_well and found.is_notable
    assert "2 prompts were longer" in found.finding and "5060 tokens" in found.finding


def test_what_takes_minutes_is_not_tried_and_said_so() -> None:
    assert judged(WHAT, 32768, None, Cuts(), UNTRIED).finding == UNTRIED
