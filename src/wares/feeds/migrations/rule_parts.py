"""What rules of several engines have in common: joined filters, banners and redirects in data for a storefront."""

from collections.abc import Mapping

from wares.feeds.migrations.found import Untold, Where, text_of

_ADDRESSES = ("redirect", "redirect_url", "redirectUrl", "redirectURL", "redirect_to")
_BANNERS = ("banner", "banners", "promo_banner")
_OF_BANNER = {
    "text": ("title", "text", "message", "alt", "altText", "alt_text", "caption", "headline"),
    "url": ("link", "url", "href", "target"),
    "image_url": ("image", "image_url", "imageUrl", "img", "src", "banner_url"),
}


def merged(one: Where, more: Where) -> Where:
    """Both must hold. Raises Untold where they want two values of one field."""
    joined = {name: dict(choice) for name, choice in one.items()}
    for name, choice in more.items():
        known = joined.setdefault(name, {})
        if "any" in known and "any" in choice and set(known["any"]) != set(choice["any"]):
            raise Untold(f"two wanted values of {name} at once: write a rule for each")
        if "not" in known and "not" in choice:
            choice = {**choice, "not": list(dict.fromkeys([*known["not"], *choice["not"]]))}
        for key, tighter in (("low", max), ("high", min)):
            if key in known and key in choice:
                choice = {**choice, key: tighter(known[key], choice[key])}
        known |= choice
        if known.get("low", 0) > known.get("high", float("inf")):
            raise Untold(f"no {name} is in this range")
    return joined


def redirect_of(data: object) -> str:
    """The address that data for a storefront sends the shopper to, else ""."""
    if not isinstance(data, Mapping):
        return ""
    for name in _ADDRESSES:
        told = data.get(name)
        address = text_of(told.get("url")) if isinstance(told, Mapping) else text_of(told)
        if address.startswith(("/", "https://", "http://")):
            return address
    return ""


def banner_of(data: object) -> dict[str, str]:
    """`text`, and `url` and `image_url` where they are told, of a banner; {} where it has no words."""
    if not isinstance(data, Mapping):
        return {}
    told = next((data[name] for name in _BANNERS if data.get(name)), None)
    if told is None and "banner_url" in data:
        told = data
    if isinstance(told, list):
        told = told[0]
    if isinstance(told, str):
        told = {"image": told} if told.startswith(("http://", "https://", "/")) else {"text": told}
    if not isinstance(told, Mapping):
        return {}
    found = {
        field: text
        for field, names in _OF_BANNER.items()
        if (text := next((text for name in names if (text := text_of(told.get(name)))), ""))
    }
    return found if found.get("text") else {}


def data_lost(data: object, redirect: str, banner: Mapping[str, str]) -> str:
    """What to say of data for a storefront that was not understood; "" where some was, or there is none."""
    if not data or redirect or banner:
        return ""
    return "data for the storefront that is neither a redirect nor a banner with words: keep it there"


def word_order(query: str) -> str:
    """What is lost where a query that holds these words is meant."""
    return "the words may stand in any order, and apart" if len(query.split()) > 1 else ""
