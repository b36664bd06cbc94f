"""Whose request is being answered: set where the caller is recognised, read where answers may differ by person.

An engine is asked through layers that know nobody (LangChain, graphs), so this travels with the task and not with the
request: no engine can send it on by mistake.
"""

from __future__ import annotations

from contextvars import ContextVar

_SUBJECT: ContextVar[str | None] = ContextVar("subject", default=None)


def named(tenant: str, owner: str) -> str:
    """The name of a person: `owner` is `Principal.owner`, a customer or a key."""
    return f"{tenant}/{owner}"


def answering(tenant: str, owner: str) -> None:
    """From here on, this task and those that it starts answer this person."""
    _SUBJECT.set(named(tenant, owner))


def subject() -> str | None:
    """Who is being answered; None for what nobody asked for, such as work in the background."""
    return _SUBJECT.get()
