"""How much of a prompt the servers read: what clients are told, what is true, what was cut."""

from __future__ import annotations

from collections.abc import Iterator

from console.checks.finding import CONVERGE, Check, notable, well
from console.checks.looked import Looked
from console.looking.logs import log_lines, log_of
from console.words.trouble import Trouble
from tasks.clients.wiring import running_context
from tasks.database.rows import is_active
from tasks.declared.stack import Service
from tasks.servers.abilities import lacking
from tasks.servers.context import Cuts, cuts_in, tokens_read
from tasks.servers.generation import WHOLE

# Up to here a prompt over the context is read within seconds without a GPU too.
SMALL = 4096
# So many of a log's last lines are looked at for prompts that were cut.
LINES = 5000
# The template of a model takes some of it, and a model may be asked for a little less.
NEARLY = 0.95


def context_checks(looked: Looked) -> Iterator[Check]:
    """Try each main model with a prompt that is too long, and see what clients' prompts met."""
    for service in looked.stack.services:
        if is_active(service, looked.snapshot):
            yield _check(looked, service)


def _check(looked: Looked, service: Service) -> Check:
    stack, snapshot = looked.stack, looked.snapshot
    what = f"{service.name}: context"
    context = running_context(stack, service, snapshot)
    log = log_of(stack, service, follow=False, lines=LINES, timestamps=False)
    cuts = Cuts() if isinstance(log, Trouble) else cuts_in(log_lines(log))
    share = next(
        (m.gpu_share for m in snapshot.server(service.name).loaded if m.name == service.model), 0.0
    )
    is_quick = context <= SMALL or share >= WHOLE or service.name in on_gpu(looked)
    if not is_quick:
        told = f"{context} tokens; not tried: without a GPU so long a prompt takes minutes"
        return judged(what, context, None, cuts, told)
    loaded = {model.name for model in snapshot.server(service.name).loaded}
    read = tokens_read(
        looked.plain,
        service.url,
        service.model,
        context,
        limit=stack.generate_timeout,
        unload=service.model not in loaded,
    )
    return judged(what, context, read, cuts, f"no answer to a prompt of {context} tokens")


def ability_checks(looked: Looked) -> Iterator[Check]:
    """Tell what the roles need and the models cannot do, as it was tried when they were proven."""
    for service in looked.stack.services:
        known = looked.proven(service).abilities if service.active else {}
        for told in lacking(looked.stack, service, known):
            finding, _, remedy = told.removeprefix(f"{service.name}: ").partition("; ")
            yield notable(f"{service.name}: abilities", finding, remedy)


def on_gpu(looked: Looked) -> set[str]:
    """Return the services whose main model ran wholly on the GPU when it was proven."""
    services = looked.stack.services
    return {s.name for s in services if s.model in looked.proven(s).gpu_models}


def judged(what: str, context: int, read: int | None, cuts: Cuts, untried: str) -> Check:
    """Judge what was read of a prompt over the context, and what was cut of others before."""
    if read is not None and read < context * NEARLY:
        return Check(
            what,
            False,
            f"clients are told {context} tokens, and {read} of a longer prompt were read",
            f"the model sets less by itself (ollama show MODEL --modelfile); or {CONVERGE}",
        )
    finding = untried if read is None else f"{context} tokens, all of them read"
    if not cuts.count:
        return well(what, finding)
    prompts = "1 prompt was" if cuts.count == 1 else f"{cuts.count} prompts were"
    return notable(
        what,
        f"{finding}; {prompts} longer and cut without a word to the client,"
        f" the longest of {cuts.longest} tokens",
        "a client that was not told the context sends too much: ./main.sh connect; or a larger"
        " context, if ./main.sh plan says that it fits",
    )
