"""The modules of events: the topics published to, the base of the handlers of consumed ones, the handlers."""

from typing import Any

from archc.backends import naming
from archc.backends.services.annotations import class_names, field_names
from archc.backends.services.code import Code, Imports, doc, literal, name, render, wrapped
from archc.backends.services.models import HEAD
from archc.backends.services.program import ConsumeView, Program, TopicView, place
from archc.compiler import model


def event_type(program: Program, event: model.Event) -> str:
    """The CloudEvents type of an event: `shop.ordering.OrderPlaced.v1`."""
    return f"{program.system.name}.{event.id}.{event.version or 'v1'}"


def topics_module(program: Program) -> str:
    """_gen/topics.py: a class for each topic that is published to."""
    imports = Imports()
    imports.names(".", "models")
    imports.names(".runtime.events", "EventType")
    topics = [_topic(program, topic, imports) for topic in program.topics]
    is_outbox = any(topic["is_outbox"] for topic in topics)
    return render("topics.py.j2", head=HEAD, imports=imports, topics=topics, has_outbox=is_outbox)


def _topic(program: Program, topic: TopicView, imports: Imports) -> dict[str, Any]:
    classes = class_names(program.shapes)
    if topic.is_outbox:
        base = "OutboxTopic"
        imports.names("typing", "TYPE_CHECKING")
        imports.names(".runtime.outbox", base)
    else:
        base = "DirectTopic"
        imports.names(".runtime.events", base, "Producer")
    source = f"/{program.system.name}/{program.element.id.replace('.', '/')}"
    types = [_event_type(program, topic.element, event) for event in topic.events]
    listed = wrapped("[", types, "]", 12)
    arguments = [
        literal(topic.element.name),
        literal(source),
        listed,
        *([] if topic.is_outbox else ["producer"]),
    ]
    return {
        "name": name(topic.class_name),
        "base": Code(base),
        "is_outbox": topic.is_outbox,
        "events": Code(" | ".join(f"models.{classes[event.id]}" for event in topic.events)),
        "init": wrapped("super().__init__(", arguments, ")", 8),
    }


def _event_type(program: Program, topic: model.Topic, event: model.Event) -> str:
    key = field_names(event.fields_).get(topic.key, "")
    named = literal(event_type(program, event))
    return f"EventType(models.{class_names(program.shapes)[event.id]}, {named}, {literal(key)})"


def consumed(program: Program) -> dict[str, tuple[model.Event, str]]:
    """The events that are consumed, each once, with the name of their handler, by id."""
    found = {event.id: event for consume in program.consumes for event in consume.events}
    methods = naming.unique((id_, naming.variable(event.name)) for id_, event in sorted(found.items()))
    return {id_: (found[id_], method) for id_, method in methods.items()}


def events_module(program: Program) -> str:
    """_gen/events.py: the base of the handlers, and what leads to them."""
    imports = Imports()
    imports.names(".", "models")
    imports.names(".resources", "Resources")
    imports.names(".runtime.consumer", "Subscription")
    imports.names(".runtime.events", "EventInfo")
    return render(
        "events.py.j2",
        head=HEAD,
        imports=imports,
        title=name(program.title),
        events=_handlers(program),
        subscriptions=[_subscription(program, consume) for consume in program.consumes],
    )


def handlers_module(program: Program) -> str:
    """handlers/events.py, written once."""
    imports = Imports()
    imports.names(".._gen", "models")
    imports.names(".._gen.events", f"{program.title}EventsBase")
    imports.names(".._gen.runtime.events", "EventInfo")
    element = doc(program.element.name)
    title, events = name(program.title), _handlers(program)
    return render("handlers_events.py.j2", imports=imports, element=element, title=title, events=events)


def _handlers(program: Program) -> list[dict[str, Code]]:
    classes = class_names(program.shapes)
    return [
        {
            "signature": wrapped(
                f"async def {name(method)}(",
                ["self", f"event: models.{classes[id_]}", "info: EventInfo"],
                ") -> None:",
                4,
            ),
            "doc": doc(f"{event.name} {event.version}".strip() + "."),
        }
        for id_, (event, method) in consumed(program).items()
    ]


def _subscription(program: Program, consume: ConsumeView) -> dict[str, Any]:
    classes, methods = class_names(program.shapes), consumed(program)
    return {
        "topic": literal(consume.element.name),
        "group": literal(consume.group),
        "handlers": [
            {
                "type": literal(event_type(program, event)),
                "model": classes[event.id],
                "method": name(methods[event.id][1]),
            }
            for event in consume.events
        ],
        "retries": consume.retries,
        "dead_letters": literal(consume.dead_letters),
        "place": literal(place(consume.record.span)),
    }
