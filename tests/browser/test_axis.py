"""The x axis of a chart, as the browser works it out."""

from __future__ import annotations

import itertools

LABELS = """async widths => {
    const { axisTicks } = await import('/app/static/plot.js');
    const measure = words => 7 * words.length, found = [];
    for (const width of widths)
        for (const first of [0, 1, 100, 1000, 9500, 1e6])
            for (const span of [14, 99, 260, 1500, 1900, 12345, 13400, 5e5, 9.9e5]) {
                const x = place => 40 + (place - first) / span * width;
                const { xLabels } = axisTicks(first, first + span, x, [33, width + 60], width, measure);
                const labels = xLabels.map(({ at, words }) => [at, at + measure(words), words]);
                found.push({ width, first, span, labels });
            }
    return found;
}"""


def test_an_axis_has_three_labels_where_there_is_room_and_none_touch(page):
    page.goto("/")
    for axis in page.evaluate(LABELS, [300, 350, 480, 640, 1100]):
        labels = axis["labels"]
        widest = max(end - begin for begin, end, _ in labels)
        assert len(labels) >= (3 if axis["width"] >= 6 * widest else 1), axis
        assert len({words for *_, words in labels}) == len(labels), axis
        assert all(end < begin for (_, end, _), (begin, _, _) in itertools.pairwise(labels)), axis
