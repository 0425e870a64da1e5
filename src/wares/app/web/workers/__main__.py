"""`python -m wares.app.web.workers FOLDER`: one process that answers, deaf to Ctrl-C from its first moment on."""

import signal
from importlib import import_module


def main() -> None:
    """Ctrl-C and SIGTERM, sent to all, are for the serving process, which then closes the input. What takes a second
    to import comes after that, else each process would end with a traceback."""
    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, signal.SIG_IGN)
    import_module("wares.app.web.workers.worker").main()


if __name__ == "__main__":
    main()
