"""What a merchandiser may write of a rule, and what is refused with its place."""

from importlib import resources

import pytest

from wares.domain.filter import AnyOf, Between, Filter, NoneOf
from wares.domain.rule import Banner, Rule, Synonym, Weighting, When
from wares.engine.rules.settings import read_rules
from wares.errors import RulesError

DAY_MS = 86_400_000


def rules(text: str) -> tuple[Rule, ...]:
    return read_rules(text, "draft.toml").values()


def test_the_examples_of_a_first_draft_are_valid() -> None:
    text = (resources.files("wares.engine") / "default_rules.toml").read_text(encoding="utf-8")
    lines = [line.removeprefix("# ").removeprefix("#") for line in text.splitlines()]
    christmas, wind, returns = rules("\n".join(lines[lines.index("[[rules]]") :]))
    assert (christmas.name, christmas.actions.pins) == ("Christmas", (("sku-17", 1), ("sku-4", 3)))
    assert wind.actions.synonyms == (Synonym(("windcheater",), ("anorak",)),)
    assert returns.when.segment == (("loyalty", ("gold", "silver")),)
    assert rules(text) == ()


def test_a_rule_becomes_what_the_engine_understands() -> None:
    (rule,) = rules("""
    [[rules]]
    name = "Spring"
    when = { query = "Red Gifts", category = "Food", surface = ["home"], from = 1970-01-02, until = 1970-01-03 }
    hide = "a"
    boost = [{ where = { brand = "Acme", colour = { not = ["grey"] } } }]
    bury = [{ where = { id = ["b"] }, factor = 0.25 }]
    filter = { price = { high = 500 } }
    synonym = "present"
    banner = { text = "Hello", url = "/hello", image_url = "https://example.com/a.png" }
    redirect = "https://example.com/gifts?a=1:2"
    """)
    assert rule.when == When(
        queries=(("red", "gift"),), category="Food", surfaces=("home",), from_ms=DAY_MS, until_ms=3 * DAY_MS
    )
    actions = rule.actions
    assert actions.hide == ("a",)
    assert actions.weightings == (
        Weighting(Filter((AnyOf("brand", ("Acme",)), NoneOf("colour", ("grey",)))), 1.5),
        Weighting(Filter((AnyOf("id", ("b",)),)), 0.25),
    )
    assert actions.filter == Filter((Between("price", None, 500.0),))
    assert actions.synonyms == (Synonym((), ("present",)),)
    assert actions.banners == (Banner("Hello", "/hello", "https://example.com/a.png"),)
    assert actions.redirect == "https://example.com/gifts?a=1:2"


def test_moments_of_a_rule_may_have_a_time_and_a_zone() -> None:
    (rule,) = rules("[[rules]]\nhide = 'a'\nwhen = { from = 1970-01-01T01:00:00+01:00, until = 1970-01-01T00:00:01 }")
    assert (rule.when.from_ms, rule.when.until_ms) == (0, 1000)


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("name = 'idle'", 'rule 2 "idle": ', "at least one of pin"),
        ("hide = 'a'\nwhen = { form = 2026-01-01 }", "rule 2, when.form: ", "Did you mean 'from'?"),
        ("hide = 'a'\nwhen = { query = '!' }", "rule 2, when: ", "holds no word"),
        ("hide = 'a'\nwhen = { query_contains = ['a', '?'] }", "rule 2, when: ", "holds no word"),
        ("hide = 'a'\nwhen = { query = 'a', query_contains = 'b' }", "rule 2, when: ", "two rules"),
        ("hide = 'a'\nwhen = { segment = { age = [] } }", "rule 2, when: ", "segment.age holds no value"),
        ("hide = 'a'\nwhen = {from = 2026-01-02, until = 2026-01-01}", "rule 2, when: ", "before"),
        ("pin = { a = 0 }", "rule 2, pin.a: ", "greater than or equal to 1"),
        ("filter = { price = {low = 2, high = 1} }", "rule 2, filter.price: ", "above"),
        ("filter = { price = {} }", "rule 2, filter.price: ", "needs a value"),
        ("boost = [{ where = {}, factor = 2 }]", "rule 2, boost[0].where: ", "at least one entry"),
        ("synonym = 'anorak'", "rule 2: ", "synonym needs when.query"),
        ("synonym = 'anorak'\nwhen = { query = 'a b c d e' }", "rule 2: ", "at most 4 words"),
        ("synonym = '?'\nwhen = { query = 'a' }", "rule 2: ", "holds no word"),
        ("banner = { url = '/a' }", "rule 2, banner.text: ", "missing"),
        ("redirekt = '/a'", "rule 2, redirekt: ", "Did you mean 'redirect'?"),
    ],
)
def test_a_fault_is_named_with_the_rule_and_its_line(text: str, place: str, advice: str) -> None:
    with pytest.raises(RulesError) as raised:
        rules(f"[[rules]]\nhide = ['a']\n\n[[rules]]\n{text}\n")
    (fault,) = raised.value.faults
    assert fault.startswith(f"draft.toml:4: {place}")
    assert advice in fault


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RulesError) as raised:
        rules("[[rules]]\npin = { a = 0 }\n[[rules]]\nname = 'idle'\n")
    assert [fault.partition(": ")[0] for fault in raised.value.faults] == ["draft.toml:1", "draft.toml:3"]


def test_a_fault_of_syntax_names_its_line() -> None:
    with pytest.raises(RulesError, match=r"draft\.toml:2: "):
        rules("[[rules]]\nhide = = 1\n")


def test_nothing_but_rules_may_stand_in_the_file() -> None:
    with pytest.raises(RulesError, match=r"draft\.toml: shop: there is no such setting"):
        rules("[shop]\ntitle = 'A'\n")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)",
        "data:text/html,x",
        "//evil.example", "\\\\evil.example", "/\\evil.example", "http://", "http:evil", "mailto:a@b.c", "vbscript:x",
        "https://[", "a:b", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("rule", ["redirect = {}", "banner = {{ text = 'x', url = {} }}"])
def test_an_address_that_could_run_or_mislead_is_refused(address: str, rule: str) -> None:
    quoted = '"' + address.replace("\\", "\\\\").replace("\t", "\\t") + '"'
    with pytest.raises(RulesError, match=r"no address of a page|at least 1 character"):
        rules(f"[[rules]]\n{rule.format(quoted)}\n")


@pytest.mark.parametrize(
    "address", ["/sale", "sale/shoes", "#/category/Food", "?q=tea", "https://a.example/b?c=d#e", "../a/b:c"]
)
def test_an_address_of_a_page_is_taken(address: str) -> None:
    (rule,) = rules(f'[[rules]]\nredirect = "{address}"\n')
    assert rule.actions.redirect == address
