"""tantivy, Lucene's design in Rust: an index in memory, one field with English stems, BM25 over any word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from wares.app.bench.engines.contract import WORD, Floats, Ranking, best_first, load

_TEXT, _ROW, _ANALYSER = "text", "row", "english"
_LONGEST_BYTES = 40  # as in tantivy's own English analyser
_HEAP_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class Tantivy:
    """The query's words are looked up as terms: nothing in it is syntax, and '5-gallon' asks for no phrase."""

    name: ClassVar[str] = "tantivy"
    library: Any
    schema: Any
    searcher: Any
    analyser: Any

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        tantivy = load(cls.name, "tantivy")
        filters = tantivy.Filter
        analyser = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(WORD))
        folding = (filters.lowercase(), filters.ascii_fold(), filters.stemmer("english"))
        for each in (filters.remove_long(_LONGEST_BYTES), *folding):
            analyser = analyser.filter(each)
        analyser = analyser.build()
        schema = tantivy.SchemaBuilder()
        schema.add_text_field(_TEXT, tokenizer_name=_ANALYSER, index_option="freq")  # no phrases, so no positions
        schema.add_integer_field(_ROW, fast=True)
        schema = schema.build()
        index = tantivy.Index(schema)
        index.register_tokenizer(_ANALYSER, analyser)
        writer = index.writer(_HEAP_BYTES, 1)  # one thread: one segment, the same scores each time
        for row, text in enumerate(texts):
            writer.add_document(tantivy.Document(text=text, row=row))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        return cls(tantivy, schema, index.searcher(), analyser)

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        build, maybe = self.library.Query, self.library.Occur.Should
        words = dict.fromkeys(self.analyser.analyze(query))
        terms = [(maybe, build.term_query(self.schema, _TEXT, word, "freq")) for word in words]
        found = self.searcher.search(build.boolean_query(terms), limit=k, count=False).hits
        rows = self.searcher.fast_field_values(_ROW, [address for _, address in found])
        return best_first(np.array(rows, np.int32), np.array([score for score, _ in found], np.float32), k)
