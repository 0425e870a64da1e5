"""The other engines that a search is compared with, each set as somebody who knows it would set it for a shop.

All rank the same texts for the same queries in this process. Words are cut alike wherever an engine lets its user say
how: lower case, English stems, numbers apart from letters ('2x4' is '2', 'x', '4') but '1/2' and '2.5' whole, and
accents dropped (which bm25s cannot). Any word of the query may match. k1 is 1.2 and b .75 in all of them.
"""

from wares.app.bench.engines.bm25 import Bm25
from wares.app.bench.engines.bm25s_library import Bm25s
from wares.app.bench.engines.contract import Engine
from wares.app.bench.engines.dense import Dense
from wares.app.bench.engines.fts5 import Fts5
from wares.app.bench.engines.rrf import Rrf
from wares.app.bench.engines.tantivy_library import Tantivy

ENGINES: dict[str, type[Engine]] = {one.name: one for one in (Tantivy, Bm25s, Fts5, Bm25, Dense, Rrf)}
