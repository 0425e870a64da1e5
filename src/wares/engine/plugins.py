"""A shop's own sources, rankers and policies: classes in Python files of the shop's folder."""

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from wares.contracts import Policy, Ranker, Source
from wares.errors import SettingsError, UnknownName

_KINDS = {"source": ("name", "score", "reason"), "policy": ("name", "arrange"), "ranker": ("score",)}


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins of a shop by the names that its profiles use."""

    sources: dict[str, Source] = field(default_factory=dict)
    rankers: dict[str, Ranker] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)


def load_plugins(folder: Path, specs: Mapping[str, str]) -> Plugins:
    """All of [plugins]: name -> "file.py:ClassName". A class is made without arguments; what it can do says what it is.

    A Source has name, score and reason, a Policy name and arrange, a Ranker score. SettingsError for anything else.
    """
    plugins = Plugins()
    for name, spec in specs.items():
        plugin = load_plugin(folder, spec)
        own_name = getattr(plugin, "name", name)
        if own_name != name:
            raise SettingsError(f"plugins.{name}: {spec} calls itself {own_name!r}. Use one name in both places.")
        kind = _kind_of(plugin)
        if kind == "source":
            plugins.sources[name] = plugin
        elif kind == "policy":
            plugins.policies[name] = plugin
        elif kind == "ranker":
            plugins.rankers[name] = plugin
        else:
            wanted = "; ".join(f"a {kind}: {', '.join(members)}" for kind, members in _KINDS.items())
            raise SettingsError(f"plugins.{name}: {spec} is no plugin. It needs the members of {wanted}.")
    return plugins


def load_plugin(folder: Path, spec: str) -> Any:
    """An instance of the class that `spec` ("file.py:ClassName") names in the shop's folder.

    Its code runs with all rights of this process: only the shopkeeper should be able to write to the folder.
    """
    file_name, _, class_name = spec.partition(":")
    if not file_name.endswith(".py") or not class_name.isidentifier():
        raise SettingsError(f"The plugin {spec!r} cannot be read. It must look like 'file.py:ClassName'.")
    path = (folder / file_name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SettingsError(f"The plugin {spec!r} lies outside the shop's folder {folder}. Move its file there.")
    if not path.is_file():
        raise SettingsError(f"The plugin {spec!r} needs the file {path}, which is not there.")
    module = _module(path)
    plugin_class = getattr(module, class_name, None)
    if not isinstance(plugin_class, type):
        own = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise SettingsError(f"{path}: {UnknownName('class', class_name, own)}")
    try:
        return plugin_class()
    except Exception as error:
        raise SettingsError(f"{path}: {class_name}() failed: {type(error).__name__}: {error}") from error


def _module(path: Path) -> ModuleType:
    name = f"wares_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{path}: Python cannot import this file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise SettingsError(f"{path}{line}: the plugin cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _kind_of(plugin: object) -> str | None:
    return next((kind for kind, members in _KINDS.items() if all(hasattr(plugin, m) for m in members)), None)
