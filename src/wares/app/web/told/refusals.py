"""What is refused before or beside the engine: an HTTP error with a stable code of its own."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from wares.app.web.told.problems import problem


class Refused(HTTPException):
    """`Refused(403, "confined", "...")`. Raised by routes and by the gate; `more` are further fields of the problem."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(status, detail, headers)
        self.code, self.more = code, more

    def answer(self) -> JSONResponse:
        """The problem document."""
        told = problem(self.status_code, self.code, str(self.detail), **self.more)
        told.headers.update(self.headers or {})
        return told
