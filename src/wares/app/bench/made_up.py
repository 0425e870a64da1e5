"""A catalogue of any size, made by rule: brands times things times sizes times colours, no two titles alike."""

from collections.abc import Iterator, Sequence
from math import gcd

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder, Progress
from wares.domain.product import Product

# Department -> sorts, then things; every sort goes with every thing of its department.
_DEPARTMENTS: dict[str, tuple[str, str]] = {
    "Food": (
        "organic wholegrain salted smoked spicy sweet sour dark light fresh frozen dried roasted ground mild",
        "bread,biscuits,rice,noodles,pasta sauce,olive oil,vinegar,honey,jam,peanut butter,oats,muesli,chocolate,"
        "crackers,crisps,nuts,raisins,lentils,chickpeas,tomatoes,sweetcorn,tuna,sardines,cheese,yoghurt,butter,cream,"
        "sausages,ham,chicken soup,vegetable stock,mustard,ketchup,flour,sugar,salt,pepper,curry paste,pickles,olives",
    ),
    "Drinks": (
        "sparkling still iced herbal black green decaffeinated cold-pressed unsweetened classic strong fruity",
        "water,lemonade,orange juice,apple juice,cola,tonic,tea,coffee beans,coffee pods,cocoa,oat milk,almond drink,"
        "ginger beer,cider,lager,red wine,white wine,syrup,smoothie,energy drink",
    ),
    "Home": (
        "wooden steel bamboo ceramic glass folding stackable round square non-stick insulated adjustable wall-mounted",
        "kettle,saucepan,frying pan,bread knife,chopping board,mixing bowl,storage box,shelf,coat rack,lamp,mirror,"
        "picture frame,rug,cushion,curtain,duvet cover,pillow,towel,bath mat,laundry basket,dish rack,bin,vase,clock,"
        "candle holder,stool,side table,bookcase,mug,plate,wine glass,cutlery set,baking tray,colander,thermos flask",
    ),
    "Tools": (
        "cordless heavy-duty compact galvanised magnetic telescopic rechargeable waterproof precision rotary electric",
        "drill,screwdriver set,hammer,spirit level,tape measure,hand saw,sander,paint roller,ladder,work light,"
        "extension lead,socket set,spanner,pliers,wood screws,wall plugs,sandpaper,glue gun,tool bag,garden hose,"
        "watering can,hedge trimmer,lawn mower,rake,spade,wheelbarrow,door lock,hinge,light switch,smoke alarm",
    ),
    "Clothing": (
        "cotton linen woollen fleece denim padded knitted hooded long-sleeved striped slim-fit lightweight thermal",
        "shirt,jumper,jacket,trousers,shorts,skirt,dress,socks,scarf,gloves,hat,belt,trainers,boots,sandals,slippers,"
        "raincoat,pyjamas,vest,cardigan,leggings,swimsuit,tie,backpack,handbag",
    ),
    "Leisure": (
        "inflatable foldable beginners' professional junior outdoor indoor travel deluxe illustrated musical glow",
        "football,tennis racket,yoga mat,dumbbells,tent,sleeping bag,camping stove,bicycle helmet,bicycle pump,puzzle,"
        "board game,building blocks,doll,toy car,kite,paint set,sketchbook,guitar strings,headphones,fishing rod",
    ),
}
_COLOURS = ("red", "blue", "green", "black", "white", "grey", "yellow", "brown", "pink", "beige", "navy", "silver")
_SIZES = (*(f"{n} pack" for n in (1, 2, 3, 4, 6, 8, 10, 12, 20, 24)), *(f"{n} g" for n in (100, 250, 400, 500, 750)))
_SIZES += (
    "1 kg",
    "2 kg",
    "5 kg",
    "330 ml",
    "500 ml",
    "1 l",
    "2 l",
    "small",
    "medium",
    "large",
    "30 cm",
    "60 cm",
    "1 m",
)
_SYLLABLES = ("ba", "del", "for", "gra", "hal", "ki", "lo", "mar", "nor", "pel", "qui", "ro", "sen", "tal", "vi", "zan")
_BRANDS = 600
_VARIATION = 0.35  # length of what a made-up vector differs by from its phrase's, which has length 1
_AT_ONCE = 20_000


def phrases() -> list[tuple[str, str, str]]:
    """(department, thing, sort and thing) of everything the shop could sell."""
    return [
        (department, thing.capitalize(), f"{sort} {thing}")
        for department, (sorts, things) in _DEPARTMENTS.items()
        for sort in sorts.split()
        for thing in things.split(",")
    ]


def made_up_products(n: int, seed: int) -> Iterator[Product]:
    """`n` products with distinct titles, "Brand sort thing, size, colour", in an order without pattern."""
    rng = np.random.default_rng(seed)
    known, brands = phrases(), _brands(rng)
    all_titles = len(known) * len(brands) * len(_SIZES) * len(_COLOURS)
    step = int(all_titles * (5**0.5 - 1) / 2) | 1  # the golden ratio spreads any number of steps evenly
    while gcd(step, all_titles) > 1:
        step += 2
    prices = np.exp(rng.normal(7, 1, n)).astype(int)
    for i, price in enumerate(prices.tolist()):
        place, colour = divmod(i * step % all_titles, len(_COLOURS))
        place, size = divmod(place, len(_SIZES))
        brand, phrase = divmod(place, len(known))
        department, thing, name = known[phrase]
        yield Product(
            id=f"p{i}",
            title=f"{brands[brand]} {name}, {_SIZES[size]}, {_COLOURS[colour]}",
            brand=brands[brand],
            category=(department, thing),
            price_minor=50 + price,
            attributes={"colour": (_COLOURS[colour],), "size": (_SIZES[size],)},
        )


def _brands(rng: np.random.Generator) -> list[str]:
    """Distinct names of one word."""
    names: dict[str, None] = {}
    while len(names) < _BRANDS:
        names.setdefault("".join(rng.choice(_SYLLABLES, int(rng.integers(2, 4)))).capitalize())
    return list(names)


class PhraseVectors:
    """An encoder for passages of `made_up_products`: the real vector of the phrase, and noise by the text's place.

    Encoding a million texts takes an hour. This has as many directions as the shop has kinds of things, around each of
    which its texts lie close together. Queries are really encoded.
    """

    def __init__(self, encoder: Encoder, seed: int) -> None:
        self._encoder, self._seed = encoder, seed
        self.fingerprint, self.dimension = encoder.fingerprint, encoder.dimension

    def encode(self, texts: Sequence[str], kind: str, on_progress: Progress | None = None) -> NDArray[np.float32]:
        """(n, dimension), each row of length 1."""
        if kind == "query":
            return self._encoder.encode(texts, "query", on_progress)
        known = [phrase for _, _, phrase in phrases()]
        place = {phrase: i for i, phrase in enumerate(known)}
        middles = self._encoder.encode(known, "passage")
        rng, vectors = np.random.default_rng(self._seed), np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            noise = rng.standard_normal((len(some), self.dimension), np.float32)
            noise *= np.float32(_VARIATION / np.sqrt(self.dimension))
            noise += middles[[place[text.split(", ")[0].split(" ", 1)[1]] for text in some]]
            vectors[start : start + len(some)] = noise / np.linalg.norm(noise, axis=1, keepdims=True)
            if on_progress is not None:
                on_progress(len(some))
        return vectors
