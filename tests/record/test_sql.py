"""SQL is shown without what was written into it."""

from __future__ import annotations

import pytest

from freeloop.record.sql import masked


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT  a\nFROM t WHERE id = %s", "SELECT a FROM t WHERE id = %s"),
        ("SELECT 'hunter2', 'it''s', 12.5", "SELECT ?, ?, ?"),
        ('SELECT "t1"."a2" FROM "t1" LIMIT 21', 'SELECT "t1"."a2" FROM "t1" LIMIT ?'),
        ("SELECT $$hunter2$$, $q$hunter2$q$", "SELECT ?, ?"),
        ("UPDATE users SET p = 'x\ny' WHERE n1 = 7", "UPDATE users SET p = ? WHERE n1 = ?"),
    ],
)
def test_literals_are_masked_and_names_stay(sql: str, shown: str) -> None:
    """A raw query may hold what a parameter would have kept out."""
    assert masked(sql) == shown
