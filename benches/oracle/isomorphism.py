"""Compares the keys of programs with an isomorphism test that shares no code with snapc: networkx's.

It reads what `examples/isomorphism.rs` writes, applies the laws (book/src/reference/laws.md) in the simplest way, and
prints what came of it as JSON, which isomorphism.json keeps. Needs Python 3.11 with networkx:

    cargo run --release --no-default-features --example isomorphism > programs.jsonl
    python3 benches/oracle/isomorphism.py < programs.jsonl > benches/oracle/isomorphism.json
"""

import json
import platform
import sys
import time
from collections import Counter, defaultdict
from itertools import product

import networkx

from laws import reduced
from programs import graph_of_text, is_valid

LAWS = ["exact", "real"]


def encoded(graph, laws):
    """The reduced graph for networkx, without what no output needs."""
    vertices, outputs = reduced(graph, laws)
    result = networkx.DiGraph()
    layers = defaultdict(list)
    pending = list(outputs)
    while pending:
        place = pending.pop()
        if place in result:
            continue
        vertex = vertices[place]
        result.add_node(place, label=vertex.label)
        # Who shares weights, which only those say that are needed.
        if vertex.weights is not None:
            layers[vertex.weights].append(place)
        pending.extend(vertex.operands)
    for place in list(result):
        for operand, role in vertices[place].roles().items():
            result.add_edge(operand, place, label=role)
    for weights, users in layers.items():
        if len(users) > 1:
            result.add_node(("weights", weights), label="weights")
            result.add_edges_from(((("weights", weights), user) for user in users), label="weights")
    for position, output in enumerate(outputs):
        result.add_node(("output", position), label=f"output {position}")
        result.add_edge(output, ("output", position), label="output")
    return result


def same_label(left, right):
    return left["label"] == right["label"]


def are_isomorphic(left, right):
    return networkx.is_isomorphic(left, right, node_match=same_label, edge_match=same_label)


def invariant(graph):
    """What isomorphic graphs have in common: the labels of all edges with those of their ends."""
    label = graph.nodes.data("label")
    return str(sorted(str((label[start], role, label[end])) for start, end, role in graph.edges.data("label")))


def compare_programs(programs, laws):
    """Divides programs into classes by isomorphism, and compares these with the classes by key."""
    alike = defaultdict(list)
    for text, keys in programs:
        alike[invariant(encoded(graph_of_text(text), laws))].append((text, keys[laws]))
    tests = Counter()
    classes_of_key = defaultdict(set)
    keys_of_class = []
    for bucket in alike.values():
        # One of each class: its number, its graph, and its key to be tried first.
        representatives = []
        for text, key in bucket:
            graph = encoded(graph_of_text(text), laws)
            for number, representative, own in sorted(representatives, key=lambda it: it[2] != key):
                is_same = are_isomorphic(representative, graph)
                tests[is_same] += 1
                if is_same:
                    break
            else:
                number = len(keys_of_class)
                keys_of_class.append(set())
                representatives.append((number, graph, key))
            classes_of_key[key].add(number)
            keys_of_class[number].add(key)
    wrong = [key for key, classes in classes_of_key.items() if len(classes) > 1]
    return {
        "programs": len(programs),
        "pairs": len(programs) * (len(programs) - 1) // 2,
        "classes by isomorphism": len(keys_of_class),
        "classes by key": len(classes_of_key),
        "tests that found an isomorphism": tests[True],
        "tests that found none": tests[False],
        "classes with several keys": sum(len(keys) > 1 for keys in keys_of_class),
        "keys with several classes": len(wrong),
    }


def compare_pair(pair, laws, counts):
    graphs = [encoded(side["graph"], laws) for side in pair]
    is_same = are_isomorphic(*graphs)
    has_same_key = pair[0]["keys"][laws] == pair[1]["keys"][laws]
    counts["pairs"] += 1
    counts["isomorphic"] += is_same
    counts["with equal keys"] += has_same_key
    counts["disagreements"] += is_same != has_same_key
    counts["largest graph"] = max(counts["largest graph"], len(graphs[0]))


def check_enumeration(programs):
    """The programs are all that are valid, by a type check of this script's own."""
    texts = [text for text, _ in programs]
    longest = max(len(text) for text in texts)
    lengths = range(1, longest + 1)
    strings = ("".join(string) for length in lengths for string in product("cpdma:~+|", repeat=length))
    expected = {string for string in strings if is_valid(string)}
    assert len(texts) == len(expected) and set(texts) == expected, "not the valid programs"
    return longest


def main():
    start = time.monotonic()
    programs = []
    pairs = {laws: Counter() for laws in LAWS}
    for line in map(json.loads, sys.stdin):
        if "program" in line:
            programs.append((line["program"], line["keys"]))
        else:
            for laws in LAWS:
                compare_pair(line["pair"], laws, pairs[laws])
    longest = check_enumeration(programs)
    result = {
        "python": platform.python_version(),
        "networkx": networkx.__version__,
        f"all programs of up to {longest} symbols": {laws: compare_programs(programs, laws) for laws in LAWS},
        "random graphs and changed copies": pairs,
        "seconds": round(time.monotonic() - start),
    }
    print(json.dumps(result, indent=4))
    wrong = ("disagreements", "classes with several keys", "keys with several classes")
    tables = [*result[f"all programs of up to {longest} symbols"].values(), *pairs.values()]
    return int(any(table.get(name, 0) for table in tables for name in wrong))


if __name__ == "__main__":
    sys.exit(main())
