# The charts of the benchmarks: groups of bars, and curves, described in Vega-Lite and drawn as SVG by vl-convert, which
# install_charts of bench/install.sh brings.
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "build" / "charts"))

OWN, OTHER, BASE = "#0b6bcb", "#a9b4c0", "#5c6773"


def bar(group, name, value, low, high, label, own=False):
    """One bar: its length, from where to where a line goes (quartiles), and the figure that is written behind it."""
    return {"group": group, "name": name, "value": value, "low": low, "high": high, "label": label, "own": own}


def _page(title, subtitle, values, what):
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white", "padding": 14,
        "title": {"text": title, "subtitle": subtitle, "anchor": "start", "frame": "group", "offset": 14,
                  "fontSize": 15, "subtitleFontSize": 12, "subtitleColor": BASE, "subtitlePadding": 6},
        "data": {"values": values},
        "config": {"font": "Helvetica, Arial, sans-serif", "view": {"stroke": None}},
        **what,
    }


def chart(title, subtitle, axis, bars):
    """A chart of groups, one under the other over one axis, with their bars, all in the order in which they are told."""
    top = 1.12 * max(one["high"] for one in bars)
    y = {"field": "name", "type": "nominal", "sort": None, "title": None,
         "axis": {"domain": False, "ticks": False, "labelLimit": 240, "labelPadding": 6}}
    x = {"field": "value", "type": "quantitative", "title": axis, "scale": {"domain": [0, top]},
         "axis": {"tickCount": 6, "gridColor": "#e6e9ed", "domain": False, "ticks": False}}
    layers = [
        {"mark": {"type": "bar", "height": 15, "clip": True},
         "encoding": {"x": x, "color": {"condition": {"test": "datum.own", "value": OWN}, "value": OTHER}}},
        {"mark": {"type": "rule", "strokeWidth": 1.2, "color": BASE, "clip": True},
         "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}},
        {"mark": {"type": "text", "align": "left", "dx": 6, "color": BASE},
         "encoding": {"x": {"field": "high", "type": "quantitative"}, "text": {"field": "label"}}},
    ]
    return _page(title, subtitle, bars, {
        "facet": {"row": {"field": "group", "sort": list(dict.fromkeys(one["group"] for one in bars)), "title": None,
                          "header": {"labelAngle": 0, "labelOrient": "top", "labelAnchor": "start", "labelFontSize": 12,
                                     "labelFontWeight": "bold", "labelPadding": 4, "labelLimit": 640}}},
        "spacing": 14,
        "spec": {"width": 520, "height": {"step": 21}, "encoding": {"y": y}, "layer": layers},
        "resolve": {"scale": {"y": "independent"}},
    })


def curves(title, subtitle, x_axis, y_axis, points):
    """Curves over a logarithmic axis from points with `name`, `x`, `y`; the first name is our own. At the last point of each
    stands its name."""
    names = list(dict.fromkeys(point["name"] for point in points))
    colors = {"field": "name", "type": "nominal", "sort": None, "legend": None,
              "scale": {"domain": names, "range": [OWN, BASE, "#c8641b", "#3a8f5c"][:len(names)]}}
    axis = {"gridColor": "#e6e9ed", "domain": False, "ticks": False}
    x = {"field": "x", "type": "quantitative", "title": x_axis, "scale": {"type": "log"},
         "axis": {**axis, "values": sorted({point["x"] for point in points}), "format": ",d"}}
    y = {"field": "y", "type": "quantitative", "title": y_axis, "scale": {"zero": True}, "axis": axis}
    height, line = 240, 15
    least, at = line * max(point["y"] for point in points) / height, None  # names do not stand on one another
    ends = {name: max((point for point in points if point["name"] == name), key=lambda point: point["x"]) for name in names}
    for end in sorted(ends.values(), key=lambda point: point["y"]):
        at = end["label"] = end["y"] if at is None else max(end["y"], at + least)
    return _page(title, subtitle, points, {
        "width": 520, "height": height,
        "encoding": {"x": x, "y": y, "color": colors},
        "layer": [
            {"mark": {"type": "line", "point": True, "strokeWidth": 2}},
            {"transform": [{"filter": "isValid(datum.label)"}], "mark": {"type": "text", "align": "left", "dx": 8},
             "encoding": {"text": {"field": "name"}, "y": {"field": "label", "type": "quantitative"}}},
        ],
    })


def draw(charts, folder):
    """Writes each of `charts`, a mapping of names to what `chart` makes, to a file of that name."""
    import vl_convert
    for name, spec in charts.items():
        (folder / name).write_text(vl_convert.vegalite_to_svg(spec) + "\n", encoding="utf-8")
