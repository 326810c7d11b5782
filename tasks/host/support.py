"""Until when distributions have their security updates. Pure."""

from __future__ import annotations

from datetime import date

from tasks.host.observed import Distribution

# The last month of support, for releases that nobody prolongs after it (Ubuntu's LTS releases are,
# by Ubuntu Pro). Sources, of November 2026: ubuntu.com/about/release-cycle (interim releases have
# nine months), wiki.debian.org/LTS (the end of long-term support).
LAST_MONTHS = {
    ("debian", "10"): date(2024, 6, 1),
    ("debian", "11"): date(2026, 8, 1),
    ("debian", "12"): date(2028, 6, 1),
    ("debian", "13"): date(2030, 6, 1),
    ("ubuntu", "24.10"): date(2025, 7, 1),
    ("ubuntu", "25.04"): date(2026, 1, 1),
    ("ubuntu", "25.10"): date(2026, 7, 1),
    ("ubuntu", "26.10"): date(2027, 7, 1),
}


def support_note(distribution: Distribution, today: date) -> tuple[str, ...]:
    """Say that a release is past its support; a run goes on all the same."""
    last = LAST_MONTHS.get((distribution.id, distribution.version))
    if last is None or (today.year, today.month) <= (last.year, last.month):
        return ()
    name = distribution.pretty_name or f"{distribution.id} {distribution.version}"
    return (
        f"{name} is past its support since {last:%B %Y}: it gets no security updates, and package"
        " sources may lack it; the release after it is worth the upgrade",
    )
