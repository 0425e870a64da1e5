"""The command line. What each command takes stands here; the work lies in the modules, loaded when they are needed."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wares.app.asking_cli import asking
from wares.app.backup_cli import backups
from wares.app.bench.commands import bench
from wares.app.bench.service_commands import served
from wares.app.campaigns_cli import campaigns
from wares.app.catalogue_cli import catalogue
from wares.app.commands import screen
from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and, shop_folder
from wares.app.experiments_cli import experiments, exposing
from wares.app.keys_cli import keys
from wares.app.learning_cli import learning
from wares.app.rules_cli import rules
from wares.app.shoppers_cli import shoppers
from wares.app.simulation_cli import simulation
from wares.errors import WaresError


class _Wares(TyperGroup):
    """Faults become one line on stderr and an exit code: 1 = it could not be done, 2 = wrong usage, 130 = stopped."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WaresError as error:
            screen.complain(str(error))
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # whoever read us has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            screen.complain(f"{error.filename or 'The system'}: {error.strerror or error}")
        raise typer.Exit(1)


app = typer.Typer(
    cls=_Wares,
    help="One engine for a shop's search and recommendations. FOLDER is where a shop lives; WARES_SHOP can name it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bench.add_typer(served)
app.add_typer(asking)
app.add_typer(shoppers)
app.add_typer(bench, name="bench")
app.add_typer(catalogue)
app.add_typer(backups)
app.add_typer(learning)
app.add_typer(simulation)
app.add_typer(rules, name="rules")
app.add_typer(experiments, name="experiments")
app.add_typer(exposing)
app.add_typer(campaigns, name="campaigns")
app.add_typer(keys, name="keys")


@app.command()
def demo(
    shop: Annotated[str, typer.Option(help="groceries or gifts")] = "groceries",
    data: Annotated[Path | None, typer.Option(help="gifts: UCI's Online Retail file; groceries: a folder")] = None,
    folder: Annotated[Path | None, typer.Option(help="where the shop is built  [default: shops/NAME]")] = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="serve the storefront after the tour")] = True,
    port: Annotated[int | None, typer.Option(help="of the storefront", min=0, max=65535)] = None,
    learn: Annotated[bool, typer.Option("--learn", help="train the shopper model here, 8 minutes; gets torch")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="to --learn: agree to a large download")] = False,
    life: Annotated[bool, typer.Option("--life", help="let simulated shoppers use it for two minutes")] = False,
    as_json: AsJson = False,
) -> None:
    """Build a demo shop from real purchases, show what it can, and serve it. A second run starts at once."""
    from wares.app.demo.build import run_demo

    options: dict[str, Any] = {"data": data, "folder": folder, "serve_it": serve, "port": port}
    run_demo(shop, **options, as_json=as_json, learn=learn, yes=yes, life=life)


@app.command("import")
def import_(
    folder: Folder = None,
    products: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="repeat for more")] = None,
    events: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="repeat for more")] = None,
    shoppers: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="repeat for more")] = None,
    flat: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="user_id, age, ..., item_id, ..., price; repeat for more")
    ] = None,
    fill: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=WAY", help="a missing value, as age=median; repeat for more")
    ] = None,
    dialect: Annotated[
        str, typer.Option(metavar="NAME", help="of --products or --events, as shopify, ga4; else recognised")
    ] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN,...", help="of --products, as title=Bezeichnung,price=Preis"),
    ] = None,
    market: Annotated[
        str, typer.Option(metavar="NAME", help="of --products: the files are of this market, not of the whole shop")
    ] = "",
    join_logins: Annotated[
        bool | None,
        typer.Option(
            "--join-logins/--no-join-logins",
            help="of --events: with the shoppers' consent, anonymous ones who then log in become known",
            show_default=False,
        ),
    ] = None,
    keep_robots: Annotated[bool, typer.Option("--keep-robots", help="of --events: leave out no robots")] = False,
    drop_equal_lines: Annotated[
        bool, typer.Option("--drop-equal-lines", help="of --events: of lines that say the same only the first counts")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only report, write nothing")] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FOLDER", help="where to put rejected rows")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="write the report and a profile of the data as a page")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read files into a shop, whatever shop system wrote them; makes the shop if there is none. Twice is as once."""
    place = shop_folder(folder)
    if not (products or events or shoppers or flat):
        known = "--products, --events, --shoppers or --flat"
        raise typer.BadParameter(f"Name at least one file with {known}.", param_hint="FILE")
    from wares.app.commands.importing import Feeds, How, import_files
    from wares.app.commands.recognising import show_guesses

    chosen = show_guesses(products or [], dialect, columns or [])
    with screen.progress() as tell:
        feeds = Feeds(products or [], events or [], shoppers or [], flat or [])
        how = How(
            fill or [],
            dialect,
            chosen,
            market=market,
            join_logins=join_logins,
            keep_robots=keep_robots,
            rejects=rejects,
        )
        reports = import_files(place, feeds, how, tell, dry_run=dry_run, page=report)
    if as_json:
        screen.print_json([one.to_dict() for one in reports])
        return
    from wares.app.commands.tables import print_report

    for one in reports:
        print_report(screen.stdout(), one)
        for text in one.notes:
            screen.note(text)


@app.command()
def judge(
    folder: Folder = None,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="judgements to import first; none = ask")] = None,
    lowest: Annotated[float, typer.Option(help="the relevance in FILE that means: worth nothing")] = 0.0,
    k: Annotated[int, typer.Option("-k", "--k", help="places that count for nDCG", min=1, max=100)] = 10,
    relevant: Annotated[
        float | None, typer.Option(help="gain from which recall counts; default 0.65 of the highest")
    ] = None,
    worst: Annotated[int, typer.Option(help="how many of the worst queries to show", min=0)] = 20,
    clear: Annotated[
        bool, typer.Option("--clear", help="forget all judgements, before FILE where one is given")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """How good is the search? Import judgements of products for queries; see nDCG, recall and the worst queries."""
    place, path = shop_and(folder, file)
    from wares.app.commands.judging import judge_shop

    options: dict[str, Any] = {"lowest": lowest, "k": k, "relevant": relevant, "worst_n": worst, "clear": clear}
    judge_shop(place, Path(path) if path else None, **options, as_json=as_json)


@app.command()
def synonyms(
    folder: Folder = None,
    accept: Annotated[str, typer.Option(metavar="N,N", help="add these of the list to the shop's synonyms")] = "",
    write: Annotated[bool, typer.Option("--write", help="add all that are listed")] = False,
    most: Annotated[int, typer.Option(help="how many to list", min=1)] = 30,
    as_json: AsJson = False,
) -> None:
    """Words that may stand for one another in this shop, with what speaks for them. Nothing changes until accepted."""
    place = shop_folder(folder)
    if accept and write:
        raise typer.BadParameter("Either --accept or --write.", param_hint="--accept")
    from wares.app.commands.synonyms import synonyms_of

    synonyms_of(place, accept, write, most, as_json=as_json)


@app.command()
def serve(
    folder: Folder = None,
    host: Annotated[str | None, typer.Option(help="default: as the settings say")] = None,
    port: Annotated[int | None, typer.Option(help="0 = any free one", min=0, max=65535)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="say where it serves as JSON")] = False,
) -> None:
    """Serve the storefront and the HTTP API until Ctrl-C."""
    place = shop_folder(folder)
    from wares.app.web.serve import serve as serve_shop

    serve_shop(place, host=host, port=port, as_json=as_json)


@app.command()
def doctor(
    folder: Folder = None,
    backups: Annotated[
        Path | None, typer.Option(help="where `wares backup` puts its copies: look at the newest")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Is everything in order: the machine, the encoder, the shop? Exit code 1 if there is a problem."""
    place = shop_folder(folder) if folder or os.environ.get("WARES_SHOP") else None
    from dataclasses import asdict

    from wares.app.commands.doctor import examine

    findings = []
    for finding in examine(place, backups):
        findings.append(finding)
        if not as_json:
            colour = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "problem": typer.colors.RED}
            mark = typer.style(f"{finding.state:<8}", fg=colour[finding.state])
            typer.echo(f"{mark} {finding.what}: {screen.shown(finding.found)}")
            if finding.advice:
                typer.echo(f"         -> {screen.shown(finding.advice)}")
    if as_json:
        screen.print_json([asdict(finding) for finding in findings])
    raise typer.Exit(int(any(finding.state == "problem" for finding in findings)))


def main() -> None:
    """What the `wares` command calls.

    One thread per matrix product: requests and tests run side by side, and the many small solves of ALS are ten times
    slower when threads share each of them.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded
    app(prog_name="wares")
