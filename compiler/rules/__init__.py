"""The rules: what makes an architecture good or bad, each in a file of its own."""

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.rules import (
    ambiguous_routes,
    chatty_pair,
    deadline_inversion,
    direct_frontend_call,
    domain_loop,
    dual_write,
    excessive_privilege,
    fixed_address,
    floating_image,
    foreign_store,
    grpc_across_domains,
    hub_service,
    layered_domain,
    long_call_chain,
    mega_service,
    missing_backup,
    missing_breaker,
    missing_gateway,
    missing_health,
    missing_resources,
    missing_timeout,
    mixed_contexts,
    nano_service,
    one_sided_topic,
    outside_domain,
    retry_amplification,
    scopeless_route,
    shared_build,
    shared_database,
    shared_image,
    shared_instance,
    shared_topic,
    stateless_with_volume,
    sticky_sessions,
    synchronous_loop,
    unauthenticated_route,
    unkept_state,
    unsafe_retry,
    untyped_topic,
    unused_database,
    unversioned_api,
    wide_fan_out,
    written_secret,
)
from archc.compiler.rules.fixing import Sources
from archc.compiler.rules.rule import Rule, rule
from archc.compiler.rules.running import Loader, no_packages, run
from archc.dsl.diagnostics import Diagnostic

RULES: tuple[Rule, ...] = (
    rule("A101", shared_database),
    rule("A102", foreign_store),
    rule("A103", shared_instance),
    rule("A104", unused_database),
    rule("A106", dual_write),
    rule("A107", missing_backup),
    rule("A301", shared_build),
    rule("A401", mega_service),
    rule("A402", nano_service),
    rule("A403", mixed_contexts),
    rule("A404", layered_domain),
    rule("A405", hub_service),
    rule("A406", chatty_pair),
    rule("A502", floating_image),
    rule("A503", shared_image),
    rule("A504", excessive_privilege),
    rule("A505", missing_resources),
    rule("A506", missing_health),
    rule("A601", stateless_with_volume),
    rule("A602", unkept_state),
    rule("A603", sticky_sessions),
    rule("A701", outside_domain),
    rule("A702", grpc_across_domains),
    rule("A704", domain_loop),
    rule("A802", direct_frontend_call),
    rule("A903", fixed_address),
    rule("A1001", missing_gateway),
    rule("A1002", unversioned_api),
    rule("A1003", ambiguous_routes),
    rule("A1101", synchronous_loop),
    rule("A1102", long_call_chain),
    rule("A1103", wide_fan_out),
    rule("A1201", missing_timeout),
    rule("A1202", deadline_inversion),
    rule("A1203", unsafe_retry),
    rule("A1204", retry_amplification),
    rule("A1205", missing_breaker),
    rule("A1401", one_sided_topic),
    rule("A1402", untyped_topic),
    rule("A1403", shared_topic),
    rule("A1501", unauthenticated_route),
    rule("A1502", scopeless_route),
    rule("A1505", written_secret),
)


def check(
    system: System, graph: Graph, sources: Sources, today: str = "", load: Loader = no_packages
) -> tuple[list[Diagnostic], tuple[Rule, ...]]:
    """The findings of all rules under the environment's profile, less what the system accepts; and the rules.

    `sources` are what fixes edit. `today` is a day as YYYY-MM-DD, for acceptances that end; "" means that
    none does. `load` finds the packages whose rules the system asks for besides.
    """
    return run(RULES, system, graph, sources, today, load)
