"""Light stemmers for French, Italian, Spanish and Portuguese: number and gender only, on words without accents.

After Savoy, "Light stemming approaches for the French, Portuguese, German and Hungarian languages" (SAC 2006), with
less taken off: a verb ending cut from a product's noun ('cargador', 'chargeur') finds other products.
"""

_FRENCH = {
    "travaux": "travail", "vitraux": "vitrail", "emaux": "email", "coraux": "corail", "yeux": "oeil", "belle": "beau",
    "bel": "beau", "nouvelle": "nouveau", "nouvel": "nouveau", "vieille": "vieu", "seche": "sec", "fraiche": "frais",
    "frai": "frais", "douce": "doux", "dou": "doux", "rousse": "roux", "rou": "roux", "fausse": "faux", "fau": "faux",
    "bonne": "bon", "basse": "bas", "grosse": "gros", "gro": "gros", "epaisse": "epais", "epai": "epais",
    "grise": "gris", "gri": "gris", "grasse": "gras", "gra": "gras", "fine": "fin", "longue": "long", "plate": "plat",
    "mate": "mat", "pure": "pur", "dure": "dur", "mure": "mur", "nue": "nu", "turque": "turc", "grecque": "grec",
    "publique": "public",
}  # fmt: skip
# Nouns that would meet another word without their 'e': 'porte' is a door, 'port' is not.
_FRENCH_NOUNS_TEXT = (
    "porte coupe plante poste barre carte parte marche course bourse botte balle malle ville salle pelle lampe toile "
    "voile moule boule poule housse mousse pousse trousse conte compte coque bague vague vase pompe douche manche "
    "planche ferme forme grille ligne mine pile poche pomme prise"
)
_FRENCH_NOUNS = frozenset(_FRENCH_NOUNS_TEXT.split())
_ADJECTIVES_ES_TEXT = (
    "roj negr blanc amarill morad rosad larg cort pequen nuev viej baj alt anch estrech grues fin redond sec fresc "
    "barat buen car liger lis clar oscur complet comod bonit rapid pur crud cocid rizad floread plan fri tibi "
    "calentit modern antigu masculin femenin ajustad ampli gruesit limpi llen lent public divertid gord delgad "
    "gratuit"
)
_ADJECTIVES_ES = frozenset(_ADJECTIVES_ES_TEXT.split())
_ADJECTIVES_PT_TEXT = (
    "pret branc vermelh amarel rox rosad long curt pequen nov velh baix alt larg estreit gross fin redond sec fresc "
    "barat car lis clar escur complet bonit rapid pur cru modern antig masculin feminin ampl limp chei quent fri mold "
    "decorad elastic macia maci"
)
_ADJECTIVES_PT = frozenset(_ADJECTIVES_PT_TEXT.split())
_SPANISH = {"dulces": "dulce", "enlaces": "enlace", "menus": "menu", "pies": "pie", "tes": "te", "bronces": "bronce"}
_PORTUGUESE = {
    "portateis": "portatil", "faceis": "facil", "uteis": "util", "texteis": "textil", "frageis": "fragil",
    "maos": "mao", "irmaos": "irmao", "paes": "pao", "caes": "cao", "boa": "bom", "boas": "bom", "bons": "bom",
    "barris": "barril", "funis": "funil", "perfis": "perfil", "pires": "pires", "lapis": "lapis", "tenis": "tenis",
    "gratis": "gratis", "gas": "gas", "maes": "mae",
}  # fmt: skip
# Vowels keep these apart: milk from tin, fish from peach, salt from hall.
_ITALIAN = {
    "colla": "colla", "colle": "colla", "casa": "casa", "case": "casa", "palo": "palo", "pali": "palo",
    "filo": "filo", "fili": "filo", "pasto": "pasto", "pasti": "pasto",
    "latte": "latte", "pesce": "pesce", "pesci": "pesce", "sale": "sale", "sali": "sale", "uomini": "uom",
    "uova": "uov", "miele": "miele", "pane": "pane", "panna": "panna", "paia": "pai", "dita": "dit",
    "lenzuola": "lenzuol", "vite": "vite", "viti": "vite", "porto": "porto", "porti": "porto", "posto": "posto",
    "moda": "moda", "modo": "modo", "costo": "costo", "tonno": "tonno",
}  # fmt: skip


def stem_french(word: str) -> str:
    """'blanche', 'blancs' -> 'blanc'; 'journaux' -> 'journau' as 'journal'; 'chaussures' -> 'chaussur'."""
    if word in _FRENCH:
        return _FRENCH[word]
    if len(word) < 4:
        return word
    if word.endswith(("eux", "oux", "aux")) or (word.endswith("s") and not word.endswith("ss")):
        word = word[:-1]
    if word in _FRENCH or word in _FRENCH_NOUNS:
        return _FRENCH.get(word, word)
    for ending, masculine in (("euse", "eu"), ("ive", "if"), ("euve", "euf"), ("anche", "anc"), ("trice", "teur")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + masculine
    if len(word) >= 7 and word.endswith(("aise", "oise")):
        return word[:-2]
    if word.endswith("ee") and len(word) >= 5:
        word = word[:-1]
    if word.endswith("e") and len(word) >= 5:
        word = word[:-1]
        if len(word) >= 5 and word[-1] == word[-2] and word[-1] in "lnts":
            word = word[:-1]
    return word[:-1] + "u" if word.endswith("al") and len(word) >= 5 else word


def stem_italian(word: str) -> str:
    """'scarpa', 'scarpe' -> 'scarp'; 'amiche' -> 'amic'; 'orologio', 'orologi' -> 'orolog'."""
    if word in _ITALIAN or len(word) < 4:
        return _ITALIAN.get(word, word)
    if word[-1] == "s":  # only loan words: 'sneakers', 'leggings'
        return word[:-1] if len(word) >= 5 and word[-2] not in "aeious" else word
    if word[-1] not in "aeio":
        return word
    word = word[:-1]
    if word.endswith("i") and len(word) >= 4:
        word = word[:-1]
    return word[:-1] if word.endswith(("ch", "gh")) and len(word) >= 4 else word


def stem_spanish(word: str) -> str:
    """'luces' -> 'luz', 'azules' -> 'azul', 'rojas' -> 'rojo', 'zapatos' -> 'zapato'; 'plato' is not 'plata'."""
    if (word := _SPANISH.get(word, word)) in _SPANISH.values():
        return word
    if word.endswith("eses") and len(word) >= 7:
        word = word[:-2]
    if word.endswith("ces") and len(word) >= 5:
        return word[:-3] + "z"
    return _with_gender(_without_es(word), _ADJECTIVES_ES)


def stem_portuguese(word: str) -> str:
    """'botoes' -> 'botao', 'jornais' -> 'jornal', 'jardins' -> 'jardim', 'azuis' -> 'azul', 'pretas' -> 'preto'."""
    if word in _PORTUGUESE:
        return _PORTUGUESE[word]
    if word.endswith("oes") and len(word) >= 5:
        return word[:-3] + "ao"
    if word.endswith("ns") and len(word) >= 5:
        return word[:-2] + "m"
    if len(word) >= 5 and word.endswith(("ais", "eis", "ois", "uis")):
        return word[:-2] + "l"
    if len(word) >= 6 and word.endswith("tis"):
        return word[:-1] + "l"
    return _with_gender(_without_es(word), _ADJECTIVES_PT)


def _without_es(word: str) -> str:
    """Plural -s and -es, and a final -e, so that 'verde' and 'verdes', 'pared' and 'paredes' meet."""
    if len(word) < 4 or word.endswith(("ss", "us")):
        return word
    word = word.removesuffix("s")
    return word[:-1] if word.endswith("e") and len(word) >= 4 and word[-2] not in "aeiou" else word


def _with_gender(word: str, adjectives: frozenset[str]) -> str:
    """The masculine of an adjective: only of known ones and of endings that few nouns have."""
    if not word.endswith("a") or len(word) < 4:
        return word
    if word[:-1] in adjectives or (word.endswith(("ada", "ida")) and len(word) >= 6):
        return word[:-1] + "o"
    if (len(word) >= 6 and word.endswith(("osa", "iva"))) or (len(word) >= 7 and word.endswith("ica")):
        return word[:-1] + "o"
    if len(word) >= 7 and word.endswith("esa"):
        return word[:-3]
    return word
