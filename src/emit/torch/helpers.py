class Block(nn.Module):
    """Modules by name; a list is one for each time that a word stands in the block."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, nn.ModuleList(module) if isinstance(module, list) else module)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position of [n, c, h, w]."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ChannelRMSNorm(nn.RMSNorm):
    """Root-mean-square normalisation over the channels of each position of [n, c, h, w]."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """Multiplies each feature, which lie along the last axis, by a number."""

    def __init__(self, features):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))

    def forward(self, x):
        return x * self.weight


class ChannelScale(LayerScale):
    """Multiplies each channel of [n, c, h, w] by a number."""

    def forward(self, x):
        return x * self.weight[:, None, None]


class Positions(nn.Module):
    """Adds a vector to each of the tokens [n, t, d]."""

    def __init__(self, tokens, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(tokens, width))

    def forward(self, x):
        return x + self.weight


class ClassToken(nn.Module):
    """Puts a token before those of [n, t, d]."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return torch.cat([self.weight.expand(len(x), 1, -1), x], dim=1)


class Attention(nn.Module):
    """Multi-head self-attention of [n, t, d]. No position sees those whose mask [n, t] is zero."""

    def __init__(self, width, heads, causal=False, bias=True):
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width)) if bias else None
        self.out_proj = nn.Linear(width, width, bias=bias)

    def forward(self, x, mask=None):
        query, key, value = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        seen = None
        if mask is not None:
            seen = (mask != 0)[:, None, None, :]
        if self.causal:
            seen = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
        return self.out_proj(attend(query, key, value, self.heads, seen))


class CrossAttention(nn.Module):
    """Multi-head attention of [n, t, d] to [n, s, e]."""

    def __init__(self, width, context, heads, bias=True):
        super().__init__()
        self.heads = heads
        self.q_proj_weight = nn.Parameter(torch.zeros(width, width))
        self.k_proj_weight = nn.Parameter(torch.zeros(width, context))
        self.v_proj_weight = nn.Parameter(torch.zeros(width, context))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width)) if bias else None
        self.out_proj = nn.Linear(width, width, bias=bias)

    def forward(self, x, context):
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        query = F.linear(x, self.q_proj_weight, biases[0])
        key = F.linear(context, self.k_proj_weight, biases[1])
        value = F.linear(context, self.v_proj_weight, biases[2])
        return self.out_proj(attend(query, key, value, self.heads))


class WindowAttention(nn.Module):
    """Self-attention within windows of [n, c, h, w], as in the Swin Transformer."""

    def __init__(self, channels, heads, window, shift=(0, 0)):
        super().__init__()
        self.heads = heads
        self.window = window
        self.shift = shift
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        reach = 2 * window - 1
        self.relative_position_bias_table = nn.Parameter(torch.zeros(reach * reach, heads))
        y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
        y, x = y.flatten(), x.flatten()
        rows = (y[:, None] - y + window - 1) * reach + (x[:, None] - x + window - 1)
        self.register_buffer("rows", rows, persistent=False)

    def cut(self, x):
        """[n, h, w, c] to [n, windows, positions, c]."""
        n, h, w, c = x.shape
        x = x.view(n, h // self.window, self.window, w // self.window, self.window, c)
        return x.transpose(2, 3).reshape(n, -1, self.window * self.window, c)

    def join(self, x, h, w):
        """[n, windows, positions, c] to [n, h, w, c]."""
        n, _, _, c = x.shape
        x = x.view(n, h // self.window, w // self.window, self.window, self.window, c)
        return x.transpose(2, 3).reshape(n, h, w, c)

    def forward(self, x):
        _, _, h, w = x.shape
        down, right = self.shift
        # Rolling brings the first rows and columns behind the last: such neighbours are apart.
        region = torch.zeros(1, h, w, 1, device=x.device)
        region[:, h - down :] += 1
        region[:, :, w - right :] += 2
        region = self.cut(region).squeeze(-1)
        apart = region[:, :, None, :] != region[:, :, :, None]
        bias = self.relative_position_bias_table[self.rows].permute(2, 0, 1)
        x = self.cut(x.permute(0, 2, 3, 1).roll((-down, -right), dims=(1, 2)))
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        scores = scores + bias + apart.to(x.dtype)[:, :, None] * -100
        x = self.proj((scores.softmax(dim=-1) @ value).transpose(2, 3).flatten(3))
        return self.join(x, h, w).roll((down, right), dims=(1, 2)).permute(0, 3, 1, 2)


def attend(query, key, value, heads, seen=None):
    """Multi-head attention; `seen` says what a position sees, and where that is nothing, gives 0."""

    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    query, key, value = split(query), split(key), split(value)
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    if seen is None:
        shares = scores.softmax(dim=-1)
    else:
        shares = scores.masked_fill(~seen, -1e30).softmax(dim=-1) * seen
    return (shares @ value).transpose(1, 2).flatten(2)


def drop_path(x, rate, training):
    """Sets whole examples to zero with this probability while training."""
    if not training or rate == 0:
        return x
    kept = torch.rand(len(x), *[1] * (x.dim() - 1), device=x.device) >= rate
    return x * kept / (1 - rate)


def channel_shuffle(x, groups):
    """The first channels of all groups, then the second of all, and so on."""
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


def share(module, other):
    """Lets a module have the weights of another, as the program says."""
    for name, tensor in [*other.named_parameters(), *other.named_buffers()]:
        path, _, last = name.rpartition(".")
        setattr(module.get_submodule(path), last, tensor)


def read_safetensors(path):
    """The tensors of a file in the format safetensors, by name; they are of single precision."""
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{name} is of type {entry['dtype']}, not F32")
        first, last = entry["data_offsets"]
        data = bytearray(content[start + first : start + last])
        tensors[name] = torch.frombuffer(data, dtype=torch.float32).reshape(entry["shape"])
    return tensors
