"""Options that many commands take."""

from typing import Annotated

import typer

Folder = Annotated[str | None, typer.Argument(metavar="FOLDER", help="the shop's folder", show_default=False)]
File = Annotated[str | None, typer.Argument(metavar="FILE", help="what it is: TOML", show_default=False)]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="who does it; kept with the change")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="why; kept with the change")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, nothing else")]
