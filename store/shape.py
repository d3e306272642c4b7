"""What a schema looks like to the code that uses it, and what older code would miss in a newer one.

Migrations run before the processes are exchanged, and a rollback exchanges the processes alone: so a newer schema must
have all that older code reads, and ask nothing of it that it does not write. docs/operating.md promises both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from store.database import Connection

# ! is a column that every insert must give.
_COLUMNS = """
select relname::text, array_agg(attname || ' ' || format_type(atttypid, atttypmod) ||
    case when attnotnull and not atthasdef and attidentity = '' then '!' else '' end order by attname)
from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') group by 1"""
_KEYS = """
select relname::text, array_agg(distinct substring(pg_get_indexdef(indexrelid) from ' USING (.*)$'))
from pg_class join pg_index on indrelid = pg_class.oid and indisunique
where relnamespace = current_schema()::regnamespace group by 1"""
_RULES = """
select relname::text, array_agg(distinct pg_get_constraintdef(pg_constraint.oid))
from pg_class join pg_constraint on conrelid = pg_class.oid and contype in ('c', 'f')
where relnamespace = current_schema()::regnamespace group by 1"""
_SEQUENCES = """
select relname::text from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'S' order by 1"""


@dataclass(frozen=True, slots=True)
class Table:
    """columns: name, type, and ! where an insert must give it. keys: what is unique. rules: what a row must fulfil."""

    columns: list[str]
    keys: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shape:
    """Tables and sequences by name."""

    tables: dict[str, Table]
    sequences: list[str]


async def shape_of(conn: Connection) -> Shape:
    """Read the schema of a database, without what TimescaleDB keeps for itself."""
    columns, keys, rules = [
        {name: sorted(found) for name, found in await (await conn.execute(query)).fetchall()}
        for query in (_COLUMNS, _KEYS, _RULES)
    ]
    tables = {name: Table(columns[name], keys.get(name, []), rules.get(name, [])) for name in sorted(columns)}
    return Shape(tables, [str(name) for (name,) in await (await conn.execute(_SEQUENCES)).fetchall()])


def missed(old: Shape, new: Shape) -> list[str]:
    """What code that was written for the old schema would stumble over in the new one, a line each."""
    found = [f"the sequence {name} is gone" for name in old.sequences if name not in new.sequences]
    for name, table in old.tables.items():
        if name not in new.tables:
            found.append(f"the table {name} is gone")
        else:
            found += [f"{name}: {what}" for what in _missed(table, new.tables[name])]
    return found


def _missed(old: Table, new: Table) -> Iterator[str]:
    before, after = (dict(column.split(" ", 1) for column in table.columns) for table in (old, new))
    for column, type_ in before.items():
        if column not in after:
            yield f"the column {column} is gone"
        elif after[column].rstrip("!") != type_.rstrip("!"):
            yield f"the column {column} is {after[column].rstrip('!')} and was {type_.rstrip('!')}"
        elif after[column] > type_:
            yield f"the column {column} must be given now"
    yield from (f"the new column {c} must be given" for c, t in after.items() if c not in before and t.endswith("!"))
    yield from (f"nothing keeps {key} unique any more" for key in old.keys if key not in new.keys)
    yield from (f"rows must fulfil {rule} now" for rule in new.rules if rule not in old.rules)
