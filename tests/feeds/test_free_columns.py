"""Columns that nobody described: guessed from names and values, in four languages, and told before they are used."""

# ruff: noqa: E501 (a line of a feed is a line here)

from pathlib import Path

import pytest
from messy_products import noted, read_feed, told

from wares.errors import UnknownName
from wares.feeds.dialects.free_columns import Guess, guess_columns, plain_name, suffices
from wares.feeds.products import read_products

GERMAN = """
Artikel-Nr.;Bezeichnung;Beschreibung;Hersteller;Warengruppe;EK-Preis;Preis (EUR);Lagerbestand;Lieferbar;Bild-URL;Angelegt am;Farbe
T-1;Grüner Tee;"<p>Aus &Uuml;bersee</p>";Leaf;Essen / Getränke / Tee;1,10;3,50;12;ja;https://s.example/t.jpg;31.01.2026;grün
T-2;Schwarzer Tee;;Leaf;Essen / Getränke / Tee;1,00;1.299,00 €;-1;ausverkauft;https://s.example/s.jpg;1.2.2026;
;Ohne Nummer;;Leaf;Essen;1;2,00;1;ja;;;
T-4;Kräutertee;;;Essen;1;auf Anfrage;viele;jein;;irgendwann;unbekannt
T-4;Kräutertee lose;;;Essen;1;2,00 USD;3;nein;;;
"""
FRENCH = """
Référence|Désignation|Prix TTC|Marque|Catégorie|Quantité|Disponibilité
R1|Thé vert|3,50 €|Feuille|Épicerie > Thé|12|en stock
R2|Thé noir|1 299,00 €|Feuille|Épicerie > Thé|0|rupture de stock
"""
CHINESE = """
商品编号,商品名称,品牌,分类,原价,售价,库存,是否有货,主图
100,绿茶,茶叶坊,食品 > 茶,20,¥12.50,12,有货,https://s.example/1.jpg
101,红茶,茶叶坊,食品 > 茶,30,15元,0,缺货,https://s.example/2.jpg
"""
NAMELESS = """
c1,c2,c3,Title,c5
A-1,https://s.example/1.jpg,12.50,Green tea from the hills,https://s.example/p/1
A-2,https://s.example/2.jpg,9.99,Black tea of the valley,https://s.example/p/2
"""


def test_german_columns_are_guessed_and_every_fault_is_told(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "artikel.csv", GERMAN, currency="CHF")
    assert list(products) == ["T-1", "T-2", "T-4"]
    assert told(report.rejections) == {"no id": [(4, "Artikel-Nr.", "")]}
    assert told(report.repairs) == {
        "HTML in the description: its text": [(2, "Beschreibung", "<p>Aus &Uuml;bersee</p>")],
        "negative stock: 0": [(3, "Lagerbestand", "-1")],
        "price is no amount: unknown": [(5, "Preis (EUR)", "auf Anfrage")],
        "stock is no number: not counted": [(5, "Lagerbestand", "viele")],
        "unclear availability: available": [(5, "Lieferbar", "jein")],
        "published is no date: unknown": [(5, "Angelegt am", "irgendwann")],
        "two currencies: that of the price": [(6, "Preis (EUR)", "EUR")],
        "repeated id: the last row counts": [(6, "Artikel-Nr.", "T-4")],
    }
    tea, black = products["T-1"], products["T-2"]
    assert (tea.title, tea.description, tea.brand) == ("Grüner Tee", "Aus Übersee", "Leaf")
    assert tea.category == ("Essen", "Getränke", "Tee")
    assert (tea.price_minor, tea.currency, black.price_minor) == (350, "EUR", 129900)
    assert (tea.available, black.available) == (True, False)
    assert (tea.published_ms, black.published_ms) == (1_769_817_600_000, 1_769_904_000_000)
    assert tea.attributes == {"Farbe": ("grün",)}
    assert tea.cost_minor == 110  # what the shop pays is nobody's attribute
    assert noted(report, "Read as free")
    assert noted(report, "'Bezeichnung' was read as title (its name: bezeichnung)")


def test_french_columns_and_pipes_are_understood(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "articles.csv", FRENCH, currency="USD")
    green, black = products["R1"], products["R2"]
    assert (green.title, green.brand, green.category) == ("Thé vert", "Feuille", ("Épicerie", "Thé"))
    assert (green.price_minor, black.price_minor, black.currency) == (350, 129900, "EUR")
    assert (green.sellable, black.available) == (True, False)
    assert not report.repairs and not report.rejections


def test_chinese_columns_are_understood_and_the_old_price_is_no_price(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "商品.csv", CHINESE, currency="CNY")
    green, red = products["100"], products["101"]
    assert (green.title, green.brand, green.category) == ("绿茶", "茶叶坊", ("食品", "茶"))
    assert (green.price_minor, red.price_minor, red.currency) == (1250, 1500, "CNY")
    assert (green.sellable, red.available) == (True, False)
    assert green.attributes == {"原价": ("20",)}
    assert not report.repairs


def test_columns_without_names_are_guessed_from_their_values(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "x.csv", NAMELESS)
    tea = products["A-1"]
    assert (tea.title, tea.price_minor) == ("Green tea from the hills", 1250)
    assert (tea.image_url, tea.url) == ("https://s.example/1.jpg", "https://s.example/p/1")
    assert noted(report, "'c1' was read as id (values: short and all different)")


def test_a_person_puts_guesses_right(tmp_path: Path) -> None:
    chosen = {"title": "c5", "id": "Title"}
    products, report = read_feed(tmp_path, "x.csv", NAMELESS, columns=chosen)
    assert products["Green tea from the hills"].title == "https://s.example/p/1"
    assert noted(report, "'c5' was read as title (as you said)")


def test_every_column_is_told_with_what_it_is_taken_for() -> None:
    rows = [{"SKU": "a", "Produktname": "Tee", "UVP": "3", "Leer": ""}, {"SKU": "b", "Produktname": "Brot", "UVP": "4"}]
    assert guess_columns(rows) == (
        Guess("SKU", "id", "its name: sku"),
        Guess("Produktname", "title", "its name: produktname"),
        Guess("UVP", "", "a price that is not what shoppers pay"),
        Guess("Leer", "", "nothing in it"),
    )
    assert suffices(guess_columns(rows))
    assert not suffices(guess_columns([{"x": "1", "y": "words here"}, {"x": "2", "y": "other words"}]))


def test_a_column_whose_values_cannot_be_prices_is_none() -> None:
    guesses = guess_columns([{"id": "1", "name": "Tea", "price": "on request", "Title": "x"}])
    assert [guess.field for guess in guesses] == ["id", "", "", "title"]
    assert [guess.why for guess in guesses][1:3] == [
        "'Title' is the title already",
        "called 'price', but its values are no price",
    ]


@pytest.mark.parametrize(
    ("column", "name"), [("Verkaufs-Preis (€)", "verkaufs preis"), ("Größe", "grosse"), ("productName", "product name")]
)
def test_names_are_compared_without_case_accents_and_signs(column: str, name: str) -> None:
    assert plain_name(column) == name


def test_own_columns_stay_own_unless_a_foreign_name_says_title_or_price(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "own.csv", "id,title,colour,name\n1,Tea,green,x\n")
    assert products["1"].attributes == {"colour": ("green",), "name": ("x",)}
    assert not report.notes
    text = "id,title,category,gtin,product_type,fit\n1,Shirt,Clothes,4006381333931,x,slim\n"
    products, report = read_feed(tmp_path, "like-google.csv", text)
    assert products["1"].category == ("Clothes",)
    assert products["1"].attributes == {"gtin": ("4006381333931",), "product_type": ("x",), "fit": ("slim",)}
    products, report = read_feed(tmp_path, "mixed.csv", 'id,name,Preis\n1,Tea,"2,50"\n')
    assert (products["1"].title, products["1"].price_minor) == ("Tea", 250)
    assert noted(report, "Read as free")


def test_columns_that_say_nothing_are_rejected_with_a_word_how_to_name_them(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "x.csv", "a,b\n1,2\n3,4\n")
    assert not products
    assert report.rejected_by_reason == {"no id": 2}
    assert noted(report, "--columns id=..,title=..")


def test_an_unknown_dialect_field_or_column_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'shopify'.*woocommerce"):
        read_products([], now_ms=0, dialect="shopfy")
    with pytest.raises(UnknownName, match="image_url"):
        read_products([], now_ms=0, columns={"picture": "x"})
    with pytest.raises(UnknownName, match="c1, c2"):
        read_feed(tmp_path, "x.csv", NAMELESS, columns={"title": "c9"})


def test_a_dialect_can_be_named_and_its_columns_put_right(tmp_path: Path) -> None:
    feed = "id,title,availability,price,Preis\n1,Tea,in stock,3,2\n"
    products, report = read_feed(tmp_path, "x.csv", feed, dialect="wares", columns={"price": "Preis"})
    assert products["1"].price_minor == 200
    assert not noted(report, "Read as")
    products, report = read_feed(tmp_path, "x.csv", feed, columns={"price": "Preis"})
    assert products["1"].price_minor == 200
    assert noted(report, "Read as google-merchant")


def test_rows_of_a_program_are_own_unless_a_dialect_is_named() -> None:
    rows = [{"Handle": "tea", "Title": "Tea", "Variant SKU": "t", "Variant Price": "3"}]
    assert not list(read_products(rows, now_ms=0))
    (tea,) = read_products(rows, now_ms=0, dialect="shopify")
    assert (tea.id, tea.price_minor) == ("t", 300)


def test_a_chosen_column_counts_before_another_name_of_its_field(tmp_path: Path) -> None:
    feed = "id,product_id,title\n1,p1,Tea\n"
    assert list(read_feed(tmp_path, "x.csv", feed, columns={"id": "id"})[0]) == ["1"]
