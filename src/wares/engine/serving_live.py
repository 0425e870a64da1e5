"""The snapshot and what came since, as a process that answers has them: loaded, exchanged, and folded anew."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from wares.engine.learnt import SNAPSHOTS, current_snapshot
from wares.engine.live import Live
from wares.engine.serving_encoder import ServingEncoder
from wares.engine.settings import FILE_NAME, Settings, has_settings
from wares.engine.shelf import current_name
from wares.engine.snapshot import Snapshot
from wares.errors import EncoderError
from wares.store.sqlite import Store


class ServingLive:
    """`now` is what answers; who takes it keeps one for the whole request, whatever is exchanged meanwhile. `warn` is
    told of snapshots that cannot be used. With a `snapshot` it is that one as it is, and nothing is loaded."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        store: Store,
        encoder: ServingEncoder | None,
        warn: Callable[[str], None],
        snapshot: Snapshot | None = None,
    ) -> None:
        self._folder, self._settings, self._store, self._encoder, self._warn = folder, settings, store, encoder, warn
        self._refolds = self._reloads = 0  # how often the past was changed; how often what was learnt was read anew
        self._loading = Lock()  # one at a time, so that an older snapshot never takes the place of a newer one
        self._rewriting = Lock()  # held while the past changes, and while what was folded begins to serve
        self._looked_for = ""  # the snapshot that was current at the last look, whole or not
        if snapshot is not None:
            self.now = Live(snapshot, encoder)
        else:
            self._load()

    def take_up(self) -> None:
        """Load the current snapshot, if it is another than at the last look."""
        while current_name(self._folder / SNAPSHOTS) != self._looked_for:
            if not self._loading.acquire(blocking=False):
                break  # another thread is at it, and looks again when it is done
            try:
                self._load()
            finally:
                self._loading.release()

    def catch_up(self) -> None:
        """Fold in what was written since."""
        self.now.catch_up(self._store.catalogue, self._store.events)

    @property
    def undone(self) -> tuple[int, int]:
        """How often the past was changed, and how often what was learnt was read anew."""
        return self._refolds, self._reloads

    def opened_after(self, undone: Sequence[int]) -> None:
        """It was loaded once another one of the shop had `undone` so much."""
        self._refolds, self._reloads = undone

    def undo(self, undone: Sequence[int]) -> None:
        """Come to as much as another one of the shop has `undone`."""
        refolds, reloads = undone
        if reloads > self._reloads:
            self.reload()
        elif refolds > self._refolds:
            self.refold()
        self._refolds, self._reloads = max(self._refolds, refolds), max(self._reloads, reloads)

    def reload(self) -> None:
        """Load anew what serves: the shop's own synonyms have changed."""
        self._reloads += 1
        with self._loading:
            self._load()

    def refold(self) -> None:
        """Fold anew what came after the snapshot: whose some of it is has changed in the past."""
        with self._rewriting:
            self._refolds += 1
            self.now = self._folded(self.now.snapshot)

    def forget(self, shopper_keys: Sequence[int]) -> None:
        """These shoppers were erased from the store."""
        with self._rewriting:
            self._refolds += 1
            self.now.forget(shopper_keys)

    def forget_simulated(self) -> None:
        """Simulated events were erased from the store."""
        with self._rewriting:
            self._refolds += 1
            self.now.forget_simulated()

    def _load(self) -> None:
        """Serve the current snapshot. Whoever is erased while it loads is in nothing that serves from then on."""
        self._looked_for = current_name(self._folder / SNAPSHOTS)
        snapshot, warnings = current_snapshot(self._folder, self._settings)
        for warning in warnings:
            self._warn(warning)
        if self._encoder is not None and snapshot.encoder not in ("", self._encoder.fingerprint):
            raise EncoderError(
                "The vectors of this shop were made by another encoder than the settings name now. "
                "Run `wares train` to make them anew, or set the old encoder again."
            )
        if snapshot.name and not has_settings(self._folder):
            self._warn(f"{self._folder / FILE_NAME} is gone or empty: defaults hold. Restore it from a backup.")
        if snapshot.unavailable:
            self._warn(snapshot.unavailable)
        refolds = self._refolds
        live = self._folded(snapshot)
        with self._rewriting:
            self.now = live if self._refolds == refolds else self._folded(snapshot)

    def _folded(self, snapshot: Snapshot) -> Live:
        """With everything that came after it."""
        live = Live(snapshot, self._encoder)
        live.catch_up(self._store.catalogue, self._store.events)
        return live
