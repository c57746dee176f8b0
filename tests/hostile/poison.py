"""Bodies of queue messages that our code never sends."""

import json

from hypothesis import strategies as st

# The largest message that SQS accepted for most of its life. Ours are far smaller.
LARGEST = 256 * 1024

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([2**31 - 1, 2**31, 2**63, 10**400, "\ud800", "\x00", "{p}", "' OR 1=1 --"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def deep(opening, closing="", length=LARGEST):
    """Return JSON that is nested as deeply as fits into a message."""
    count = length // (len(opening) + len(closing))
    return opening * count + closing * count


HUGE = {
    "lists": deep("["),
    "lists that end": deep("[", "]"),
    "objects": deep('{"claims":'),
    "objects that end": deep('{"claims":[', "]}"),
    "a number": "1" * LARGEST,
    "a text": '"' + "a" * (LARGEST - 2) + '"',
    "escapes": "\\u0000" * (LARGEST // 6),
    "a name": json.dumps({"a" * 200_000: 1}),
    "names": json.dumps({f"k{number}": number for number in range(15_000)}),
    "claims": json.dumps({"product_id": "p", "claims": [["1-1", "u", 1, ""]] * 12_000}),
    "bad claims": json.dumps({"product_id": "p", "claims": [[]] * 60_000}),
}


@st.composite
def mutated_json(draw, valid):
    """Remove, set, duplicate or add one field of a valid message."""
    fields = dict(valid)
    name = draw(st.sampled_from(sorted(fields)) | st.text(max_size=10))
    how = draw(st.sampled_from(["take", "set", "double"]))
    if how == "take":
        fields.pop(name, None)
        return json.dumps(fields)
    if how == "set":
        return json.dumps(fields | {name: draw(values)})
    doubled = f"{json.dumps(name)}: {json.dumps(draw(values))}"
    return json.dumps(fields)[:-1] + f", {doubled}}}"


@st.composite
def mutated_text(draw, valid):
    """Change, drop or insert characters of a valid message."""
    text = list(json.dumps(valid))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text) - 1))
        text[at] = draw(st.sampled_from(["", "0", '"', "\\", "\x00", "é", "[", "]"]) | st.text())
    return "".join(text)


def bodies(*valid):
    """Return arbitrary bodies and mutated valid messages."""
    mutated = [make(one) for one in valid for make in (mutated_json, mutated_text)]
    large = st.sampled_from(sorted(HUGE)).map(HUGE.get)
    return st.one_of(st.text(), values.map(json.dumps), large, *mutated)
