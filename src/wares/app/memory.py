"""How much memory this process and its children took at most."""

import sys


def peak_memory_mb() -> float | None:
    """The peaks of this process and of its largest finished child added up: never too little. None = not known."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(sum(peaks) / unit, 1)
