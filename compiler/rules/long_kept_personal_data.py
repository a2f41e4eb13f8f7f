"""A topic keeps personal data for too long.

## What it finds

A topic that carries an event with a field marked `pii`, itself or in a type inside it, and that is
`compacted` or has a `retention` of more than 30 days.

The threshold is set in the system: `rules { personal-retention max=90d }`.

## Why it is bad

A log cannot be changed: what a person wants deleted stays until its segment ends, and in every copy that a
consumer made. A compacted topic keeps the last event of each key for ever.

## Example

    broker events
    event OrderPlaced v1 { order uuid; customer email pii }
    topic order-events { carries [OrderPlaced]; partitions 3; retention 1y }

## Instead

Send what identifies the record, and let who may know ask for the rest; or keep it shortly:

    broker events
    event OrderPlaced v1 { order uuid }
    event MailWanted v1 { order uuid; customer email pii }
    topic order-events { carries [OrderPlaced]; partitions 3; retention 1y }
    topic mails { carries [MailWanted]; partitions 3; retention 7d }

## Source

GDPR: articles 5 (storage limitation) and 17 (right to erasure), which is to be granted within a month
(article 12).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.personal import personal_data_of
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import duration
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each topic that forgets too late."""
    longest_ms = system.rules.personal_retention.max_ms
    for topic in system.all(model.Topic):
        field = personal_data_of(graph).in_types(topic.carries)
        if field is None or not (topic.compacted or topic.retention_ms > longest_ms):
            continue
        kept = "for ever: it is compacted" if topic.compacted else f"for {duration(topic.retention_ms)}"
        yield Finding(
            topic.id,
            topic.place("compacted" if topic.compacted else "retention"),
            f"topic `{topic.id}` keeps personal data (`{field.name}` of `{field.holder}`) {kept}; "
            f"{duration(longest_ms)} are allowed",
            detail="what is in a log cannot be deleted before its time",
            hint="send an id in its place, or keep it shortly",
            related=(Related(system[field.holder].span, f"`{field.name}` is marked `pii`"),),
        )
