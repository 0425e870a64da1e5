"""Static files of the service's own pages."""

from typing import Any

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles


class FreshFiles(StaticFiles):
    """Files that browsers ask about again (by ETag), so that an upgrade shows at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["cache-control"] = "no-cache"
        return answer
