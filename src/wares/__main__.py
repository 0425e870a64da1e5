"""`python -m wares`."""

from wares.app.cli import main

if __name__ == "__main__":
    main()
