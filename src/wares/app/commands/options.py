"""Options that many commands take."""

from typing import Annotated

import typer

Folder = Annotated[str | None, typer.Argument(metavar="FOLDER", help="the shop's folder", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, nothing else")]
