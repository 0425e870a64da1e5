"""The running experiments as a process that answers follows them: who gets which variant."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path

from wares.engine.experiments.book import BUCKETS, Experiment, ExperimentBook
from wares.engine.experiments.settings import CONTROL, VariantSettings, faults_in, profile_of
from wares.engine.profile import Profile
from wares.engine.settings import Settings
from wares.engine.stages import Walk
from wares.errors import WaresError


@dataclass(frozen=True)
class Running:
    """One running experiment, ready to serve. `walks` has every variant: control's is as the surface's own, but does
    not share its kept answers, which would make it look faster than the others."""

    experiment: str
    kind: str
    salt: bytes
    names: tuple[str, ...]
    ends: tuple[float, ...]  # (n,) growing: where each variant's part of [0, 1] ends
    walks: Mapping[str, Walk]

    def variant_of(self, whose: bytes) -> str:
        """The variant of the shopper with this hash: always the same, and independent of all other experiments."""
        drawn = blake2b(whose, digest_size=8, key=self.salt, person=b"variant").digest()
        place = bisect_right(self.ends, int.from_bytes(drawn, "big") / 2**64)
        return self.names[min(place, len(self.names) - 1)]

    @property
    def other(self) -> str:
        """The variant of an interleaving experiment that is not control."""
        return next(name for name in self.names if name != CONTROL)


def bucket_of(surface: str, whose: bytes) -> int:
    """In [0, BUCKETS): the part of a surface's shoppers that the one with this hash belongs to."""
    drawn = blake2b(whose, digest_size=8, key=surface.encode()[:64], person=b"layer").digest()
    return int.from_bytes(drawn, "big") % BUCKETS


class ServingExperiments:
    """`walk_of` makes a walk of a variant's profile; `warn` is told of what cannot be used: it gets control."""

    def __init__(
        self, shop_folder: Path, settings: Settings, walk_of: Callable[[Profile], Walk], warn: Callable[[str], None]
    ) -> None:
        self._book, self._settings = ExperimentBook(shop_folder), settings
        self._walk_of, self._warn = walk_of, warn
        self._layers: Mapping[str, tuple[Running | None, ...]] = {}
        self.looked_for = 0
        self.follow()

    def follow(self) -> None:
        """Take up what was started or stopped since."""
        if (last := self._book.last()) == self.looked_for:
            return
        experiments, warnings = self._book.read()
        layers = dict[str, list[Running | None]]()
        for one in experiments:
            if one.running and (running := self._running(one, warnings)) is not None:
                layer = layers.setdefault(one.file.surface, [None] * BUCKETS)
                for low, high in one.buckets:
                    layer[low:high] = [running] * (high - low)
        for warning in warnings:
            self._warn(warning)
        self._layers = {surface: tuple(layer) for surface, layer in layers.items()}  # one reference
        self.looked_for = last

    def run_on(self, surface: str) -> bool:
        """Whether any shopper of this surface takes part in one."""
        return surface in self._layers

    def experiment_of(self, surface: str, whose: bytes) -> Running | None:
        """The experiment that the shopper with this hash takes part in on this surface."""
        layer = self._layers.get(surface)
        return None if layer is None else layer[bucket_of(surface, whose)]

    def _running(self, one: Experiment, warnings: list[str]) -> Running | None:
        place = f"{self._book.place / f'{one.number:04}.toml'}"
        if faults := faults_in(one.file, self._settings, place):
            warnings.append(f"Experiment {one.name} cannot be served with these settings, all get control: {faults[0]}")
            return None
        try:
            walks = {
                name: self._walk_of(profile_of(variant, one.file.surface, self._settings))
                for name, variant in {**one.file.others, CONTROL: VariantSettings()}.items()
            }
        except WaresError as error:
            warnings.append(f"Experiment {one.name} cannot be served, all get control: {error}")
            return None
        shares = one.file.shares
        salt = blake2b(f"{one.number} {one.name}".encode(), digest_size=32).digest()
        return Running(one.name, one.file.kind, salt, tuple(shares), tuple(accumulate(shares.values())), walks)
