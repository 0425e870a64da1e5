"""What each `wares bench` command takes; the work lies in the modules beside this one, loaded when they are needed."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.bench.options import listed, show
from wares.app.commands import screen
from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_folder
from wares.errors import UnknownName

bench = typer.Typer(help="Measure, and print the figures.", no_args_is_help=True)


@bench.command("shop")
def bench_shop(
    folder: Annotated[str | None, typer.Argument(metavar="FOLDER", help="a demo shop; none = one is built")] = None,
    only: Annotated[str, typer.Option(metavar="A,B", help="these parts alone; an unknown one lists them")] = "",
    data: Annotated[Path | None, typer.Option(help="folder with the Complete Journey's files")] = None,
    queries: Annotated[int, typer.Option(help="of `agreement`", min=1)] = 10_000,
    kills: Annotated[int, typer.Option(help="of `kills`", min=1)] = 40,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Speed and correctness of one shop, by default of a demo shop built for it."""
    from wares.app.bench.figures import bench_figures

    place = Path(folder) if folder else None
    with screen.progress() as tell:
        figures = bench_figures(place, only=listed(only), data=data, queries=queries, kills=kills, seed=seed, tell=tell)
    show(figures, as_json)


@bench.command("search")
def bench_search(
    data: Annotated[Path, typer.Option(help="folder with products.parquet and judgements.parquet")],
    test: Annotated[Path | None, typer.Option(help="judgements of other queries: learn from all, report these")] = None,
    lowest: Annotated[float, typer.Option(help="the relevance that is worth nothing")] = 1.0,
    folds: Annotated[int, typer.Option(help="of cross-validation", min=2)] = 5,
    ask: Annotated[int, typer.Option(help="of the folds ask only so many; 0 = all", min=0)] = 0,
    settings: Annotated[Path | None, typer.Option(help="a wares.toml to try instead of the defaults")] = None,
    rivals: Annotated[str, typer.Option(metavar="A,B", help="other engines beside it; 'none' = only wares")] = "",
    cache: Annotated[Path | None, typer.Option(help="where vectors are kept between runs")] = None,
    run: Annotated[Path | None, typer.Option(help="write what was ranked: query, product_id, rank, score")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """How good and how fast search is on judged queries, beside other engines in the same run."""
    from wares.app.bench.engines.all import ENGINES
    from wares.app.bench.search import cache_folder, search_figures

    chosen = listed(rivals) or list(ENGINES)
    for name in chosen:
        if name not in ENGINES and chosen != ["none"]:
            raise UnknownName("engine", name, [*ENGINES, "none"])
    with screen.progress() as tell:
        figures = search_figures(
            data, test=test, lowest=lowest, n_folds=folds, ask_folds=min(ask, folds), settings=settings,
            rivals=[] if chosen == ["none"] else chosen,
            cache=cache or cache_folder(data), run=run, seed=seed, tell=tell,
        )  # fmt: skip
    show(figures, as_json)


@bench.command("ablation")
def bench_ablation(
    data: Annotated[Path, typer.Option(help="folder with products.parquet and judgements.parquet")],
    lowest: Annotated[float, typer.Option(help="the relevance that is worth nothing")] = 1.0,
    folds: Annotated[int, typer.Option(help="of cross-validation", min=2)] = 5,
    ask: Annotated[int, typer.Option(help="of the folds ask only so many; 0 = all", min=0)] = 1,
    only: Annotated[str, typer.Option(metavar="A,B", help="these parts alone; an unknown one lists them")] = "",
    cache: Annotated[Path | None, typer.Option(help="where vectors are kept between runs")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """What each part of search adds to its quality, and what it costs: the shop learns and answers without it."""
    from wares.app.bench.ablation import WITHOUT, ablation_figures
    from wares.app.bench.search import cache_folder

    chosen = tuple(one.strip() for one in only.split(",") if one.strip())
    for name in chosen:
        if name not in WITHOUT:
            raise UnknownName("part", name, WITHOUT)
    with screen.progress() as tell:
        figures = ablation_figures(
            data, lowest=lowest, n_folds=folds, ask_folds=min(ask, folds), only=chosen,
            cache=cache or cache_folder(data), seed=seed, tell=tell,
        )  # fmt: skip
    if as_json:
        screen.print_json(figures)
        return
    from wares.app.commands.tables import print_figures

    print_figures(screen.stdout(), figures)


@bench.command("recommend")
def bench_recommend(
    data: Annotated[Path, typer.Option(help="lines 'user item item ...', oldest first")],
    items: Annotated[Path | None, typer.Option(help="a table with item_id, text and attributes")] = None,
    seeds: Annotated[int, typer.Option(help="rows that use chance are fitted so often", min=1)] = 1,
    only: Annotated[str, typer.Option(metavar="A,B", help="these rows alone; an unknown one lists them")] = "",
    ties: Annotated[
        str, typer.Option(metavar="COLUMN", help="of the items, by which those of one day are sorted")
    ] = "",
    ablation: Annotated[
        bool, typer.Option("--ablation", help="also: what each part of wares adds, and the MLP head")
    ] = False,
    train_only: Annotated[bool, typer.Option("--train-only", help="without the table of train + validation")] = False,
    run: Annotated[Path | None, typer.Option(help="write what was ranked: user, item, rank, score")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write quality over cost as charts")] = None,
    cache: Annotated[Path | None, typer.Option(help="where vectors and rows that are done are kept")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Who foresees each user's last item best, leave-one-out on a file of sequences."""
    from wares.app.bench.recommend import chosen_rows, recommend_figures
    from wares.app.bench.recommend_plot import print_recommend, recommend_html
    from wares.app.bench.recommend_rows import ABLATION, ROWS
    from wares.app.bench.search import cache_folder

    named = listed(only)
    rows = chosen_rows((*ROWS, *ABLATION) if ablation or named else ROWS, named)
    with screen.progress() as tell:
        figures = recommend_figures(
            data, items=items, rows=rows, seeds=seeds, seed=seed, ties=ties, run=run,
            cache=cache or cache_folder(data), train_only=train_only, tell=tell,
        )  # fmt: skip
    if plot is not None:
        plot.write_text(recommend_html(figures), encoding="utf-8")
    if as_json:
        screen.print_json(figures)
        return
    print_recommend(screen.stdout(), figures)


@bench.command("cases")
def bench_cases(
    data: Annotated[Path, typer.Option(help="folder with products.jsonl and cases.jsonl")],
    language: Annotated[str, typer.Option(help="of the shop")] = "zh",
    as_json: AsJson = False,
) -> None:
    """Queries whose first hits must hold some products and not others."""
    from wares.app.bench.cases import case_figures

    with screen.progress() as tell:
        figures = case_figures(data, language, tell)
    show(figures, as_json)


@bench.command("personal")
def bench_personal(
    folder: Folder = None,
    days: Annotated[int, typer.Option(help="how many last days are to be foreseen", min=1)] = 28,
    earlier: Annotated[int, typer.Option(help="this many windows before the last, for choosing settings", min=0)] = 0,
    shoppers: Annotated[int, typer.Option(help="who are asked about", min=1)] = 600,
    questions: Annotated[int, typer.Option(help="of one kind and shopper, at most", min=1)] = 3,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Does search find better what shoppers bought next when it knows them, and what does that cost?"""
    place = shop_folder(folder)
    from wares.app.bench.personal import personal_figures
    from wares.shop import open_shop

    with open_shop(place, create=False) as shop, screen.progress() as tell:
        figures = personal_figures(
            shop, days=days, earlier=earlier, n_shoppers=shoppers, per_shopper=questions, seed=seed, tell=tell
        )
    show(figures, as_json)


@bench.command("cold")
def bench_cold(
    folder: Folder = None,
    days: Annotated[int, typer.Option(help="how many last days are to be foreseen", min=1)] = 28,
    earlier: Annotated[int, typer.Option(help="this many windows before the last, for choosing settings", min=0)] = 0,
    seeds: Annotated[int, typer.Option(help="rows that use chance are fitted so often", min=1)] = 3,
    only: Annotated[str, typer.Option(metavar="A,B", help="these rows alone; an unknown one lists them")] = "",
    run: Annotated[Path | None, typer.Option(help="write what was ranked: shopper, product, rank, score")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Who finds the buyers of products that nobody has touched yet?"""
    place = shop_folder(folder)
    from wares.app.bench.cold import chosen_rows, cold_figures, print_cold
    from wares.app.bench.cold_rows import ROWS
    from wares.engine.settings import load_settings

    with screen.progress() as tell:
        figures = cold_figures(
            place, load_settings(place), days=days, earlier=earlier, rows=chosen_rows(ROWS, listed(only)),
            seeds=seeds, seed=seed, run=run, tell=tell,
        )  # fmt: skip
    if as_json:
        screen.print_json(figures)
        return
    print_cold(screen.stdout(), figures)


@bench.command("scale")
def bench_scale(
    sizes: Annotated[str, typer.Option(metavar="N,N", help="numbers of products")] = "10000,100000,1000000",
    queries: Annotated[int, typer.Option(help="searches of each size", min=1)] = 300,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write the growth as charts")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """How time, memory and disk grow with the number of products, in shops made by rule."""
    from wares.app.bench.scale import scale_figures
    from wares.app.bench.scale_plot import print_scale, scale_html

    if not all(one.strip().isdecimal() for one in sizes.split(",")):
        raise typer.BadParameter("Numbers of products, separated by commas.", param_hint="--sizes")
    with screen.progress() as tell:
        figures = scale_figures([int(one) for one in sizes.split(",")], queries=queries, seed=seed, tell=tell)
    if plot is not None:
        plot.write_text(scale_html(figures), encoding="utf-8")
    if as_json:
        screen.print_json(figures)
        return
    print_scale(screen.stdout(), figures)


@bench.command("sequence")
def bench_sequence(
    sizes: Annotated[str, typer.Option(metavar="N,N", help="numbers of products")] = "10000,100000,1000000",
    dimension: Annotated[int, typer.Option(help="of u and v", min=8)] = 128,
    requests: Annotated[int, typer.Option(help="answers that are timed", min=1)] = 2_000,
    seconds: Annotated[float, typer.Option(help="of training for each size", min=1.0)] = 20.0,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write the growth as charts")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """What the shopper model costs by the number of products, and how fast it answers on one thread."""
    from wares.app.bench.sequence_cost import sequence_figures
    from wares.app.bench.sequence_plot import print_sequence, sequence_html

    if not all(one.strip().isdecimal() for one in sizes.split(",")):
        raise typer.BadParameter("Numbers of products, separated by commas.", param_hint="--sizes")
    wanted = [int(one) for one in sizes.split(",")]
    with screen.progress() as tell:
        figures = sequence_figures(
            wanted, dimension=dimension, requests=requests, seconds=seconds, seed=seed, tell=tell
        )
    if plot is not None:
        plot.write_text(sequence_html(figures), encoding="utf-8")
    if as_json:
        screen.print_json(figures)
        return
    print_sequence(screen.stdout(), figures)


@bench.command("missing")
def bench_missing(
    data: Annotated[Path | None, typer.Option(help="folder with the Complete Journey's files; else fetched")] = None,
    share: Annotated[float, typer.Option(help="of what is known that is hidden", min=0.01, max=0.9)] = 0.2,
    seeds: Annotated[int, typer.Option(help="how often it is hidden", min=1)] = 5,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Which way to fill missing values errs least? Known demographics are hidden and filled in each way."""
    from wares.app.bench.missing import missing_figures, print_missing

    with screen.progress() as tell:
        figures = missing_figures(data, share=share, seeds=seeds, seed=seed, tell=tell)
    if as_json:
        screen.print_json(figures)
        return
    print_missing(screen.stdout(), figures)


@bench.command("feeds")
def bench_feeds(
    products: Annotated[int, typer.Option(help="of the feed that is imported", min=1_000)] = 1_000_000,
    events: Annotated[int, typer.Option(help="of the log that is imported", min=1_000)] = 10_000_000,
    answering: Annotated[int, typer.Option(help="products of the shop that is asked while it changes", min=1_000)] = (
        100_000
    ),
    changes: Annotated[int, typer.Option(help="of price and stock", min=1_000)] = 50_000,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """How fast and in how much memory feeds are imported, and how soon an answer shows what has changed."""
    from wares.app.bench.feeds import feed_figures

    with screen.progress() as tell:
        figures = feed_figures(
            products=products, events=events, answering=answering, changes=changes, seed=seed, tell=tell
        )
    show(figures, as_json)


@bench.command("clicks")
def bench_clicks(
    queries: Annotated[int, typer.Option(help="of each made-up shop", min=2)] = 60,
    sessions: Annotated[int, typer.Option(help="of each made-up shop", min=100)] = 30_000,
    swaps: Annotated[float, typer.Option(help="share of the first 10 hits that are exchanged", min=0.0, max=0.5)] = 0.1,
    steepness: Annotated[float, typer.Option(help="the place p is looked at with chance p ** -steepness")] = 1.0,
    seeds: Annotated[int, typer.Option(help="how many shops", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Can an order be learnt from clicks? On made-up shoppers whose wishes are known."""
    from wares.app.bench.clicks import click_figures

    with screen.progress() as tell:
        figures = click_figures(
            queries=queries, sessions=sessions, swaps=swaps, steepness=steepness, seeds=seeds, tell=tell
        )
    show(figures, as_json)


@bench.command("off-policy")
def bench_off_policy(
    data: Annotated[Path, typer.Option(help="the wheel of the package obp, or the data set's folder")],
    as_json: AsJson = False,
) -> None:
    """What one policy earned, estimated from the log of another, on Open Bandit."""
    from wares.app.bench.off_policy import off_policy_figures

    figures = off_policy_figures(data)
    show(figures, as_json)
