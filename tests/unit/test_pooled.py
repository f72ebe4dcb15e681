"""Behind a pooler each transaction may get another connection, so nothing that a session holds may outlive one."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
#: What a session would keep, or lose: see docs/operate.md, PgBouncer.
KEEPS = re.compile(
    r"""pg_(try_)?advisory_lock(_shared)?\(      # held until the session ends
      | pg_advisory_unlock
      | \bLISTEN\s+[a-z"]
      | ["';(]\s*SET\s+(SESSION\s+)?(?!LOCAL\b)[a-z_]+\s*(=|\bTO\b)
      | set_config\([^()]*,\s*false\)
      | \bWITH\ HOLD\b
      | CREATE\s+(GLOBAL\s+|LOCAL\s+)?TEMP(?![^;"]*ON\ COMMIT\ DROP)
      | \bPREPARE\s+[a-z]+\s+AS\b | \bDEALLOCATE\b
    """,
    re.VERBOSE,
)


def test_nothing_of_a_session_outlives_its_transaction() -> None:
    found = []
    for path in sorted((PROJECT / "storefront").rglob("*.py")):
        name = path.relative_to(PROJECT).as_posix()
        if name.startswith("storefront/demo/"):
            continue  # as the owner, who goes past the pooler
        found += [f"{name}: {match[0]}" for match in KEEPS.finditer(path.read_text())]
    assert found == []


def test_the_rule_would_find_it() -> None:
    kept = ["SELECT pg_advisory_lock(1)", "LISTEN jobs", "execute('SET work_mem = 1')", "set_config('a', 'b', false)"]
    assert all(KEEPS.search(words) for words in kept)
    ends = ["SELECT pg_advisory_xact_lock(1)", "'SET LOCAL work_mem = 1'", "set_config('a', 'b', true)"]
    assert not any(KEEPS.search(words) for words in ends)
