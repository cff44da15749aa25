"""Tables in HTML hold what they were given, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from belamy.pixels.display.tables import Measures, format_value, make_table


def cells(table):
    return [[cell.text or "" for cell in row] for row in ElementTree.fromstring(table)]


def test_a_table_has_its_header_and_its_rows():
    table = make_table(("class", "probability"), [("cat", 0.5), ("dog", 0.25)])
    assert cells(table) == [["class", "probability"], ["cat", "0.5"], ["dog", "0.25"]]
    assert "<th>class</th>" in table


def test_what_looks_like_html_is_text():
    table = make_table(("a&b",), [("<script>alert(1)</script>",)])
    assert cells(table) == [["a&b"], ["<script>alert(1)</script>"]]
    assert "<script" not in table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (1e-07, "1e-07"),
        (12345.6, "12,346"),
        (float("nan"), "nan"),
        (100000, "100000"),
        (True, "True"),
        (None, ""),
        ((1, 2), "(1, 2)"),
        ("x" * 201, "x" * 199 + "…"),
    ],
)
def test_values_are_short(value, text):
    assert format_value(value) == text


def test_measures_are_a_dict():
    measures = Measures(fid=12.34567, pictures=100)
    assert measures == {"fid": 12.34567, "pictures": 100}
    assert json.loads(json.dumps(measures)) == measures
    assert cells(measures._repr_html_()) == [["fid", "12.35"], ["pictures", "100"]]


def test_tables_need_no_torch():
    code = "import sys, belamy.pixels.display.tables; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
