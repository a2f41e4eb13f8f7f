"""Hypothesis strategies for `.arch` text that parses, whatever it means."""

from hypothesis import strategies as st

from archc.compiler.kinds import KINDS

words = st.one_of(
    st.sampled_from([kind.name for kind in KINDS]),
    st.sampled_from(sorted({word for kind in KINDS for word in kind.keywords})),
    st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True),
    st.sampled_from(["environment", "use", "edition", "kind", "remove", "add", "GET", "Order", "a.b"]),
)
values = st.one_of(
    words,
    st.text(max_size=8).map(
        lambda text: '"' + text.replace("\\", "").replace('"', "").replace("\n", "") + '"'
    ),
    st.sampled_from(
        ["200ms", "20Gi", "99.9%", "50/s", "2..10", "2027-06-30", "/orders/{id}", "->", ":", "7"]
    ),
    st.sampled_from(
        ["[a b]", "string(200)", "int(1..99)", "uuid?", "[[T]]", '"""m"""', "-5", "99999999999999999"]
    ),
)


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> str:
    line = " ".join([draw(words), *draw(st.lists(values, max_size=4))])
    for name in draw(st.lists(words, max_size=2)):
        line += f" {name}={draw(values)}"
    if depth < 3 and draw(st.booleans()):
        inner = draw(st.lists(statements(depth + 1), max_size=4))
        line += " {\n" + "\n".join(inner) + "\n}"
    return line
