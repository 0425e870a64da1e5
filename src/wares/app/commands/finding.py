"""What the doctor says of one thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice` says what to do; "" where all is well."""

    state: State
    what: str
    found: str
    advice: str = ""
