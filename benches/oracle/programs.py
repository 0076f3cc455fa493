"""Programs over the alphabet of tests/canonical/graphs/programs.rs, run on a stack of tensors of this file's own."""

WORDS = {
    "c": ["conv(3)", "bn", "relu"],
    "p": ["conv(1)", "bn", "relu"],
    "d": ["dwconv(3)", "bn", "relu"],
    "m": ["maxpool(3)"],
    "a": ["avgpool(3)"],
}
MERGES = {"+": "add", "|": "cat"}


class Invalid(Exception):
    """The program takes more than one tensor, leaves more than one, or adds tensors of different shapes."""


def graph_of_text(text):
    """The dataflow graph of a program on one tensor. A tensor is its node and how many times the channels of the
    input it has: no word changes any other size."""
    nodes = [node("input(0)", [])]
    stack = [(0, 1)]
    for symbol in text:
        if symbol == ":":
            stack.append(stack[-1])
        elif symbol in "~+|":
            if len(stack) < 2:
                raise Invalid(text)
            upper, lower = stack.pop(), stack.pop()
            if symbol == "~":
                stack += [upper, lower]
            else:
                if symbol == "+" and lower[1] != upper[1]:
                    raise Invalid(text)
                nodes.append(node(MERGES[symbol], [lower[0], upper[0]]))
                channels = lower[1] if symbol == "+" else lower[1] + upper[1]
                stack.append((len(nodes) - 1, channels))
        else:
            place, channels = stack.pop()
            for word in WORDS[symbol]:
                nodes.append(node(word, [place]))
                place = len(nodes) - 1
            stack.append((place, channels))
    if len(stack) != 1:
        raise Invalid(text)
    return {"nodes": nodes, "outputs": [stack[0][0]]}


def is_valid(text):
    try:
        graph_of_text(text)
    except Invalid:
        return False
    return True


def node(word, operands):
    return {"word": word, "operands": operands, "weights": None, "shape": None}
