"""The faults of the language itself, each with its manual page, as the rules have theirs.

They are errors under every profile, since what they concern has no meaning; A1705 alone is a warning.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault: its code, its name, and its manual page in Markdown."""

    code: str
    name: str
    page: str

    @property
    def title(self) -> str:
        """The page's first line: the fault in one sentence."""
        return self.page.splitlines()[0]


_NAME = """\
A name cannot be used.

## What it finds

A name that is not made of small letters, digits and single hyphens, that does not begin with a letter, or
that has more than 40 characters; a type, enum or event that is not in PascalCase; a name that Windows keeps
for devices; a dot in a name that stands inside its domain already; and two elements that would run under one
host name, even in different domains.

## Why it is bad

The name in the file is the name in production: a host name, a folder, a module of Python. What one of these
cannot be called would have to be renamed on the way, and then nobody finds it again.

## Example

    service Order_Service

## Instead

    service order-service

## Source

RFC 1123 (host names); Python's lexical analysis; Windows: naming files, paths and namespaces.
"""

_REFERENCE = """\
A name refers to nothing, to the wrong kind of thing, or is declared twice.

## What it finds

A reference to an element, an operation, a type, a scope, a role, a kind or a rule that is not declared; one
to an element of a kind that cannot stand there; and two declarations of one name. Inside its own domain a
name stands alone; elsewhere it begins with the domain's: `ordering.orders`.

## Why it is bad

Nothing can be wired, drawn or checked that is not known. Of two declarations either might be meant; the last
one never wins silently.

## Example

    domain ordering { service orders }
    domain stock { service shelves { calls orders } }

## Instead

    domain ordering { service orders }
    domain stock { service shelves { calls ordering.orders } }
"""

_HIDDEN = """\
The text has a character that cannot be seen, or that looks like another.

## What it finds

Control characters, characters of no width, and those that turn the direction of writing, anywhere in a file;
and letters outside a to z in a name, many of which look like these. Texts and comments may be in any
language.

## Why it is bad

A reader cannot see what such a file says. A name with a Cyrillic letter is another name; a hidden turn of
direction shows a line in another order than it is read in.

## Example

The second letter of this name is not p, but the Cyrillic one that looks like it:

    service s<U+0440>am

## Instead

    service spam

## Source

Boucher, Anderson: "Trojan Source: Invisible Vulnerabilities" (CVE-2021-42574); Unicode TR 39.
"""

_UNJUSTIFIED = """\
An acceptance has no reason, has ended, or is of what cannot be accepted.

## What it finds

An `allow` without a `because "…"` that says something, one whose `until` is past, and one of a rule whose
findings must be mended: A1501 and A1505.

## Why it is bad

An exception without a reason cannot be judged by the next reader, and one without an end is forgotten. What
lies open to everybody is not made safe by a sentence.

## Example

    broker events
    topic order-events { allow A1401 }

## Instead

    broker events
    topic order-events { allow A1401 because "the producer comes with the next release" until 2027-06-30 }
"""

_NEEDLESS = """\
An acceptance is not needed.

## What it finds

An `allow` of a rule that finds nothing where it stands. One on a domain or the system covers what is inside.

## Why it is bad

It would hide the finding when it comes back.

## Example

    domain ordering {
      service orders { allow A701 because "it will get a domain" }
    }

## Instead

    domain ordering {
      service orders
    }

## Fix

Automatic: the acceptance is removed.
"""

_LIMIT = """\
Something is larger than archc reads.

## What it finds

A file of more than 8,000,000 characters or 1,000,000 statements, a system of more than 16,000,000 characters
or 64 folders; blocks, lists or kinds nested more than 64 deep; and a statement of more than 10,000 arguments.

## Why it is bad

The limits are far above any system a person has written. What goes beyond was made by a machine, mostly by
mistake, and would take minutes and gigabytes to answer.

## Instead

Split a file or a system into several, each read by itself; flatten what is nested.
"""

_OUTSIDE = """\
A folder that is used lies outside the project.

## What it finds

A `use` whose folder, followed through links, is not inside the project: the git repository, or where there is
none the folder that archc was given.

## Why it is bad

The system would mean something else on every machine, and a file from elsewhere could reach what it should
not.

## Example

    use "../../../elsewhere"

## Instead

Move the folder inside, and name it from where the file is:

    use "shared"
"""

_RULE = """\
A rule cannot be run.

## What it finds

A `use` in the system's `rules` of a package that is not installed, that offers no rules, that cannot be
imported, or one of whose codes is another rule's already; and a rule that failed while it looked at the
system. The other rules are run all the same.

## Why it is bad

What a rule would find is not known, so nobody can say that the system is good.

## Example

    system shop { rules { use "acme.rules" } }

## Instead

Install the package where archc is installed, or do without it. What a rule fails at is for its authors to
mend.

    system shop
"""

_SYNTAX = """\
The text cannot be read as statements.

## What it finds

A bracket or quote that is not closed, or closes nothing; a character that means nothing; a statement that
does not begin with a word; a value that is missing after `=`; a file that is not UTF-8 text. All such faults
of a file are reported in one run.

## Why it is bad

A statement is a word, its arguments, and perhaps a block: `word argument name=argument { … }`, ended by the
end of the line or `;`. What is not of this form could mean several things.

## Example

    service orders {
      replicas =
    }

## Instead

    service orders {
      replicas 2
    }
"""

_WORD = """\
A word means nothing where it stands.

## What it finds

A statement whose first word the block around it does not know, and a block on a statement that has none.
`archc explain KIND` lists what a kind's block may hold, `archc explain STATEMENT` what a statement's.

## Why it is bad

A word that is passed over silently is a wish that nobody fulfils. Most are misspelt, or stand a block too
deep.

## Example

    service orders { replica 2 }

## Instead

    service orders { replicas 2 }
"""

_ARGUMENT = """\
An argument is missing, too many, or of the wrong type.

## What it finds

A statement with an argument it has no place for, without one that it needs, with a named argument it does not
know or has twice, or with a value of another type: a number without its unit, a word that is not among the
choices, a number out of its range, a range upside down, a date that is no day, a schedule that no clock can
keep. Also a threshold whose warning would come after its error, and more partitions than the bundled log
broker holds.

## Why it is bad

Times, sizes and rates are typed, so that `timeout 2` never means two seconds here and two milliseconds there.

## Example

    gateway api { timeout 2 }

## Instead

    gateway api { timeout 2s }
"""

_DECLARATION = """\
A declaration is missing, has no name, or stands in the wrong place.

## What it finds

Files in which no `system` is declared, a declaration without a name, and a kind of element where it has no
place: a gateway inside a domain, say. Also what a statement asks for and nobody declares: a broker for a
topic, a database for an outbox, a `build` folder or an `image` for code in another language than Python.

## Why it is bad

What an element is and whom it belongs to follows from where it is declared. The way in, for one, belongs to
no domain.

## Example

    domain ordering {
      gateway api
    }

## Instead

    gateway api
    domain ordering { }
"""

_REPEATED = """\
A statement that may stand once stands twice.

## What it finds

Two statements of one word in a block where that word has one value, and a value given both on a statement's
line and in its block. An environment may change a value; that is not repeating it.

## Why it is bad

Only one of them can hold, and which one should not depend on the order: order means nothing in a file.

## Example

    service orders {
      replicas 2
      replicas 3
    }

## Instead

    service orders { replicas 2 }
    environment production {
      service orders { replicas 3 }
    }
"""

_PATCH = """\
An environment changes something that is not there.

## What it finds

In an `environment`: a change of an element that is not declared, or is of another kind; a name that several
elements have; an `add` or `remove` without what it is about; a `remove` of a statement that is not there.
Also an environment that is asked for, with `--env`, and not declared.

## Why it is bad

An environment is a patch of the base. A change of nothing is most likely a name that was changed on one side
only, and the environment would quietly run with the base's value.

## Example

    service orders
    environment production {
      service order { replicas 3 }
    }

## Instead

A new element begins with `add`:

    service orders
    environment production {
      service orders { replicas 3 }
      add cache sessions
    }
"""

_FILE = """\
The file's edition is not known, or a folder it uses has no files.

## What it finds

An `edition` that this archc does not know, and a `use` that is not one relative folder with `.arch` files in
it.

## Why it is bad

A file says the edition so that a later archc reads it as it was meant; one that is older than the file would
misread it.

## Example

    edition 9

## Instead

    edition 1
"""

_ONE_NODE = """\
The bundled log broker is asked to be more than one node.

## What it finds

A broker on `engine logbroker`, which is the one without an engine too, that asks for several `brokers`,
`replicas` or a `replication` above 1; and a topic on it that asks for a `replication` above 1.

## Why it is bad

logbroker keeps everything once, on one node. Whoever wrote 3 counts on two copies more, and would learn that
there are none on the day the disk fails.

## Example

    broker events { engine logbroker; brokers 3; replication 3 }

## Instead

Nothing else changes, neither topics nor services: Kafka speaks the same protocol.

    broker events { engine kafka; brokers 3; replication 3 }
"""

FAULTS: tuple[Fault, ...] = (
    Fault("A1701", "unusable-name", _NAME),
    Fault("A1702", "unknown-reference", _REFERENCE),
    Fault("A1703", "hidden-character", _HIDDEN),
    Fault("A1704", "unjustified-acceptance", _UNJUSTIFIED),
    Fault("A1705", "needless-acceptance", _NEEDLESS),
    Fault("A1706", "over-the-limit", _LIMIT),
    Fault("A1707", "outside-the-project", _OUTSIDE),
    Fault("A1708", "failed-rule", _RULE),
    Fault("A1710", "unreadable-syntax", _SYNTAX),
    Fault("A1711", "unknown-word", _WORD),
    Fault("A1712", "wrong-argument", _ARGUMENT),
    Fault("A1713", "misplaced-declaration", _DECLARATION),
    Fault("A1714", "repeated-statement", _REPEATED),
    Fault("A1715", "patch-of-nothing", _PATCH),
    Fault("A1716", "unknown-edition-or-folder", _FILE),
    Fault("A1717", "more-than-one-node", _ONE_NODE),
)
