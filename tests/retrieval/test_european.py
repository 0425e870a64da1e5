"""A shopper's form of a word against the title's form, language by language."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.text import tokens
from wares.retrieval.language.european.folding import fold
from wares.retrieval.language.european.words import (
    LANGUAGES,
    language_of_tag,
    latin_words,
    read_number,
    stemmer,
    surface_words,
)


def words(text: str, language: str) -> list[str]:
    return latin_words(unicodedata.normalize("NFKC", text).casefold(), language)


# language -> query | title: every word of the query is a word of the title
MEETING = {
    "de": """
        schlüssel | Schluessel Anhänger Leder
        schluessel | Schlüsselbrett, 5 Haken: Schlüssel
        schlussel | Schlüssel
        stuhl | 4 Stühle, Eiche massiv
        stuhle | Stuhl mit Armlehne
        handtücher | Handtuch 50 x 100 cm
        handtuecher | Handtuch Baumwolle
        schränke | Schrank mit Spiegel
        bücher | Buch für Kinder
        kinder fahrräder | Fahrrad für Kinder 20 Zoll
        autos | Auto ferngesteuert
        weiße teller | Teller, weiß, 27 cm
        weisser teller | Teller weiß
        rote schuhe | Roter Schuh mit Absatz
        schwarzes hemd | Hemden in schwarz
        große töpfe | Topf, groß, Edelstahl
        lampe | Lampen fürs Wohnzimmer
        gläser | Glas mit Deckel
        weingläser | Weinglas 6er Set
        kopfhörer | Kopfhoerer kabellos
        handys | Handy ohne Vertrag
        matratzen | Matratze 140 x 200
        türen | Tür für Dusche
        gabeln | Gabel Edelstahl
        mützen | Mütze aus Wolle
        äpfel | Apfel Sorte Gala
        batterien | Batterie AA
        mäntel damen | Damen Mantel
        dunkle schokolade | Schokolade dunkel
        kabeln | Kabel 3 m
        1,5 l | Wasserkocher 1.5 L
        1500 w | Heizlüfter 1.500 W
        strasse | Straße
        gruene decke | Decken grün
        kekse | Keks mit Butter
        ledersofas | Ledersofa
        bilder | Bild auf Leinwand
    """,
    "fr": """
        cafe creme | Café crème en grains
        eau | L'eau de toilette
        l'eau micellaire | Eau micellaire 400 ml
        ete | Robe d'été
        robes d'été | Robe été fleurie
        chaussures | Chaussure de sport
        chaussure blanche | Chaussures blanc cassé
        blanc | Chemise blanche
        journaux | Journal intime
        cheveux | Soin cheveu sec
        bijoux | Bijou fantaisie
        manteaux | Manteau long
        veste verte | Vestes vert foncé
        noire | Sac à main noir
        noires | Bottes noir mat
        gris | Housse grise
        chemises grises | Chemise gris clair
        coeur | Collier cœur
        oeufs | Œuf en chocolat
        poupées | Poupee en tissu
        table basse | Tables basses en chêne
        sportive | Tenue sportif homme
        legere | Doudoune léger
        perceuses | Perceuse à percussion
        perceuse sans fil | Perceuse sans-fil 18V
        tuyaux | Tuyau d'arrosage
        gâteaux | Moule à gateau
        matériaux | Matériau souple
        serviettes | Serviette éponge
        jeux | Jeu de société
        lampes d'extérieur | Lampe exterieur solaire
        petite cuillère | Petites cuillères inox
        1.5 l | Bouteille 1,5 L
        longue | Robe manches longues
        crayons couleurs | Crayon de couleur
        aujourd’hui | Aujourd'hui
        loreal | Loréal
        canapé convertible | Canapés convertibles
    """,
    "es": """
        zapatos | Zapato de piel
        zapatillas rojas | Zapatilla deportiva rojo
        luces | Luz LED
        luz | Luces de Navidad
        azules | Pantalón azul
        pantalones | Pantalon vaquero
        papeles | Papel higiénico
        botones | Camisa con botón
        camiseta negra | Camisetas negro
        blanca | Mesa color blanco
        lápices | Lapiz de color
        calcetines | Calcetín térmico
        niña | Vestido de nina
        sillones | Sillón relax
        relojes | Reloj de pulsera
        cojines | Cojin estampado
        verdes | Manta verde
        cables | Cable USB
        guantes | Guante de cocina
        inalámbrica | Ratón inalámbrico
        sarten | Sartenes antiadherentes: sartén 24 cm
        cortinas | Cortina opaca
        autobuses | Autobús de juguete
        peces | Comida para pez
        sofas | Sofá cama
        paredes | Lámpara de pared
        lamparas | Lámpara
        1,5 litros | Jarra 1.5 litro
        1299 | Potencia 1.299
        bolsos pequeños | Bolso pequeño
        larga | Falda largo
        redonda | Mesa redondo
        plateada | Cadena plateado
        flores | Maceta con flor
        colores | Lana de color
        cafés | Café molido
    """,
    "it": """
        acqua | Crema all'acqua di rose
        dell'acqua | Bottiglia acqua
        un'auto | Giocattolo auto
        scarpe | Scarpa da ginnastica
        scarpe rosse | Scarpa col. rosso
        libri | Libro per bambini
        borse | Borsa a tracolla
        amiche | Amica
        arance | Arancia bio
        caffe | Caffè in grani
        orologi | Orologio da polso
        occhiali | Occhiale da sole
        bianca | Camicia bianco
        camicie | Camicia di lino
        laghi | Lago
        giacche | Giacca invernale
        pentole | Pentola in acciaio
        lampade | Lampada da tavolo
        bicchieri | Bicchiere di vetro
        l'olio | Olio extravergine
        cuscini | Cuscino arredo
        telefoni | Telefono cordless
        sneakers | Sneaker uomo
        nero | Giacca nera
        tovaglie | Tovaglia antimacchia
        asciugamani | Asciugamano bagno
        tè | The e tè verde
        portafogli | Portafoglio in pelle
        valigie | Valigia rigida
        lenzuola | Lenzuolo sotto
        1,5 kg | Pasta 1.5 kg
        d'estate | Vestito estate
        tappeti | Tappeto moderno
        specchi | Specchio ovale
        collane | Collana donna
        maniche lunghe | Maglia manica lunga
    """,
    "nl": """
        boeken | Boek voor kinderen
        huizen | Huis van hout
        ramen | Raam met ventilatie
        schoenen | Schoen heren
        kinder boeken | Boek voor kinderen
        tassen | Tas van leer
        jassen | Jas met capuchon
        bedden | Bed 160 x 200
        stoelen | Stoel eiken
        lampen | Lamp voor buiten
        tafels | Tafel rond
        foto's | Fotolijst voor foto
        fotos | Foto album
        dozen | Doos met deksel
        doosjes | Doosje
        laarzen | Laars rubber
        fietsen | Fiets 28 inch
        potten | Pot voor planten
        poten | Poot voor tafel
        rode | Trui rood
        rode schoenen | Schoen, rood
        witte | Vaas wit
        zwarte broek | Broeken zwart
        grijze | Bank grijs
        grote | Pan groot
        kussens | Kussen velvet
        dekens | Deken fleece
        telefoons | Telefoon
        batterijen | Batterij AAA
        vazen | Vaas glas
        sokken | Sok wol
        messen | Mes RVS
        flessen | Fles 1 liter
        brieven | Brief
        muren | Muur verf
        1.5 l | Waterkoker 1,5 L
        shirts | Shirt dames
        borden | Bord porselein
        ketels | Ketel
        gordijnen | Gordijn verduisterend
        glazen | Glas
    """,
    "pl": """
        buty | But zimowy
        butów | Buty damskie
        butow | But męski
        butami | Półka na buty
        czerwona | Czerwony szalik
        czerwone sukienki | Sukienka czerwona
        zolty | Żółty plecak
        żółta | zolte kubki
        kubek | Kubki porcelanowe
        kubków | Kubek termiczny
        lampka | Zestaw lampek LED
        lampki nocne | Lampka nocna
        sukienek | Sukienka letnia
        książki | Książka dla dzieci
        ksiazka | Książek
        dla dziecka | Kurtka dla dzieci
        słuchawki | Słuchawek bezprzewodowych
        sluchawki bezprzewodowe | Słuchawki bezprzewodowych
        stoły | Stół rozkładany
        stolu | Nogi do stołu
        krzesła | Krzesło dębowe
        krzesel | Krzesło
        nóż | Noże kuchenne
        kabli | Kabel USB
        swetry | Sweter wełniany
        spodnie | Spodni roboczych
        okulary | Etui na okularów
        kurtek | Kurtka zimowa
        ręczniki | Ręcznik kąpielowy
        baterie | Bateria AAA
        baterii | Baterie
        długa | Spódnica długich
        torebki | Torebka skórzana
        koszulek | Koszulka bawełniana
        fotele | Fotel biurowy
        systemy | System alarmowy
        zapachy | Zapach do auta
        kremem | Krem do rąk
        damskich | Zegarek damski
        zegarki | Zegarek
        1,5 l | Czajnik 1.5 l
        poduszki | Poduszka
        dywanów | Dywan
    """,
    "pt": """
        sapatos | Sapato social
        botões | Camisa com botao
        botoes | Botão
        jornais | Jornal
        papéis | Papel A4
        lençóis | Lencol casal
        azuis | Calça azul
        jardins | Mangueira de jardim
        preta | Bolsa preto
        flores | Vaso de flor
        calca | Calças jeans
        luzes | Luz LED
        infantis | Tenis infantil
        verdes | Chá verde
        portateis | Ventilador portátil
        2,5 kg | Ração 2.5 kg
    """,
    "sv": """
        skor | Löparsko, sko
        löparskor | Loparsko herr
        lampor | Lampa LED
        klänningar | Klänning röd
        cyklar | Cykel 28 tum
        nycklar | Nyckel
        datorer | Dator
        datorn | Dator
        rott | Röd matta
        vit | Bord vitt
        mössor | Mossa ull
        handdukar | Handduk
        kuddar | Kudde
    """,
    "da": """
        kjoler | Kjole rød
        sko | Skoene
        kopper | Kop
        grønne | Lampe grøn
        groen | Grøn
        kokken | Køkken
        cykler | Cykel
        blå | Blaa pude
        tasker | Taske i læder
        laeder | Læder
        stole | Stol
        jakker | Jakke
    """,
    "nb": """
        gensere | Genser ull
        sykler | Sykkel
        kjoler | Kjole
        vesker | Veske
        skoene | Sko
        puter | Pute
    """,
    "fi": """
        takit | Takki
        kengät | Kenkä
        pöydät | Poyta
        mustat | Musta laukku
        laukut | Laukku
        kirjat | Kirja
        housut | Housu
    """,
}
# Words that must stay apart: the one finds nothing of the other.
APART = {
    "de": "leder|led drucker|druck kuchen|kuchenschrank eisen|eis hose|hase kanne|kamm toaster|toast bett|brett "
    "schal|schale teller|tell kabel|kamel neue|nuss quelle|qualle wagen|waage messer|messe",
    "fr": "porte|port poisson|poison cheveux|chevaux dessert|desert plante|plan carte|car barre|bar sac|sec gant|géant "
    "table|tableau mousse|mou poste|post coussin|cousin lait|laine",
    "es": "plato|plata marco|marca puerto|puerta cubo|cuba pala|palo libro|libra casa|caso suelo|suela punto|punta "
    "sal|sala peso|pesa cargador|cargo copa|copo caro|carro",
    "it": "latte|latta pesce|pesca capelli|cappelli pane|panna sale|sala pala|palla casa|cassa rosa|rossa nono|nonno "
    "penna|pena carta|carrello mela|miele",
    "nl": "poten|potten man|maan boom|bom tak|taak zak|zaak huis|hout tas|tasje bomen|bommen fles|vlees mes|muis "
    "bal|baal brood|broodje doos|doosje",
    "pl": "kot|koc but|bat stół|stal krem|krzem lampa|lampart koszula|kosz pasek|piasek nóż|nożyczki dom|dam "
    "kubek|kubeł zapach|zapas półka|pułk sok|soda",
    "pt": "prato|prata porta|porto marco|marca bolo|bola calção|calça sal|sala",
    "sv": "matta|mat lampa|lamm sko|skog motor|mot",
    "da": "kop|kobber sko|skov lampe|lam",
}


def cases(table: dict[str, str]) -> list[tuple[str, str, str]]:
    rows = [(language, line.strip()) for language, lines in table.items() for line in lines.split("\n") if line.strip()]
    return [(language, *(part.strip() for part in line.split("|"))) for language, line in rows]  # type: ignore[misc]


def pairs(table: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(language, *pair.split("|")) for language, line in table.items() for pair in line.split()]  # type: ignore[misc]


@pytest.mark.parametrize(("language", "query", "title"), cases(MEETING))
def test_the_shoppers_form_of_a_word_meets_the_titles(language: str, query: str, title: str) -> None:
    assert set(words(query, language)) <= set(words(title, language)), (words(query, language), words(title, language))


@pytest.mark.parametrize(("language", "query", "title"), pairs(APART))
def test_another_word_is_not_met(language: str, query: str, title: str) -> None:
    assert not set(words(query, language)) & set(words(title, language))


@pytest.mark.parametrize("language", sorted({"de", "fr", "es", "it", "nl", "pl"}))
def test_each_of_the_large_languages_has_at_least_25_meeting_pairs(language: str) -> None:
    assert len([row for row in cases(MEETING) if row[0] == language]) >= 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_query_without_accents_meets_every_title_with_them(language: str) -> None:
    for lang, query, title in cases(MEETING):
        if lang == language:
            for text in (query, title):
                assert words(text, language) == words(fold(text.casefold()), language)


@pytest.mark.parametrize("text", ["2% Milk, 1 GAL", "Men's shoes", "berries and boxes", "1/2 in. brass", "L'Oreal 5.5"])
def test_english_words_are_those_of_the_index_so_far(text: str) -> None:
    assert words(text, "en") == tokens(text)


def test_an_unknown_language_is_read_as_english() -> None:
    assert words("berries", "xx") == ["berry"]
    assert stemmer("xx")("boxes") == stemmer("en")("boxes")


@pytest.mark.parametrize(
    ("tag", "language"), [("de-AT", "de"), ("pt_BR", "pt"), ("no", "nb"), ("NN", "nb"), ("fr", "fr")]
)
def test_a_region_does_not_change_the_language(tag: str, language: str) -> None:
    assert language_of_tag(tag) == language
    assert stemmer(tag)("lampes") == stemmer(language)("lampes")


@pytest.mark.parametrize(
    ("said", "language", "meant"),
    [
        ("1,5", "de", "1.5"),
        ("1.5", "de", "1.5"),
        ("1,5", "de-AT", "1.5"),
        ("2.0", "fr", "2.0"),
        ("1.299", "es", "1299"),
        ("1.299,5", "it", "1299.5"),
        ("10.000", "nl", "10000"),
        ("0.125", "pl", "0.125"),
        ("0,125", "pl", "0.125"),
        ("1/2", "de", "1/2"),
        ("1,299", "en", "1299"),
        ("1,5", "en", "1,5"),
        ("10,000.5", "en", "10000.5"),
        ("1.299", "en", "1.299"),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(said: str, language: str, meant: str) -> None:
    assert read_number(said, language) == meant


def test_surface_words_are_folded_and_not_stemmed() -> None:
    assert surface_words("l'été des chaussures œuvrées, 1,5 l", "fr") == [
        "ete", "des", "chaussures", "oeuvrees", "1.5", "l",
    ]  # fmt: skip


def test_a_french_brand_loses_its_article_in_a_german_shop() -> None:
    assert words("L'Oréal", "de") == ["oreal"]


def same(word: str, stem: Callable[[str], str]) -> bool:
    return stem(word) == stem(fold(word))


@given(
    st.text(st.sampled_from("abcdeéèilmnoöprsßtuüvwxyzłńóśż"), max_size=12), st.sampled_from([*LANGUAGES, "cs", "ca"])
)
def test_any_word_has_a_stem_and_the_same_without_accents(word: str, language: str) -> None:
    stem = stemmer(language)
    assert bool(stem(word)) == bool(word)
    assert same(word, stem)
