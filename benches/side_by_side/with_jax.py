"""Trains a module of `snapc emit torch` with JAX: what torch.fx records of its forward pass runs as operations of JAX.

Only the operations of the nets of `side_by_side.py` are known here. The whole step, with loss, gradients, running
statistics and AdamW, is one function under `jax.jit`, whose old parameters are given away.
"""

import functools
import operator

import jax
import jax.numpy as jnp
import torch
import torch.nn.functional as F
from jax import lax
from torch import nn


def convolution(module, parameters, inputs):
    padding = [(pad, pad) for pad in module.padding]
    outputs = lax.conv_general_dilated(
        inputs,
        parameters["weight"],
        module.stride,
        padding,
        rhs_dilation=module.dilation,
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
        feature_group_count=module.groups,
    )
    return outputs + parameters["bias"][:, None, None] if "bias" in parameters else outputs


def batch_norm(module, parameters, state, inputs):
    axes = (0, *range(2, inputs.ndim))
    shape = (1, -1, *[1] * (inputs.ndim - 2))
    mean, variance = inputs.mean(axes), inputs.var(axes)
    count = inputs.size / inputs.shape[1]
    share = module.momentum
    state["running_mean"] = (1 - share) * state["running_mean"] + share * mean
    state["running_var"] = (1 - share) * state["running_var"] + share * variance * count / (count - 1)
    scale = parameters["weight"] * lax.rsqrt(variance + module.eps)
    return (inputs - mean.reshape(shape)) * scale.reshape(shape) + parameters["bias"].reshape(shape)


def max_pool(inputs, size, stride, padding, **_):
    window, strides = (1, 1, size, size), (1, 1, stride, stride)
    return lax.reduce_window(inputs, -jnp.inf, lax.max, window, strides, [(0, 0), (0, 0)] + [(padding, padding)] * 2)


FUNCTIONS = {
    operator.add: operator.add,
    operator.getitem: operator.getitem,
    torch.cat: lambda parts, dim: jnp.concatenate(parts, dim),
    F.relu: lambda inputs, inplace: jax.nn.relu(inputs),
    F.relu6: lambda inputs, inplace: jax.nn.relu6(inputs),
    F.max_pool2d: max_pool,
}
METHODS = {
    "mean": lambda inputs, dim: inputs.mean(dim),
    "flatten": lambda inputs, start: inputs.reshape(*inputs.shape[:start], -1),
}


def apply(module, name, parameters, state, inputs):
    """One module on its input, with those of the parameters and the state that are its own."""
    own = {key.removeprefix(f"{name}."): value for key, value in parameters.items() if key.startswith(f"{name}.")}
    if isinstance(module, nn.Conv2d):
        return convolution(module, own, inputs)
    if isinstance(module, nn.Linear):
        return inputs @ own["weight"].T + own["bias"]
    if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        kept = {key: state[f"{name}.{key}"] for key in ("running_mean", "running_var")}
        outputs = batch_norm(module, own, kept, inputs)
        state.update({f"{name}.{key}": value for key, value in kept.items()})
        return outputs
    raise NotImplementedError(type(module).__name__)


def forward(graph, parameters, state, inputs):
    """The logits, with the state after them."""
    values, state = {}, dict(state)
    for node in graph.graph.nodes:
        arguments = torch.fx.map_arg(node.args, lambda other: values[other])
        named = torch.fx.map_arg(node.kwargs, lambda other: values[other])
        if node.op == "placeholder":
            values[node] = inputs
        elif node.op == "call_module":
            values[node] = apply(graph.get_submodule(node.target), node.target, parameters, state, *arguments)
        elif node.op == "call_function":
            values[node] = FUNCTIONS[node.target](*arguments, **named)
        elif node.op == "call_method":
            values[node] = METHODS[node.target](*arguments, **named)
        else:
            return arguments[0], state
    raise ValueError("the graph has no output")


def adamw(parameter, gradient, first, second, count, rate=1e-3, decay=0.01, betas=(0.9, 0.999), epsilon=1e-8):
    """A step of AdamW as torch.optim.AdamW has it."""
    first = betas[0] * first + (1 - betas[0]) * gradient
    second = betas[1] * second + (1 - betas[1]) * gradient**2
    step = first / (1 - betas[0] ** count) / (jnp.sqrt(second / (1 - betas[1] ** count)) + epsilon)
    return parameter * (1 - rate * decay) - rate * step, first, second


def training_step(model, inputs, labels):
    """A function that makes a step of training, waits for it, and gives the loss."""
    graph = torch.fx.symbolic_trace(model)
    parameters = {name: jnp.asarray(value.detach().numpy()) for name, value in model.named_parameters()}
    buffers = {name: jnp.asarray(value.numpy()) for name, value in model.named_buffers()}
    # Numbers of their own for both moments: what is given away can't be given twice.
    moments = [{name: jnp.zeros_like(value) for name, value in parameters.items()} for _ in range(2)]
    variables = [parameters, *moments, buffers, jnp.zeros(())]
    inputs, labels = jnp.asarray(inputs.numpy()), jnp.asarray(labels.numpy())

    def loss(parameters, buffers):
        logits, buffers = forward(graph, parameters, buffers, inputs)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)
        return -chosen.mean(), buffers

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3, 4))
    def step(parameters, first, second, buffers, count):
        count = count + 1
        (value, buffers), gradients = jax.value_and_grad(loss, has_aux=True)(parameters, buffers)
        updated = {
            name: adamw(value, gradients[name], first[name], second[name], count) for name, value in parameters.items()
        }
        parameters, first, second = ({name: parts[i] for name, parts in updated.items()} for i in range(3))
        return value, [parameters, first, second, buffers, count]

    def run():
        nonlocal variables
        value, variables = step(*variables)
        return float(value)

    return run
