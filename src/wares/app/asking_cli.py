"""The commands that ask a shop: search, suggest, browse, recommend, similar."""

from typing import Annotated, Any

import typer

from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and, shop_folder

asking = typer.Typer()

Shopper = Annotated[str | None, typer.Option(help="id of who asks", show_default=False)]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="FIELD=VALUE", help='as brand="Store brand"; repeat for more; != excludes'),
]
Price = Annotated[str, typer.Option(metavar="LOW..HIGH", help="in whole currency units; one side may be open")]
Facets = Annotated[list[str] | None, typer.Option("--facet", metavar="FIELD", help="count its values; repeat for more")]
Sort = Annotated[str, typer.Option(help="relevance, price, -price, newest or best_selling")]
Many = Annotated[int, typer.Option("-k", help="hits on one page, 1 to 1000")]
Cursor = Annotated[str, typer.Option(help="of an earlier answer of the same process")]
InMarket = Annotated[
    str, typer.Option("--market", metavar="NAME", help="of the settings: whose prices, stock and language")
]
Explain = Annotated[bool, typer.Option("--explain", help="how the query was read, and what each score is made of")]


@asking.command()
def search(
    folder: Folder = None,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="words", show_default=False)] = None,
    shopper: Shopper = None,
    filters: Filters = None,
    price: Price = "",
    facet: Facets = None,
    sort: Sort = "relevance",
    k: Many = 10,
    cursor: Cursor = "",
    as_typed: Annotated[bool, typer.Option("--as-typed", help="do not correct the query")] = False,
    without: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="a wish not to read in it; repeat for more")
    ] = None,
    explain: Explain = False,
    market: InMarket = "",
    as_json: AsJson = False,
) -> None:
    """Products for words."""
    place, words = shop_and(folder, query, "QUERY")
    from wares.app.commands.asking import ask, filters_of

    options: dict[str, Any] = {"shopper": shopper, "filters": filters_of(filters or [], price), "facets": facet}
    options |= {"sort": sort, "k": k, "cursor": cursor, "explain": explain, "market": market}
    options |= {"as_typed": as_typed, "without_wishes": without or []}
    ask(place, lambda shop: shop.search(words, **options), market=market, as_json=as_json)


@asking.command()
def suggest(
    folder: Folder = None,
    prefix: Annotated[str | None, typer.Argument(metavar="PREFIX", help="typed so far; none = the most wanted")] = None,
    k: Annotated[int, typer.Option("-k", help="how many, 1 to 100", min=1, max=100)] = 8,
    as_json: AsJson = False,
) -> None:
    """How what is being typed into the search box may go on."""
    place, typed = shop_and(folder, prefix)
    from wares.app.commands.suggesting import suggest_for

    suggest_for(place, typed, k, as_json=as_json)


@asking.command()
def browse(
    folder: Folder = None,
    category: Annotated[str | None, typer.Argument(metavar="CATEGORY", help='"Food > Bread"; none = all')] = None,
    shopper: Shopper = None,
    filters: Filters = None,
    price: Price = "",
    facet: Facets = None,
    sort: Sort = "relevance",
    k: Many = 10,
    cursor: Cursor = "",
    explain: Explain = False,
    market: InMarket = "",
    as_json: AsJson = False,
) -> None:
    """All products, or those of a category."""
    place, path = shop_and(folder, category)
    from wares.app.commands.asking import ask, filters_of

    options: dict[str, Any] = {"shopper": shopper, "filters": filters_of(filters or [], price), "facets": facet}
    options |= {"sort": sort, "k": k, "cursor": cursor, "explain": explain, "market": market}
    ask(place, lambda shop: shop.browse(path, **options), market=market, as_json=as_json)


@asking.command()
def recommend(
    folder: Folder = None,
    shopper: Shopper = None,
    surface: Annotated[str, typer.Option(help="any profile of the settings")] = "home",
    seed: Annotated[list[str] | None, typer.Option(metavar="ID", help="a product in the cart; repeat for more")] = None,
    filters: Filters = None,
    price: Price = "",
    k: Many = 10,
    explain: Explain = False,
    market: InMarket = "",
    as_json: AsJson = False,
) -> None:
    """Products for a shopper, without words."""
    place = shop_folder(folder)
    from wares.app.commands.asking import ask, filters_of

    options: dict[str, Any] = {"seeds": seed or [], "filters": filters_of(filters or [], price), "k": k}
    options |= {"surface": surface, "explain": explain, "market": market}
    ask(place, lambda shop: shop.recommend(shopper, **options), market=market, as_json=as_json)


@asking.command()
def similar(
    folder: Folder = None,
    product: Annotated[str | None, typer.Argument(metavar="PRODUCT", help="its id", show_default=False)] = None,
    surface: Annotated[str, typer.Option(help="similar or bought_together")] = "similar",
    k: Many = 10,
    explain: Explain = False,
    market: InMarket = "",
    as_json: AsJson = False,
) -> None:
    """Products like one, or those that go with it."""
    place, product_id = shop_and(folder, product, "PRODUCT")
    from wares.app.commands.asking import ask

    options: dict[str, Any] = {"surface": surface, "k": k, "explain": explain, "market": market}
    ask(place, lambda shop: shop.similar(product_id, **options), market=market, as_json=as_json)
