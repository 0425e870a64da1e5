"""Walks: each profile of the settings with its names resolved, plugins among them. Here the stages meet their parts."""

from collections.abc import Callable, Mapping
from pathlib import Path

from wares.contracts import Policy, Ranker, Source
from wares.engine.plugins import Plugins, load_plugins
from wares.engine.profile import Profile
from wares.engine.settings import Settings
from wares.engine.stages import Walk
from wares.features.table import PRODUCT_FEATURES
from wares.policies.aims import Aims
from wares.policies.availability import Availability
from wares.policies.distinct import Distinct
from wares.policies.diversity import BrandCap, Diversity
from wares.policies.exploration import Exploration, Exposures
from wares.policies.rules import Rules
from wares.policies.sponsored import SponsoredPlaces
from wares.policies.swaps import Swaps
from wares.ranking.formula import Formula
from wares.retrieval.match_set import Matching
from wares.retrieval.sources import built_in_sources

_MATCHING = ("lexical", "letters", "meaning", "feedback")


def walk_maker(settings: Settings, folder: Path, exposures: Callable[[], Exposures]) -> Callable[[Profile], Walk]:
    """What resolves the names of a profile."""
    plugins = load_plugins(folder, settings.plugins)
    sources = {**built_in_sources(), **plugins.sources}
    return lambda profile: _walk(profile, settings, sources, plugins, exposures)


def _matching(settings: Settings, formula: Formula) -> Matching:
    """Words, letters and meaning weigh the same before the ranker as in its formula."""
    weight = {name: formula.terms[name].weight if name in formula.terms else 0.0 for name in _MATCHING}
    total = sum(weight.values())
    lexical, letters, meaning = weight["lexical"], weight["letters"], weight["meaning"] + weight["feedback"]
    lexical, letters, meaning = (w / total for w in (lexical, letters, meaning)) if total > 0 else (0.5, 0.0, 0.5)
    search = settings.search
    return Matching(search.coverage, search.meaning, search.meaning_share, lexical, letters, meaning)


def _walk(
    profile: Profile,
    settings: Settings,
    sources: Mapping[str, Source],
    plugins: Plugins,
    exposures: Callable[[], Exposures],
) -> Walk:
    search = settings.search
    formula = Formula(profile.terms(), known={*sources, *PRODUCT_FEATURES})
    policies: dict[str, Policy] = {
        "aims": Aims(),
        "availability": Availability(),
        "distinct": Distinct(),
        "diversity": Diversity(profile.diversity),
        "exploration": Exploration(exposures=exposures, **profile.exploration.model_dump()),
        "brand_cap": BrandCap(profile.brand_cap),
        "rules": Rules(),
        "sponsored": SponsoredPlaces(brand_cap=profile.brand_cap, **profile.sponsored.model_dump()),
        "swaps": Swaps(profile.swaps),
        **plugins.policies,
    }
    rankers: dict[str, Ranker] = {"formula": formula, "learned": formula, **plugins.rankers}
    return Walk(
        sources={name: sources[name] for name in profile.sources},
        formula=formula,
        ranker=rankers[profile.ranker],
        learned=profile.ranker == "learned",
        policies=tuple(policies[name] for name in profile.policies),
        matching=_matching(settings, formula) if profile.all_matches else None,
        fusion=profile.fusion,
        per_source=profile.k_per_source,
        depth=search.rank_depth,
        exclude_seeds=profile.exclude_seeds,
        exclude_bought=profile.exclude_bought,
        exclude_hidden=profile.exclude_hidden,
        hide_unsellable=profile.unsellable == "hide" or (profile.unsellable == "sink" and not profile.all_matches),
        fold_variants=profile.fold_variants or profile.all_matches,
    )
