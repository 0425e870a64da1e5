"""Wishes said in a query: what is read, what is left alone, and how the shopper takes one back."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Between, Filter, NoneOf
from wares.domain.product import Product
from wares.domain.selection import passing
from wares.domain.wish import Wish, WishKind
from wares.retrieval.wishes.exclusion import negated_words
from wares.retrieval.wishes.read import read_wishes
from wares.retrieval.wishes.values import ShopValues


def product(number: int, brand: str, path: str, price: int, **attributes: str) -> Product:
    values = {name: tuple(value.split("|")) for name, value in attributes.items()}
    return Product(f"p{number}", brand=brand, category=tuple(path.split(" > ")), price_minor=price, attributes=values)


FASHION = Columns.of(
    [
        product(0, "Northwind", "Clothing > Jackets", 4999, colour="Red", gender="Women", size="M|L"),
        product(1, "Northwind", "Clothing > Jackets", 9900, colour="Dark red", gender="Men", size="XL"),
        product(2, "Free People", "Clothing > Dresses", 2000, colour="Schwarz", gender="Women", size="38|40"),
        product(3, "Cheap Monday", "Clothing > Jeans", 12000, colour="Space Blue", gender="Men", size="32/34"),
        product(4, "Bamboo", "Home > Kitchen > Boards", 3000, material="Leather"),
        product(5, "北风(Northwind)", "服装 > 连衣裙", 18900, colour="红色", gender="女", size="M"),
        product(6, "O'Brien", "Shoes > Running shoes", 7000, colour="Black/White", gender="Unisex", size="42"),
    ],
    range(7),
)
SHOP = ShopValues.of(FASHION)
BARE = ShopValues.empty()


def only(query: str, currency: str = "USD", values: ShopValues = BARE) -> tuple[str, Wish]:
    rest, wishes = read_wishes(query, values, currency)
    assert len(wishes) == 1, wishes
    return rest.strip(), wishes[0]


@pytest.mark.parametrize(
    ("query", "currency", "low", "high", "rest"),
    [
        ("headphones under $50", "USD", None, 5000, "headphones"),
        ("under $50 headphones", "USD", None, 5000, "headphones"),
        ("headphones under 50", "USD", None, 5000, "headphones"),
        ("headphones below 50 for kids", "USD", None, 5000, "headphones for kids"),
        ("lamp less than 49.99 dollars", "USD", None, 4999, "lamp"),
        ("sofa under $1,299", "USD", None, 129900, "sofa"),
        ("laptop under $1k", "USD", None, 100000, "laptop"),
        ("lamp up to 50 euro", "EUR", None, 5000, "lamp"),
        ("50 € max lamp", "EUR", None, 5000, "lamp"),
        ("gift $50 or less", "USD", None, 5000, "gift"),
        ("watch over 100", "USD", 10000, None, "watch"),
        ("watch over $100 leather", "USD", 10000, None, "watch leather"),
        ("watch $100 and up", "USD", 10000, None, "watch"),
        ("desk from 20 to 40", "USD", 2000, 4000, "desk"),
        ("desk 20-40 EUR", "EUR", 2000, 4000, "desk"),
        ("$20 to $40 desk", "USD", 2000, 4000, "desk"),
        ("desk $20–$40", "USD", 2000, 4000, "desk"),
        ("desk between 20 and 40", "USD", 2000, 4000, "desk"),
        ("price 20-40 desk lamp", "USD", None, None, "price 20-40 desk lamp"),
        ("desk price 20-40", "USD", 2000, 4000, "desk"),
        ("desk for under $50", "USD", None, 5000, "desk"),
        ("kids shoes size 2 under 30", "USD", None, 3000, "kids shoes size 2"),
        ("desk <50", "USD", None, 5000, "desk"),
        ("desk <= $50", "USD", None, 5000, "desk"),
        ("desk around $50", "USD", 4000, 6000, "desk"),
        ("camera under 5000 yen", "JPY", None, 5000, "camera"),
        ("coat under 50 pounds", "GBP", None, 5000, "coat"),
        ("Kopfhörer unter 50 €", "EUR", None, 5000, "Kopfhörer"),
        ("Kopfhörer bis 49,90 Euro", "EUR", None, 4990, "Kopfhörer"),
        ("Kopfhörer bis 50", "EUR", None, 5000, "Kopfhörer"),
        ("Sofa unter 1.299 €", "EUR", None, 129900, "Sofa"),
        ("Uhr über 100 €", "EUR", 10000, None, "Uhr"),
        ("Uhr zwischen 20 und 40", "EUR", 2000, 4000, "Uhr"),
        ("Uhr 20 bis 40 Euro", "EUR", 2000, 4000, "Uhr"),
        ("montre moins de 50 €", "EUR", None, 5000, "montre"),
        ("montre jusqu'à 50 euros", "EUR", None, 5000, "montre"),
        ("montre entre 20 et 40 euros", "EUR", 2000, 4000, "montre"),
        ("canapé moins de 1 299 €", "EUR", None, 129900, "canapé"),
        ("reloj menos de 50 euros", "EUR", None, 5000, "reloj"),
        ("reloj hasta 50 €", "EUR", None, 5000, "reloj"),
        ("reloj entre 20 y 40", "EUR", 2000, 4000, "reloj"),
        ("orologio meno di 50 euro", "EUR", None, 5000, "orologio"),
        ("orologio fino a 50 €", "EUR", None, 5000, "orologio"),
        ("horloge onder 50 euro", "EUR", None, 5000, "horloge"),
        ("horloge tot 50 euro", "EUR", None, 5000, "horloge"),
        ("zegarek do 100 zł", "PLN", None, 10000, "zegarek"),
        ("zegarek poniżej 100", "PLN", None, 10000, "zegarek"),
        ("zegarek od 20 do 40 zł", "PLN", 2000, 4000, "zegarek"),
        ("klocka under 500 kr", "SEK", None, 50000, "klocka"),
        ("200元以下 连衣裙", "CNY", None, 20000, "连衣裙"),
        ("２００元以下的连衣裙", "CNY", None, 20000, "连衣裙"),
        ("100到300元 耳机", "CNY", 10000, 30000, "耳机"),
        ("耳机100-300块", "CNY", 10000, 30000, "耳机"),
        ("耳机 五百以内", "CNY", None, 50000, "耳机"),
        ("两百五以内的耳机", "CNY", None, 25000, "耳机"),
        ("不超过200元的耳机", "CNY", None, 20000, "耳机"),
        ("耳机 200元左右", "CNY", 16000, 24000, "耳机"),
        ("手机 1.5万元以内", "CNY", None, 1500000, "手机"),
        ("500元预算的手机", "CNY", None, 50000, "手机"),
        ("3000到4000的手机", "CNY", 300000, 400000, "手机"),
        ("千元以上 手机", "CNY", 100000, None, "手机"),
        ("耳機 200塊以內", "TWD", None, 20000, "耳機"),
    ],
)
def test_a_price_in_words_is_a_filter(
    query: str, currency: str, low: float | None, high: float | None, rest: str
) -> None:
    left, wishes = read_wishes(query, BARE, currency)
    assert left.strip() == rest
    if low is None and high is None:
        assert not wishes
    else:
        assert [(w.kind, w.clause, w.strict) for w in wishes] == [(WishKind.PRICE, Between("price", low, high), True)]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "12 drill",
            "iphone 15",
            "iphone 15 pro max 256",
            "under 12 in. shelf",
            "shelf under 12 in.",
            "lamp under 60 watts",
        ),
        *(
            "tv under 50 inches",
            "monitor over 27 zoll",
            "under cabinet lighting",
            "over the door hook",
            "under 24 microwave",
        ),
        *(
            "do it yourself kit",
            "bis 3 jahre spielzeug",
            "kleid größe bis 42",
            "toys for kids under 10",
            "ages from 8 to 12",
        ),
        *(
            "vitamins for women over 50",
            "3 to 4 reducer",
            "1-1/4 to 3/4 reducer",
            "20-40 grit",
            "dumbbell under 50 pounds",
        ),
        *(
            "from dusk till dawn",
            "regał od 20 do 40 cm",
            "tot 2 personen tent",
            "100以内加减法",
            "3岁以下玩具",
            "5到8人帐篷",
        ),
        *(
            "type-c 3米以内充电线",
            "一百种生活小技巧",
            "over 24 by 36 frame",
            "$100 gift card",
            "99 luftballons",
            "budget planner",
        ),
    ],
)
def test_a_number_that_counts_something_else_is_no_price(query: str) -> None:
    assert read_wishes(query, BARE, "USD") == (query, ())


def test_a_price_in_another_currency_is_noted_and_filters_nothing() -> None:
    rest, wish = only("lamp under 50 €", "USD")
    assert (rest, wish.kind, wish.clause, wish.strict) == ("lamp", WishKind.PRICE, None, False)


def test_the_filter_counts_in_the_unit_of_the_catalogue() -> None:
    _, wish = only("jacket under $50")
    assert wish.clause is not None
    assert passing(Filter((wish.clause,)), FASHION).tolist() == [True, False, True, False, True, False, False]


@pytest.mark.parametrize(
    ("query", "said", "rest"),
    [
        ("cheap headphones", "cheap", "headphones"),
        ("headphones not too expensive", "not too expensive", "headphones"),
        ("budget laptop", "budget", "laptop"),
        ("günstige Kopfhörer", "günstige", "Kopfhörer"),
        ("montre pas chère", "pas chère", "montre"),
        ("reloj barato", "barato", "reloj"),
        ("orologio economico", "economico", "orologio"),
        ("goedkope fiets", "goedkope", "fiets"),
        ("tani zegarek", "tani", "zegarek"),
        ("便宜的蓝牙耳机", "便宜的", "蓝牙耳机"),
        ("平价 面霜", "平价", "面霜"),
        ("便宜一点的 手機", "便宜一点的", "手機"),
    ],
)
def test_cheap_is_a_boost_and_leaves_the_words(query: str, said: str, rest: str) -> None:
    left, wish = only(query)
    assert (wish.kind, wish.said, wish.clause, wish.strict, left) == (WishKind.CHEAP, said, None, False, rest)


@pytest.mark.parametrize(
    ("query", "excluded"),
    [
        ("jacket without hood", ("hood",)),
        ("jacket without a fur collar and lining", ("fur",)),
        ("jacket w/o hood", ("hood",)),
        ("without hood black jacket", ("hood",)),
        ("drink no sugar", ("sugar",)),
        ("no added sugar juice", ("sugar",)),
        ("Sugar-Free syrup", ("sugar",)),
        ("sugar free cookies", ("sugar",)),
        ("0% fat yoghurt", ("fat",)),
        ("free from gluten or lactose bread", ("gluten", "lactose")),
        ("non-alcoholic beer", ("alcohol",)),
        ("dress not red", ("red",)),
        ("Limonade ohne Zucker", ("zucker",)),
        ("zuckerfreie Limonade", ("zucker",)),
        ("Jacke ohne Kapuze", ("kapuze",)),
        ("boisson sans sucre ni gluten", ("sucre", "gluten")),
        ("veste sans capuche", ("capuche",)),
        ("galletas sin azúcar", ("azucar",)),
        ("pan libre de gluten", ("gluten",)),
        ("biscotti senza zucchero", ("zucchero",)),
        ("koekjes zonder suiker", ("suiker",)),
        ("suikervrije koekjes", ("suiker",)),
        ("ciastka bez cukru", ("cukru",)),
        ("piwo bezalkoholowe", ("alkoholu",)),
        ("无糖 饮料", ("糖",)),
        ("無糖飲料", ("糖",)),
        ("不含酒精的洗手液", ("酒精",)),
        ("有没有不带帽子的羽绒服", ("帽子",)),
        ("没有拉链的卫衣", ("拉链",)),
        ("不辣的火锅底料", ("辣",)),
        ("0糖酸奶", ("糖",)),
    ],
)
def test_an_exclusion_names_the_words_and_stays_for_text_search(query: str, excluded: tuple[str, ...]) -> None:
    rest, wish = only(query)
    assert (wish.kind, wish.excluded, wish.clause, wish.strict) == (WishKind.EXCLUSION, excluded, None, False)
    assert rest == query


@pytest.mark.parametrize(
    "query",
    [
        *("free shipping", "free standing tub", "freestanding tub", "hands free faucet", "toll free", "no. 5 perfume"),
        *(
            "no 10 screws",
            "size no 8",
            "wireless mouse",
            "nonstick pan",
            "non-slip mat",
            "no drill blinds",
            "no show socks",
        ),
        *("no trespassing sign", "comic sans poster", "sub zero refrigerator", "model no abc", "cordless drill"),
        *("seamless leggings", "sugar free shipping", "self -adhesive tape", "t -shirt", "drill -18v", "e-reader"),
        *("not assembled", "rostfreie Schrauben", "kostenfrei", "freihändig", "roestvrij staal", "bezprzewodowa mysz"),
        *(
            "无线耳机",
            "无人机",
            "无印良品 收纳",
            "零食大礼包",
            "不锈钢锅",
            "不粘锅",
            "有没有耳机",
            "100糖果",
            "buy one get one free",
        ),
    ],
)
def test_what_only_looks_like_an_exclusion_is_left_alone(query: str) -> None:
    assert read_wishes(query, BARE, "USD") == (query, ())


def test_a_leading_minus_is_meant_strictly() -> None:
    rest, wish = only("bag -canvas")
    assert (rest, wish.excluded, wish.strict, wish.clause) == ("bag", ("canvas",), True, None)


@pytest.mark.parametrize(
    ("query", "clause", "rest"),
    [
        ("parka not red", NoneOf("colour", ("Red", "红色")), "parka"),
        ("Jacke nicht schwarz", NoneOf("colour", ("Schwarz",)), "Jacke"),
        ("除了红色的外套", NoneOf("colour", ("Red", "红色")), "外套"),
        ("不要红色 外套", NoneOf("colour", ("Red", "红色")), "外套"),
        ("bag -leather", NoneOf("material", ("Leather",)), "bag"),
        ("coat not northwind", NoneOf("brand", ("Northwind", "北风(Northwind)")), "coat"),
    ],
)
def test_excluding_a_value_of_a_field_is_a_filter(query: str, clause: NoneOf, rest: str) -> None:
    left, wish = only(query, values=SHOP)
    assert (wish.clause, wish.strict, left) == (clause, True, rest)


@pytest.mark.parametrize(
    ("query", "kind", "clause"),
    [
        ("northwind parka", "brand", AnyOf("brand", ("Northwind", "北风(Northwind)"))),
        ("北风羽绒服", "brand", AnyOf("brand", ("北风(Northwind)",))),
        ("free people top", "brand", AnyOf("brand", ("Free People",))),
        ("cheap monday top", "brand", AnyOf("brand", ("Cheap Monday",))),
        ("obrien vest", "brand", AnyOf("brand", ("O'Brien",))),
        ("red parka", "colour", AnyOf("colour", ("Red", "Dark red", "红色"))),
        ("parka rouge", "colour", AnyOf("colour", ("Red", "Dark red", "红色"))),
        ("czerwona kurtka", "colour", AnyOf("colour", ("Red", "Dark red", "红色"))),
        ("紅色外套", "colour", AnyOf("colour", ("Red", "Dark red", "红色"))),
        ("zapatos negros", "colour", AnyOf("colour", ("Schwarz", "Black/White"))),
        ("space blue parka", "colour", AnyOf("colour", ("Space Blue",))),
        ("women's parka", "gender", AnyOf("gender", ("Women", "女"))),
        ("Parka Damen", "gender", AnyOf("gender", ("Women", "女"))),
        ("跑鞋女", "gender", AnyOf("gender", ("Women", "女"))),
        ("parka size 38", "size", AnyOf("size", ("38",))),
        ("Parka Größe XL", "size", AnyOf("size", ("XL",))),
        ("parka xl", "size", AnyOf("size", ("XL",))),
        ("parka M", "size", AnyOf("size", ("M",))),
        ("42码 跑鞋", "size", AnyOf("size", ("42",))),
        ("dress for summer", "category", AnyOf("category", ("Clothing > Dresses",))),
        ("running shoes", "category", AnyOf("category", ("Shoes > Running shoes",))),
    ],
)
def test_a_value_of_the_shop_is_a_boost_and_its_words_stay(query: str, kind: str, clause: AnyOf) -> None:
    rest, wish = only(query, values=SHOP)
    assert (wish.kind, wish.clause, wish.strict, rest) == (kind, clause, False, query)


@pytest.mark.parametrize(
    "query",
    [
        "purple parka",
        "mädchen parka",
        "parka size 50",
        "parka 42",
        "dress hanger",
        "美女海报",
        "口红",
        "the parka",
        "32 parka",
    ],
)
def test_what_the_shop_does_not_have_is_no_wish(query: str) -> None:
    assert read_wishes(query, SHOP, "USD") == (query, ())


def test_without_fields_nothing_but_prices_and_exclusions_is_read() -> None:
    assert read_wishes("red northwind jacket women size m", BARE, "USD")[1] == ()


def test_several_wishes_are_shown_in_the_order_in_which_they_were_said() -> None:
    rest, wishes = read_wishes("cheap red Northwind jacket without hood under $80 ", SHOP, "USD")
    assert [w.kind for w in wishes] == ["cheap", "colour", "brand", "category", "exclusion", "price"]
    assert rest == "red Northwind jacket without hood "


def test_a_brand_whose_name_is_an_ordinary_word_is_not_read() -> None:
    shares = {"northwind": 0.9, "bamboo": 0.02, "obrien": 0.3}

    def share(phrase: str, field: str, values: tuple[str, ...]) -> float:
        return shares[phrase]

    def read(query: str) -> list[tuple[str, bool]]:
        wishes = read_wishes(query, SHOP, "USD", strict_brands=True, share=share)[1]
        return [(wish.said, wish.strict) for wish in wishes]

    assert read("bamboo spoon") == []
    assert read("obrien spoon") == [("obrien", False)]
    assert read("Northwind spoon") == [("Northwind", True)]


def test_a_category_is_read_inside_a_phrase_only_on_evidence() -> None:
    def share(phrase: str, field: str, values: tuple[str, ...]) -> float:
        return {"summer dress": 0.8, "doll dress": 0.1}[phrase]

    assert read_wishes("summer dress", SHOP, "USD")[1] == ()
    assert [w.said for w in read_wishes("summer dress", SHOP, "USD", share=share)[1]] == ["dress"]
    assert read_wishes("doll dress", SHOP, "USD", share=share)[1] == ()


@pytest.mark.parametrize(
    "query",
    ["jacket under $50", "cheap lamp", "drink no sugar", "jacket not red", "red parka", "parka -leather", "便宜的耳机"],
)
def test_a_wish_that_the_shopper_takes_back_is_ordinary_words(query: str) -> None:
    _, wishes = read_wishes(query, SHOP, "USD")
    assert wishes
    rest, left = read_wishes(query, SHOP, "USD", removed=[wish.key for wish in wishes])
    assert (rest, left) == (query, ())


def test_taking_back_one_wish_keeps_the_others() -> None:
    rest, wishes = read_wishes("cheap lamp under $50", BARE, "USD", removed=["cheap:cheap"])
    assert (rest, [w.key for w in wishes]) == ("cheap lamp ", ["price:under $50"])


def test_the_last_word_is_still_open_only_if_it_ended_the_query() -> None:
    assert read_wishes("lamp under $50", BARE, "USD")[0] == "lamp "
    assert read_wishes("under $50 lam", BARE, "USD")[0] == "lam"
    assert read_wishes("under $50", BARE, "USD")[0] == ""


@pytest.mark.parametrize(
    "text", ["Cola sugar free", "Cola sugar-free", "Cola, no sugar", "Cola without sugar", "cola w/o sugar"]
)
def test_titles_and_queries_negate_alike(text: str) -> None:
    assert [negation.words for negation in negated_words(text)] == [("sugar",)]


def test_a_negation_covers_its_cue_and_its_words() -> None:
    (negation,) = negated_words("Café-Sirup ohne Zucker, 1 l", "de")
    assert "Café-Sirup ohne Zucker, 1 l"[negation.start : negation.end] == "ohne Zucker"
    assert "Café-Sirup ohne Zucker, 1 l"[negation.inner : negation.end] == "Zucker"


def test_a_language_narrows_the_cues() -> None:
    assert negated_words("zuckerfrei, sin azúcar", "fr") == []
    assert [n.words for n in negated_words("zuckerfrei, sugar free", "de")] == [("zucker",), ("sugar",)]


@given(st.text(alphabet="no free-$€ 0123456789.,kunderbis无糖元以下ß ", max_size=60))
def test_any_query_is_read_without_fault_and_comes_back_when_all_is_removed(query: str) -> None:
    _, wishes = read_wishes(query, SHOP, "EUR")
    rest, left = read_wishes(query, SHOP, "EUR", removed=[wish.key for wish in wishes])
    assert (rest, left) == (query, ())


def test_a_dead_product_gives_no_values() -> None:
    gone = ShopValues.of(FASHION.without(["p4"]))
    assert read_wishes("bamboo", gone, "USD")[1] == ()


def test_values_of_a_large_shop_are_read_at_once_and_queries_fast() -> None:
    random = np.random.default_rng(7)
    picks = random.integers(0, [3000, 800, 40], (20_000, 3)).tolist()
    columns = Columns.of(
        [product(i, f"Brand {b}", f"Root > Aisle {c}", 100, colour=f"Shade {s}") for i, (b, c, s) in enumerate(picks)],
        range(20_000),
    )
    start = time.perf_counter()
    values = ShopValues.of(columns)
    built = time.perf_counter() - start
    query = "cheap red brand 17 running shoes without laces under $80 size 42"
    read_wishes(query, values, "USD")
    start = time.perf_counter()
    for _ in range(50):
        read_wishes(query, values, "USD")
    assert built < 3
    assert (time.perf_counter() - start) / 50 < 0.02
