"""What a merchandiser does with the shop's rules: draft, check, preview, publish, undo, and see who changed what."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wares.domain.rule import When
from wares.engine.assembly import Engine
from wares.engine.rules.book import Draft, RuleBook, Version
from wares.engine.rules.changes import RuleChange, all_changes
from wares.engine.rules.check import Conflict, Known, conflicts_of, misnamed
from wares.engine.rules.preview import DEPTH, Preview, Question, preview, questions_about
from wares.engine.rules.settings import AIMS_TITLE, RuleSettings, RulesFile, read_rules, title_of
from wares.engine.settings import Settings
from wares.errors import InputError, RulesError, StoreError


@dataclass(frozen=True)
class Check:
    """What was found in some rules: `faults` keep them from being published, `conflicts` want a second look. `new` are
    the conflicts that the published rules do not have already."""

    faults: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    new: tuple[Conflict, ...]
    rules: tuple[RuleSettings, ...] = ()


@dataclass(frozen=True)
class LogEntry:
    """One published version and what it changed against the one before; `damaged` says why it cannot be read."""

    version: Version
    changes: tuple[RuleChange, ...]
    damaged: str = ""


class Merchandising:
    """The rules of one shop, without any lock: whoever may write to its folder may publish.

    `engine` is asked for when answers or the catalogue matter; `caught_up` is called when there is a new version.
    """

    def __init__(
        self, folder: Path, settings: Settings, engine: Callable[[], Engine], caught_up: Callable[[], None]
    ) -> None:
        self._book, self._settings = RuleBook(folder), settings
        self._engine, self._caught_up = engine, caught_up

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def published(self) -> Version:
        """What serves; number 0 where nothing was published yet."""
        return self._book.current()[0]

    @property
    def draft(self) -> Draft | None:
        """What is being worked on; None = nothing."""
        return self._book.draft()

    @property
    def draft_path(self) -> Path:
        """Where the draft stands, or would."""
        return self._book.draft_path

    def version(self, number: int) -> Version:
        """Any published version. UnknownName, StoreError where it is damaged."""
        return self._book.read(number)

    def log(self) -> list[LogEntry]:
        """Every version, the newest first, with what each changed."""
        entries = list[LogEntry]()
        before = RulesFile()
        for number in self._book.numbers():
            try:
                version = self._book.read(number)
            except StoreError as error:
                entries.append(LogEntry(Version(number), (), str(error)))
                continue
            entries.append(LogEntry(version, tuple(all_changes(before, version.file))))
            before = version.file
        return entries[::-1]

    def diff(self, before: int | None = None, after: int | None = None) -> list[RuleChange]:
        """What differs between two versions; None = what serves, or of `after` the draft where there is one."""
        old = self.published if before is None else self._book.read(before)
        if after is not None:
            return all_changes(old.file, self._book.read(after).file)
        return all_changes(old.file, self.file())

    def file(self, text: str | None = None) -> RulesFile:
        """`text`, else the draft, else what serves, as it was read. RulesError."""
        return read_rules(*self._subject(text))

    def check(self, text: str | None = None) -> Check:
        """Faults and conflicts of `text`, else of the draft, else of what serves."""
        return self._check(*self._subject(text))

    def _check(self, text: str, where: str) -> Check:
        try:
            file = read_rules(text, where)
        except RulesError as error:
            return Check(error.faults, (), ())
        faults = misnamed(file.rules, self._settings, where)
        known, now_ms = self._known(), _now_ms()
        found = conflicts_of(file.values(), known, now_ms)
        served = conflicts_of(self.published.file.values(), known, now_ms)
        old = {(one.kind, one.text) for one in served}
        new = tuple(one for one in found if (one.kind, one.text) not in old)
        return Check(tuple(faults), tuple(found), new, file.rules)

    def preview(self, questions: Sequence[Question] = (), text: str | None = None, k: int = DEPTH) -> list[Preview]:
        """What `text`, else the draft, would change; of the requests that its changed rules are about, unless there
        are `questions`. RulesError for rules that cannot be read."""
        old, new = self.published.file, self.file(text)
        if not questions:
            whens = list[When]()
            for change in all_changes(old, new):
                before, after = change.numbers
                whens += [old.rules[before - 1].when.value()] if before else []
                whens += [new.rules[after - 1].when.value()] if after else []
                whens += [] if before or after else [When()]
            surfaces = {name: profile.all_matches for name, profile in self._settings.profiles.items()}
            questions = questions_about(whens, surfaces, _now_ms())
        serving, other = old.values(), new.values()
        engine = self._engine()
        return [preview(question, serving, other, engine, k) for question in questions]

    # -- changing ----------------------------------------------------------------------------------------------------

    def begin_draft(self, text: str | None = None) -> Path:
        """Open a draft from `text`, else from what serves; where it stands. InputError if there is one already."""
        return self._book.begin_draft(text)

    def write_draft(self, text: str, was: str | None) -> Draft:
        """Let the draft say `text`; `was` is what it said when the writer last looked, None = there was none.
        InputError where it says something else by now. Nothing is checked: a draft may be half done."""
        return self._book.write_draft(text, was)

    def discard_draft(self) -> bool:
        """Throw the draft away; whether there was one."""
        return self._book.discard_draft()

    def publish(self, by: str, note: str = "", *, text: str | None = None, anyway: bool = False) -> Version:
        """Let `text`, else the draft, serve: at once here, within a second in a server.

        RulesError for faults, and unless `anyway` for conflicts that are new and for a draft that somebody else's
        version overtook. InputError where there is nothing to publish. Nothing is changed then.
        """
        draft = self._book.draft() if text is None else None
        if text is None and draft is None:
            raise InputError("There is no draft to publish. `wares rules draft` begins one.")
        body = draft.text if draft is not None else str(text)
        found = self._check(*self._subject(text, draft))
        if found.faults:
            raise RulesError(found.faults)
        if found.new and not anyway:
            told = [f"{where_of(one, found.rules)}: {one.text}" for one in found.new]
            raise RulesError([*told, "Mend it, or publish it as it is: anyway=True (--yes)."])
        if body == self.published.text and self.published.number:
            raise InputError(f"Version {self.published.number} says the same already; nothing was published.")
        based_on = draft.based_on if draft is not None and not anyway else None
        version = self._book.publish(body, by, note, based_on=based_on)
        if draft is not None and self._book.draft() == draft:  # nobody went on writing meanwhile
            self._book.discard_draft()
        self._caught_up()
        return version

    def undo(self, by: str, note: str = "", *, to: int | None = None) -> Version:
        """Publish the former version again as a new one, or version `to` (0 = no rules). Nothing is lost."""
        last, serving = self._book.last(), self.published
        number = self._book.before(serving) if to is None else to
        former = self._book.read(number)
        if former.same_as == serving.same_as and serving.number == last:
            raise InputError(f"Version {serving.number} is the same as version {number}; nothing was published.")
        told = note or f"back to version {number}"
        version = self._book.publish(former.text, by, told, based_on=last, same_as=former.same_as)
        self._caught_up()
        return version

    # -- inside ------------------------------------------------------------------------------------------------------

    def _subject(self, text: str | None, draft: Draft | None = None) -> tuple[str, str]:
        """(the rules in question, how to call them): this text, else the draft, else what serves."""
        if text is not None:
            return text, "the rules"
        if (draft := draft or self._book.draft()) is not None:
            return "\n" * (draft.based_on is not None) + draft.text, str(self.draft_path)  # lines as in the file
        published = self.published
        return published.text, f"version {published.number}"

    def _known(self) -> Known:
        engine = self._engine()
        state, language = engine.live.state, engine.live.snapshot.language

        @cache
        def attributes() -> Mapping[str, frozenset[str]]:
            found: dict[str, set[str]] = {}
            for _, told in engine.store.shoppers.all_attributes():
                for name, value in told.items():
                    found.setdefault(name, set()).add(value)
            return {name: frozenset(values) for name, values in found.items()}

        def holds(text: str) -> bool:
            words = language.analyser.words(text)
            return bool(words) and all(state.text.frequency(word) for word in words)

        return Known(self._settings, state.columns, attributes, holds)


def where_of(conflict: Conflict, rules: Sequence[RuleSettings]) -> str:
    """'rule 1 "Spring", rule 3'."""
    titles = [title_of(number, rule.name) for number, rule in enumerate(rules, 1)] + [AIMS_TITLE]
    return ", ".join(titles[number - 1] for number in conflict.rules)


def _now_ms() -> int:
    return int(time.time() * 1000)
