"""The version, as installed."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("wares")
except PackageNotFoundError:  # run from a source tree that was not installed
    VERSION = "0+source"
