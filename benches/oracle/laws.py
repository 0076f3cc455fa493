"""The laws of book/src/reference/laws.md for the words that the comparison uses: one pass over the nodes of a program,
which makes a vertex of each or finds that it is one that is there already."""

from collections import Counter
from dataclasses import dataclass

WEIGHTS = {"conv", "dwconv"}
WEIGHTS_AND_STATE = {"bn"}
RANDOM = {"dropout"}
FUNCTIONS = {"add", "avgpool", "cat", "gelu", "input", "maxpool", "mul", "relu", "relu6", "tanh", "zero"}


@dataclass(frozen=True)
class Vertex:
    label: str
    # The vertices that it reads, in order; sorted, where the order does not count.
    operands: tuple
    is_ordered: bool = True
    # Set for what is more than a function of its operands and of its shared weights: the node.
    layer: int | None = None
    weights: int | None = None

    def roles(self):
        """For each operand, where it stands or how often it occurs."""
        if not self.is_ordered:
            return Counter(self.operands)
        roles = {}
        for position, operand in enumerate(self.operands):
            roles[operand] = (*roles.get(operand, ()), position)
        return roles


def reduced(graph, laws):
    """The vertices of a program under laws, and which of them it leaves."""
    vertices = []
    place_of = {}
    places = []
    zeros = set()
    for number, node in enumerate(graph["nodes"]):
        operands = [places[operand] for operand in node["operands"]]
        is_zero = gives_zero(node["word"], [operand in zeros for operand in operands], laws)
        if is_zero:
            vertex = zeros_of(graph, node, operands, vertices, zeros)
        else:
            operands = without_zeros(node["word"], operands, zeros, laws)
            vertex = None
        vertex = vertex or vertex_of(node, number, operands, vertices, laws)
        if vertex not in place_of:
            place_of[vertex] = len(vertices)
            vertices.append(vertex)
        places.append(place_of[vertex])
        if is_zero:
            zeros.add(place_of[vertex])
    return vertices, [places[output] for output in graph["outputs"]]


def gives_zero(word, zeros, laws):
    """Laws 11 and 13: whether a word gives zero, given which of its operands are."""
    name = word.partition("(")[0]
    if name == "zero":
        return True
    if name == "mul" and laws == "real":
        return any(zeros)
    if name in WEIGHTS:
        return laws == "real" and all(zeros)
    return name not in WEIGHTS_AND_STATE and bool(zeros) and all(zeros)


def zeros_of(graph, node, operands, vertices, zeros):
    """Law 11: what is zero, if that is another vertex than the word's own."""
    inputs = [other for other in graph["nodes"] if other["word"].startswith("input")]
    for place, other in enumerate(inputs):
        if other["shape"] == node["shape"]:
            return Vertex("zeros like input", (place,))
    if node["word"] == "zero" and operands[0] in zeros:
        return vertices[operands[0]]
    return None


def without_zeros(word, operands, zeros, laws):
    """Law 12, of a sum that is not zero."""
    if word.startswith("add") and laws == "real":
        return [operand for operand in operands if operand not in zeros]
    return operands


def vertex_of(node, number, operands, vertices, laws):
    word = node["word"]
    name, _, arguments = word.removesuffix(")").partition("(")
    if is_identity(name, arguments, laws) or name == "add" and len(operands) == 1:
        return vertices[operands[0]]
    if name in WEIGHTS:
        weights = node["weights"]
        return Vertex(word, tuple(operands), layer=number if weights is None else None, weights=weights)
    if name in WEIGHTS_AND_STATE:
        return Vertex(word, tuple(operands), layer=number, weights=node["weights"])
    if name in RANDOM:
        return Vertex(word, tuple(operands), layer=number)
    assert name in FUNCTIONS, f"nothing is known of {name}"
    if name == "cat":
        return Vertex("cat", tuple(flattened("cat", operands, vertices)))
    if name in ("add", "mul"):
        return merged(name, operands, vertices, laws)
    if name in ("relu", "relu6"):
        return rectified(name, operands[0], vertices)
    return Vertex(word, tuple(operands))


def is_identity(name, arguments, laws):
    """Laws 3 and 10."""
    match name, arguments:
        case ("add" | "mul" | "cat" | "maxpool", "1") | ("dropout", "0.0"):
            return True
        case "avgpool", "1":
            return laws == "real"
    return False


def flattened(label, operands, vertices):
    """Laws 7 to 9: parts of parts in place of parts of the same kind."""
    for operand in operands:
        if vertices[operand].label == label:
            yield from vertices[operand].operands
        else:
            yield operand


def merged(name, operands, vertices, laws):
    """Laws 4, 8 and 9."""
    if laws == "real":
        return Vertex(name, tuple(sorted(flattened(name, operands, vertices))), is_ordered=False)
    if len(operands) == 2:
        return Vertex(name, tuple(sorted(operands)), is_ordered=False)
    return Vertex(f"{name} in order", tuple(operands))


def rectified(name, operand, vertices):
    """Law 6: of two rectifiers in a row, the tighter one."""
    inner = vertices[operand]
    if inner.label == "relu6":
        return inner
    if inner.label == "relu":
        return Vertex(name, inner.operands)
    return Vertex(name, (operand,))
