"""One paragraph about one invented subject, and the questions that it answers and those that it almost answers."""

import random
from dataclasses import dataclass

from app.house.reading.grammar import Ask, Domain, Fact, Filling, holds
from app.house.reading.near import of_another, of_opposite, of_rival, slots, tells_of_rival

_WORDS = (60, 150)
_LEFT_OUT = 2
_NAMED = 0.6
_GROUNDED = 0.85


@dataclass(frozen=True)
class Question:
    """A question and its answer, None where the passages do not give it; `fact` says about what it is."""

    text: str
    answer: str | None
    fact: str


class Paragraph:
    """A subject of a domain told in part: what is left out looks as if it could be asked for.

    Args:
        domain: The grammar.
        draw: Where chance comes from.
        alone: Whether no other passage stands beside it, so that its subject needs no name in a question.
    """

    def __init__(self, domain: Domain, draw: random.Random, *, alone: bool) -> None:
        self._draw = draw
        self._alone = alone
        self.filling = Filling(domain, draw)
        self.told, self.left_out = self._parted(domain)
        self.text = self._tell()

    def answered(self) -> Question | None:
        """Draw a question that the text answers; None where the draw gave none."""
        fact, ask = self._ask(self.told)
        answer = self.filling.fill(ask.answer)
        told = next((one for one in (answer, _capital(answer)) if holds(self.text, one)), None)
        return None if told is None else Question(self._worded(ask), told, self._name(fact, ask))

    def unanswered(self) -> Question | None:
        """Draw a question that looks as if the text answered it; None where the draw gave none."""
        chance = self._draw.random()
        if chance < 0.6 and self.left_out:
            fact, ask = self._ask(self.left_out)
            if holds(self.text.casefold(), self.filling.fill(ask.answer).casefold()):
                return None
            return Question(self._worded(ask), None, self._name(fact, ask) + " left out")
        fact, ask = self._ask(self.told)
        if chance < 0.75:
            told = any(tells_of_rival(one) for one in self.told)
            text = of_rival(self.filling, ask, self._draw) if told and not tells_of_rival(fact) else None
        elif chance < 0.88:
            text = of_another(self.filling, ask, self._called(), self._draw)
        else:
            text = of_opposite(self.filling, ask, self._called(), self._draw)
        return None if text is None else Question(_capital(text), None, self._name(fact, ask) + " bent")

    def _parted(self, domain: Domain) -> tuple[list[Fact], list[Fact]]:
        opening, *others = domain.facts
        order = self._draw.sample(others, len(others))
        wanted = self._draw.randint(*_WORDS)
        told, words = [opening], len(opening.say[0].split())
        while order and words < wanted and len(order) > _LEFT_OUT:
            told.append(order.pop())
            words += len(told[-1].say[0].split())
        if self._draw.random() < 0.6:
            told[1:] = [fact for fact in others if fact in told]
        return told, order

    def _tell(self) -> str:
        sentences = [self.filling.tell(fact, at == 0) for at, fact in enumerate(self.told)]
        return " ".join(sentences)

    def _ask(self, facts: list[Fact]) -> tuple[Fact, Ask]:
        fact = self._draw.choice([fact for fact in facts for _ in fact.asks])
        return fact, self._draw.choice(fact.asks)

    def _worded(self, ask: Ask) -> str:
        wordings = ask.wordings if self._alone else [one for one in ask.wordings if "{" in one]
        if self._draw.random() < _GROUNDED:
            wordings = [one for one in wordings if self._grounded(one)] or wordings
        return _capital(self.filling.fill(self._draw.choice(wordings), q=self._called()))

    def _grounded(self, wording: str) -> bool:
        """Whether the text mentions all that a question takes for granted, as it does for one that it answers."""
        return all(holds(self.text, self.filling.slots[slot]) for slot in slots(wording) if slot != "q")

    def _called(self) -> str:
        called = self.filling.domain.called
        if not self._alone or self._draw.random() < _NAMED:
            return self.filling.fill(called[0])
        return self.filling.fill(self._draw.choice(called))

    def _name(self, fact: Fact, ask: Ask) -> str:
        domain = self.filling.domain
        return f"{domain.name} {domain.facts.index(fact)}.{fact.asks.index(ask)} {self.filling.fill(domain.called[0])}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
