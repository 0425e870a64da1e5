"""Chinese as a shopper writes it: cut into words, numbers read, what is not wished left out."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.intent import Term
from wares.retrieval.language.chinese.cutter import Cutter, runs
from wares.retrieval.language.chinese.filler import strip_filler
from wares.retrieval.language.chinese.mining import mine
from wares.retrieval.language.chinese.negation import excluded
from wares.retrieval.language.chinese.numbers import number, read_numbers
from wares.retrieval.language.chinese.script import simplify

TITLES = [
    "儿童鞋和服装收纳箱",
    "日式和服女",
    "北京上海鲜肉包",
    "打印机油墨黑色",
    "汽车机油",
    "鲜花生日花束",
    "厨房水果刀",
    "落地灯卧室",
    "男士洗面奶",
]


@pytest.fixture(scope="module")
def cutter() -> Cutter:
    return Cutter.of(TITLES, ["轻舟树", "家装建材"])


def found(cutter: Cutter, query: str, title: str) -> float:
    """How well a title answers a query: the best reading of each term, multiplied."""
    held = {word for run in runs(title) for word in cutter.index_words(run)}
    best = 1.0
    for term in (term for run in runs(query) for term in cutter.query_terms(run)):
        best *= max((r.weight for r in term.readings if held.issuperset(r.words)), default=0.0)
    return best


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("護髮素", "护发素"),
        ("無線滑鼠", "无线鼠标"),
        ("滑鼠墊", "鼠标垫"),
        ("筆電", "笔记本电脑"),
        ("隨身碟 64GB", "U盘 64GB"),
        ("氣炸鍋", "空气炸锅"),
        ("空气炸锅", "空气炸锅"),
        ("0糖可乐", "无糖可乐"),
        ("10糖", "10糖"),
        ("文件夹 程序", "文件夹 程序"),
        ("plain text", "plain text"),
        ("ミルク", "ミルク"),
        ("", ""),
    ],
)
def test_every_script_and_region_meets_in_simplified_characters(written: str, meant: str) -> None:
    assert simplify(written) == meant
    assert simplify(meant) == meant


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("和服", "儿童鞋和服装收纳箱"),
        ("海鲜", "北京上海鲜肉包"),
        ("机油", "打印机油墨黑色"),
        ("花生", "鲜花生日花束"),
        ("床单", "折叠床单人办公室"),
        ("人参", "八人参与的游戏"),
        ("水杯", "防水杯垫"),
        ("玻璃水", "双层玻璃水杯"),
    ],
)
def test_words_that_only_arise_across_a_border_find_nothing(cutter: Cutter, query: str, title: str) -> None:
    assert found(cutter, query, title) == 0.0
    assert found(cutter, query, query + "新款") == 1.0


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("耳机", "蓝牙耳机降噪"),
        ("蓝牙", "蓝牙耳机降噪"),
        ("茶叶", "云雾乌龙茶叶罐装"),
        ("乌龙茶", "云雾乌龙茶叶罐装"),
        ("收腰", "碎花裙女夏收腰"),
        ("花洒", "增压花洒手持"),
        ("电脑桌", "转角电脑桌"),
        ("裤", "打底裤女冬季"),
        ("灯", "卧室落地灯"),
        ("女", "女士凉鞋"),
        ("男女", "男女同款雨衣"),
        ("冬", "冬季棉服"),
        ("红", "红色毛衣"),
        ("帽子", "连帽外套"),
        ("鞋子", "登山鞋"),
        ("安装简单", "简单安装的货架"),
    ],
)
def test_a_word_inside_a_compound_is_found(cutter: Cutter, query: str, title: str) -> None:
    assert found(cutter, query, title) >= 0.5


def test_the_thing_itself_comes_before_what_only_contains_its_name(cutter: Cutter) -> None:
    assert found(cutter, "水果", "新鲜水果礼盒") > found(cutter, "水果", "厨房水果刀") > 0.0
    assert found(cutter, "灯", "灯") > found(cutter, "灯", "卧室落地灯") > 0.0
    assert found(cutter, "空气炸锅", "空气炸锅家用") > found(cutter, "空气炸锅", "空气炸锅专用纸") > 0.0


def test_seasons_and_colours_are_not_looked_for_inside_other_words(cutter: Cutter) -> None:
    assert found(cutter, "红", "红薯干") == 0.0
    assert found(cutter, "夏", "夏威夷果") == 0.0


@pytest.mark.parametrize("said", ["无糖", "不含糖", "没有糖", "不加糖", "不添加糖", "0糖", "無糖"])
@pytest.mark.parametrize("written", ["无糖", "不含糖", "零糖"])
def test_all_ways_to_say_without_meet(cutter: Cutter, said: str, written: str) -> None:
    assert found(cutter, simplify(said), written + "饼干") == 1.0
    assert found(cutter, simplify(said), "糖饼干") == 0.0


def test_what_a_product_is_without_does_not_find_it(cutter: Cutter) -> None:
    assert found(cutter, "酒精", "洗手液无酒精") == 0.0
    assert found(cutter, "帽子", "无帽外套") == 0.0
    assert found(cutter, "无线", "无线音箱") == 1.0
    assert found(cutter, "不锈钢", "不锈钢盆") == 1.0


def test_a_query_says_what_its_products_must_not_hold(cutter: Cutter) -> None:
    terms = cutter.query_terms("不带帽子男士外套")
    assert [term.said for term in terms] == ["¬帽", "男士", "外套"]
    assert excluded(terms) == ("帽", "~帽", "帽子")
    assert set(excluded(terms)) & set(cutter.index_words("连帽外套"))
    assert not set(excluded(terms)) & set(cutter.index_words("无帽外套"))
    assert excluded([Term("帽子")]) == ()


def test_the_shops_own_names_are_words(cutter: Cutter) -> None:
    assert "轻舟树" in cutter.own
    assert cutter.cut("轻舟树台灯") == ["轻舟树", "台灯"]
    assert "家装建材" not in cutter.own, "two known words need no entry"


def test_a_word_that_keeps_recurring_in_titles_is_learnt() -> None:
    around = [("红色", "棉服"), ("新款", "外套"), ("男士", "毛衣"), ("儿童", "雨衣")]
    others = [["雪地", "短靴", "加厚"], ["真皮", "女包", "手提"], ["无线", "鼠标", "静音"]] * 4
    recurring = [[a, "琅", "珠链", b] for a, b in around]
    assert mine(recurring + others) == ["琅珠链"]
    assert mine(recurring[:2] + others) == [], "twice is chance"
    always = [["红色", "琅", "珠链", "棉服"]] * 4
    assert mine(always + others) == [], "always the same neighbours: part of something longer"


def test_a_cutter_is_the_same_after_a_restart(cutter: Cutter) -> None:
    again = Cutter.restore(cutter.state())
    assert again.own == cutter.own
    assert [again.index_words(run) for title in TITLES for run in runs(title)] == [
        cutter.index_words(run) for title in TITLES for run in runs(title)
    ]


@given(st.text(alphabet="无不没有含糖的男女夏茶叶和服装鞋杯灯一丁凵", max_size=150))
def test_any_characters_are_cut_without_loss(text: str) -> None:
    cutter = Cutter.of([], [])
    assert "".join(cutter.cut(text)) == text
    assert all(term.readings for term in cutter.query_terms(text))
    cutter.index_words(text)


def test_cutting_is_fast_enough_for_a_million_titles(cutter: Cutter) -> None:
    run = "家用静音多功能破壁料理机豆浆榨汁"
    cutter.index_words(run)
    start = time.perf_counter()
    for _ in range(200):
        cutter.index_words(run)
    assert (time.perf_counter() - start) / 200 < 0.01


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("两万毫安充电宝", "20000毫安充电宝"),
        ("半升水杯", "0.5升水杯"),
        ("一米八床", "1.8米床"),
        ("两斤半", "2.5斤"),
        ("一点五米", "1.5米"),
        ("二十四色蜡笔", "24色蜡笔"),
        ("两百元以下", "200元以下"),
        ("百元以内", "100元以内"),
        ("五百到一千元", "500到1000元"),
        ("三双袜子", "3双袜子"),
        ("一个", "一个"),
        ("千层蛋糕", "千层蛋糕"),
        ("三文鱼", "三文鱼"),
        ("三只松鼠", "三只松鼠"),
        ("四件套", "四件套"),
        ("五香花生", "五香花生"),
        ("一次性", "一次性"),
        ("三合一", "三合一"),
        ("半身裙", "半身裙"),
        ("三年级", "三年级"),
        ("两三百", "两三百"),
        ("500ml", "500ml"),
    ],
)
def test_numbers_in_characters_are_read_and_names_are_left(written: str, read: str) -> None:
    assert read_numbers(written) == read


@pytest.mark.parametrize(
    ("chinese", "digits"),
    [
        ("一千二百", "1200"),
        ("两千五", "2500"),
        ("一万零五十", "10050"),
        ("十五", "15"),
        ("二〇二四", "2024"),
        ("三点一四", "3.14"),
        ("一百零八", "108"),
        ("一亿", "100000000"),
    ],
)
def test_a_number_has_its_value(chinese: str, digits: str) -> None:
    assert number(chinese) == digits


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ("我想买一个行李箱", "行李箱"),
        ("请问有没有适合老人的手机", "老人 手机"),
        ("帮我推荐一款200元以下的台灯", "200元以下 台灯"),
        ("便宜的雨伞", "便宜 雨伞"),
        ("不要红色的围巾", "不要红色 围巾"),
        ("想给妈妈买件外套", "妈妈 外套"),
        ("一次性手套", "一次性手套"),
        ("一体机", "一体机"),
        ("防水但不要太重的背包", "防水 不要太重 背包"),
        ("亲肤睡衣", "亲肤睡衣"),
        ("求婚戒指", "求婚戒指"),
        ("目的地", "目的地"),
        ("推荐", "推荐"),
    ],
)
def test_what_is_said_around_a_wish_is_dropped(query: str, wish: str) -> None:
    assert strip_filler(query) == wish


def test_a_shopper_who_only_asks_is_not_left_without_words() -> None:
    assert strip_filler("有没有") == "有没有"
    assert strip_filler(" ") == ""
