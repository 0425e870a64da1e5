"""Pages cut from answers: the first one, those behind its cursor, and those that many get alike."""

from collections.abc import Mapping
from dataclasses import replace

from wares.contracts import Catalogue
from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine.cursors import Cursors, name_of
from wares.engine.interleaving import Interleaved, present_interleaved
from wares.engine.page import present, with_cursor
from wares.engine.stages import Answer

_MOST_PAGES, _MOST_HITS = 8, 100  # that are remembered of one answer: a hit takes 3 kB


class Paging:
    """`products`: of which pages are filled. Threads may share one."""

    def __init__(self, products: Catalogue) -> None:
        self._products = products
        self.cursors: Cursors[Answer | Interleaved] = Cursors()

    def page(self, found: Answer | Interleaved, offset: int, request: Request, name: str) -> Page:
        """The page from `offset` on with the cursor of the next; `name`: under which the answer is kept for cursors, ""
        = it is not yet."""
        k, pages = request.k, None
        if isinstance(found, Answer) and not request.cursor:
            pages = found.pages
            if pages is not None and (shown := pages.get((offset, k, found.experiment))) is not None:
                if shown.cursor and not self.cursors.holds(name := name_of(shown.cursor)):
                    self.cursors.keep_as(name, found.to_keep())
                return replace(shown, notes=found.notes)
        page = self._present(found, offset, k)
        if k and offset + k < page.total:
            page = with_cursor(page, request, name or self.cursors.keep(found.to_keep()), offset)
        if pages is not None and len(pages) < _MOST_PAGES and _hits_of(pages) + len(page.hits) <= _MOST_HITS:
            pages[offset, k, found.experiment] = page  # its cursor continues an answer of that experiment
        return page

    def _present(self, found: Answer | Interleaved, offset: int, k: int) -> Page:
        if isinstance(found, Interleaved):
            return present_interleaved(found, offset, k, self._products)
        return present(found, offset, k, self._products)


def _hits_of(pages: Mapping[tuple[int, int, str], Page]) -> int:
    return sum(len(page.hits) for page in list(pages.values()))  # a list at once: others put pages there meanwhile
