"""The published rules as a process that answers follows them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wares.contracts import Shoppers
from wares.domain.request import Request
from wares.domain.rule import NOTHING, Actions, Rule, wanted
from wares.engine.rules.book import RuleBook
from wares.retrieval.understanding import words_of


class ServingRules:
    """`version` is the number of what serves; `warn` is told of versions that cannot be used."""

    def __init__(self, shop_folder: Path, warn: Callable[[str], None]) -> None:
        self.version = 0
        self._book, self._warn = RuleBook(shop_folder), warn
        self._rules: tuple[Rule, ...] = ()
        self.looked_for = 0  # the newest version at the last look, whole or not
        self.follow()

    def follow(self) -> None:
        """Take up what was published last."""
        if (last := self._book.last()) == self.looked_for:
            return
        version, warnings = self._book.current()
        for warning in warnings:
            self._warn(warning)
        self._rules = version.file.values()  # one reference: a request sees all of one version
        self.version, self.looked_for = version.number, last

    def actions(
        self,
        request: Request,
        shoppers: Shoppers,
        rules: Sequence[Rule] | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Actions:
        """What `rules` (the published ones if None) want of a request, as if its shopper had these `attributes` (those
        that the shop told if None)."""
        rules = self._rules if rules is None else rules
        if not rules:
            return NOTHING
        if attributes is None:
            attributes = {}
            if request.shopper_id is not None and any(rule.when.segment for rule in rules):
                shopper = shoppers.get(request.shopper_id)
                attributes = shopper.attributes if shopper else {}
        return wanted(rules, request, words_of(request.query), attributes)
