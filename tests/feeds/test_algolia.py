"""Algolia Insights: what becomes of every line, sound or faulty."""

# ruff: noqa: E501 (a line of a log is a line here)

from pathlib import Path

from messy_logs import fix_of, read_log, told

LOG = """
{"eventType":"view","eventName":"Product Viewed","index":"products","userToken":"t1","timestamp":1769860800000,"objectIDs":["mug"]}
{"eventType":"view","eventName":"Hits Viewed","index":"products","userToken":"t1","timestamp":1769860801000,"objectIDs":["mug","pot"]}
{"eventType":"click","eventName":"Hit Clicked","index":"products","userToken":"t1","timestamp":1769860802000,"objectIDs":["pot"],"positions":[2],"queryID":"q1","query":"tea pot"}
{"eventType":"view","eventName":"Hits Viewed","index":"products","userToken":"t1","timestamp":1769860802500,"objectIDs":["mug"]}
{"eventType":"click","eventName":"Filter Clicked","index":"products","userToken":"t1","timestamp":1769860803000,"filters":["brand:Kiln"]}
{"eventType":"conversion","eventSubtype":"addToCart","eventName":"Added","index":"products","userToken":"t1","timestamp":1769860804000,"objectIDs":["pot"],"objectData":[{"price":8.5,"discount":1,"quantity":2}],"currency":"EUR"}
{"eventType":"conversion","eventSubtype":"purchase","eventName":"Order","index":"products","userToken":"t1","authenticatedUserToken":"anna","timestamp":1769860805000,"objectIDs":["mug","pot"],"objectData":[{"price":3.5,"quantity":2,"queryID":"q1"},{"price":8.5}],"value":15.5,"currency":"EUR"}
{"eventType":"conversion","eventSubtype":"purchase","eventName":"Order","index":"products","userToken":"t2","timestamp":1769860806000,"objectIDs":["mug"],"value":3.5,"currency":"EUR"}
"""
FAULTS = """
{"eventType":"view","eventName":"V","index":"products","userToken":"t1","timestamp":1769860800000,"objectIDs":["mug"]}
{"eventType":"clic","eventName":"V","index":"products","userToken":"t1","timestamp":1769860800000,"objectIDs":["mug"]}
{"eventType":"conversion","eventName":"Bought?","index":"products","userToken":"t1","timestamp":1769860800000,"objectIDs":["mug"]}
{"eventType":"click","eventName":"C","index":"products","userToken":"t1","timestamp":1769860800000}
{"eventType":"conversion","eventSubtype":"purchase","eventName":"P","userToken":"t1","timestamp":1769860800000,"objectIDs":["mug",null,"pot"],"objectData":[{"price":1}]}
{"eventType":"click","eventName":"C","index":"products","userToken":"t1","objectIDs":["mug"]}
{"eventType":"click","eventName":"C","index":"products","userToken":"t1","timestamp":17698608000000000000000,"objectIDs":["mug"]}
{"eventType":"conversion","eventSubtype":"addToCart","eventName":"A","userToken":"t1","timestamp":1769860800000,"objectIDs":["mug"],"objectData":[{"price":-1,"quantity":"two"}]}
{"eventType":"click","eventName":"C","index":"products","userToken":"t1","userAgent":"Scrapy spider","timestamp":1769860800000,"objectIDs":["mug"]}
["eventType"]
"""


def test_insights_are_read_object_by_object(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "insights.jsonl", LOG)
    assert [(e.kind.value, e.shopper_id, e.product_id, e.quantity, e.value_minor, e.query) for e in events] == [
        ("view", "t1", "mug", 1.0, None, ""),
        ("click", "t1", "pot", 1.0, None, "tea pot"),
        ("cart", "t1", "pot", 2.0, 1700, ""),
        ("purchase", "anna", "mug", 2.0, 700, ""),
        ("purchase", "anna", "pot", 1.0, 850, ""),
        ("purchase", "t2", "mug", 1.0, 350, ""),
    ]
    assert [(e.impression_id, e.position) for e in events[:5]] == [
        ("", None),
        ("q1", 2),
        ("", None),
        ("q1", None),
        ("", None),
    ]
    assert events[3].basket_id == events[4].basket_id != events[5].basket_id
    assert report.rejected_by_reason == {"left out: view of several objects": 2, "left out: click of filters": 1}


def test_every_fault_of_the_insights_is_named_and_every_good_one_kept(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "insights.jsonl", FAULTS)
    assert [(e.kind.value, e.product_id, e.value_minor) for e in events] == [
        ("view", "mug", None),
        ("purchase", "mug", None),
        ("purchase", "pot", None),
        ("cart", "mug", None),
    ]
    assert told(report.rejections) == {
        "unknown kind": [(2, "eventType", "clic")],
        "conversion of no known kind": [(3, "eventSubtype", "None")],
        "no product": [(4, "objectIDs", "None"), (5, "objectIDs[1]", "None")],
        "no time": [(6, "timestamp", "None")],
        "unreadable time": [(7, "timestamp", "17698608000000000000000")],
        "left out: bots": [(9, "userAgent", "Scrapy spider")],
        "not an object": [(10, "", "a list of 1")],
    }
    assert told(report.repairs) == {
        "objectData does not fit objectIDs: not used": [(5, "objectData", "a list of 1")],
        "quantity is no number: 1": [(8, "objectData[0].quantity", "two")],
        "price is no amount: unknown": [(8, "objectData[0].price", "-1")],
    }
    assert "purchase" in fix_of(report.rejections, "conversion of no known kind")
