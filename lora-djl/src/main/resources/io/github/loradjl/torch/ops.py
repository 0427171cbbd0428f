class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def svd(self: __torch__.Ops,
    x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    u, s, vh = torch.linalg_svd(x, False)
    return (u, s, vh)
  def qr(self: __torch__.Ops,
    x: Tensor) -> Tuple[Tensor, Tensor]:
    q, r = torch.linalg_qr(x)
    return (q, r)
  def to_float32(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.to(x, 6, False, False, None)
  def to_float16(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.to(x, 5, False, False, None)
  def to_bfloat16(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.to(x, 15, False, False, None)
  def to_type_of(self: __torch__.Ops,
    x: Tensor,
    like: Tensor) -> Tensor:
    return torch.to(x, ops.prim.dtype(like), False, False, None)
  def bytes_as_bfloat16(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.view_copy(x, 15)
  def bfloat16_as_bytes(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.view_copy(torch.contiguous(x), 0)
  def element_size(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.tensor(torch.element_size(x), dtype=4)
  def spread(self: __torch__.Ops,
    x: Tensor,
    heads: int) -> Tensor:
    b, g, t, d = torch.size(x)
    if torch.eq(g, heads):
      y = x
    else:
      n = torch.floordiv(heads, g)
      z = torch.expand(torch.unsqueeze(x, 2), [b, g, n, t, d])
      y = torch.reshape(z, [b, heads, t, d])
    return y
  def attention_causal(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor) -> Tensor:
    h = torch.size(q, 1)
    k0 = (self).spread(k, h, )
    v0 = (self).spread(v, h, )
    return torch.scaled_dot_product_attention(q, k0, v0, None, 0., True, scale=None, enable_gqa=False)
  def attention_full(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor) -> Tensor:
    b, h, t, d = torch.size(q)
    g = torch.size(k, 1)
    q0 = torch.reshape(q, [b, g, torch.floordiv(h, g) * t, d])
    y = torch.scaled_dot_product_attention(q0, k, v, None, 0., False, scale=None, enable_gqa=False)
    return torch.reshape(y, [b, h, t, d])
  def attention_masked(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor) -> Tensor:
    h = torch.size(q, 1)
    k0 = (self).spread(k, h, )
    v0 = (self).spread(v, h, )
    return torch.scaled_dot_product_attention(q, k0, v0, mask, 0., False, scale=None, enable_gqa=False)
  def attention_masked_keys(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor) -> Tensor:
    b, h, t, d = torch.size(q)
    g = torch.size(k, 1)
    q0 = torch.reshape(q, [b, g, torch.floordiv(h, g) * t, d])
    y = torch.scaled_dot_product_attention(q0, k, v, mask, 0., False, scale=None, enable_gqa=False)
    return torch.reshape(y, [b, h, t, d])
  def equal_lengths(self: __torch__.Ops,
    lengths: Tensor,
    first: int) -> int:
    length = int(torch.select(lengths, 0, first))
    count = 1
    go_on = True
    while go_on:
      next = torch.add(first, count)
      go_on = False
      if torch.lt(next, torch.size(lengths, 0)):
        if torch.eq(int(torch.select(lengths, 0, next)), length):
          count = torch.add(count, 1)
          go_on = True
    return count
  def text_attention(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lengths: Tensor) -> Tensor:
    rows, h, d = torch.size(q)
    g = torch.size(k, 1)
    n = torch.floordiv(h, g)
    outs = annotate(List[Tensor], [])
    at = 0
    i = 0
    while torch.lt(i, torch.size(lengths, 0)):
      t = int(torch.select(lengths, 0, i))
      c = (self).equal_lengths(lengths, i, )
      all = torch.mul(c, t)
      q0 = torch.reshape(torch.narrow(q, 0, at, all), [c, t, h, d])
      k0 = torch.permute(torch.reshape(torch.narrow(k, 0, at, all), [c, t, g, d]), [0, 2, 1, 3])
      v0 = torch.permute(torch.reshape(torch.narrow(v, 0, at, all), [c, t, g, d]), [0, 2, 1, 3])
      if torch.eq(c, 1):
        q1 = torch.permute(torch.reshape(q0, [t, g, n, d]), [1, 2, 0, 3])
        k1 = torch.expand(torch.permute(k0, [1, 0, 2, 3]), [g, n, t, d])
        v1 = torch.expand(torch.permute(v0, [1, 0, 2, 3]), [g, n, t, d])
        y1 = torch.scaled_dot_product_attention(q1, k1, v1, None, 0., True, scale=None, enable_gqa=False)
        y = torch.permute(y1, [2, 0, 1, 3])
      else:
        q2 = torch.permute(q0, [0, 2, 1, 3])
        k2 = (self).spread(k0, h, )
        v2 = (self).spread(v0, h, )
        y2 = torch.scaled_dot_product_attention(q2, k2, v2, None, 0., True, scale=None, enable_gqa=False)
        y = torch.reshape(torch.permute(y2, [0, 2, 1, 3]), [all, g, n, d])
      outs0 = torch.append(outs, y)
      at = torch.add(at, all)
      i = torch.add(i, c)
    if torch.eq(torch.len(outs), 1):
      result = outs[0]
    else:
      result = torch.cat(outs)
    return torch.reshape(result, [rows, torch.mul(h, d)])
  def attention_unscaled(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    rate: Tensor) -> Tensor:
    return torch.scaled_dot_product_attention(q, k, v, None, float(rate), False, scale=1., enable_gqa=False)
  def attention_biased(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor,
    rate: Tensor) -> Tensor:
    return torch.scaled_dot_product_attention(q, k, v, bias, float(rate), False, scale=1., enable_gqa=False)
  def position_bias(self: __torch__.Ops,
    table: Tensor,
    buckets: Tensor) -> Tensor:
    x = torch.permute(torch.embedding(table, buckets), [2, 0, 1])
    return torch.contiguous(torch.unsqueeze(x, 0))
  def hide(self: __torch__.Ops,
    x: Tensor,
    seen: Tensor) -> Tensor:
    return torch.where(torch.ne(seen, 0), x, torch.full_like(x, -3.3895313892515355e+38))
  def scale(self: __torch__.Ops,
    x: Tensor,
    factor: Tensor) -> Tensor:
    return torch.mul(x, factor)
  def rms_norm(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor,
    eps: Tensor) -> Tensor:
    h = torch.to(x, 6, False, False, None)
    variance = torch.mean(torch.mul(h, h), [-1], True)
    h0 = torch.mul(h, torch.rsqrt(torch.add(variance, eps)))
    return torch.mul(weight, torch.to(h0, ops.prim.dtype(x), False, False, None))
  def silu_product(self: __torch__.Ops,
    gate: Tensor,
    up: Tensor) -> Tensor:
    return torch.mul(torch.silu(gate), up)
  def gelu_product(self: __torch__.Ops,
    gate: Tensor,
    up: Tensor) -> Tensor:
    return torch.mul(torch.gelu(gate, approximate="tanh"), up)
  def rotary(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor) -> Tensor:
    x1, x2 = torch.chunk(x, 2, -1)
    turned = torch.cat([torch.neg(x2), x1], -1)
    return torch.add(torch.mul(x, cos), torch.mul(turned, sin))
  def cross_entropy_mean(self: __torch__.Ops,
    logits: Tensor,
    labels: Tensor) -> Tensor:
    x = torch.to(logits, 6, False, False, None)
    return torch.cross_entropy_loss(x, labels, None, 1, -100, 0.)
  def cross_entropy_each(self: __torch__.Ops,
    logits: Tensor,
    labels: Tensor) -> Tensor:
    x = torch.to(logits, 6, False, False, None)
    return torch.cross_entropy_loss(x, labels, None, 0, -100, 0.)
  def cross_entropy_sum(self: __torch__.Ops,
    logits: Tensor,
    labels: Tensor) -> Tensor:
    x = torch.to(logits, 6, False, False, None)
    return torch.cross_entropy_loss(x, labels, None, 2, -100, 0.)
  def requires_gradient(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    return torch.tensor(ops.prim.requires_grad(x), dtype=11)
  def cross_entropy_gradient(self: __torch__.Ops,
    logits: Tensor,
    labels: Tensor) -> Tuple[Tensor, Tensor]:
    x = torch.to(logits, 6, False, False, None)
    target = torch.unsqueeze(labels, 1)
    logp = torch._log_softmax(x, 1, False, out=x)
    loss = torch.nll_loss(logp, labels, None, 2, -100)
    p = torch.exp_(logp)
    hit = torch.neg(torch.ones_like(target, dtype=6))
    g = torch.scatter_add_(p, 1, target, hit)
    return (loss, torch.to(g, ops.prim.dtype(logits), False, False, None))
  def count_largest(self: __torch__.Ops,
    logits: Tensor,
    labels: Tensor) -> Tensor:
    own = torch.gather(logits, 1, torch.unsqueeze(labels, 1))
    hits = torch.eq(own, torch.amax(logits, [1], True))
    return torch.to(torch.sum(hits), 6, False, False, None)
  def with_gradient(self: __torch__.Ops,
    x: Tensor,
    value: Tensor,
    gradient: Tensor) -> Tensor:
    x0 = torch.to(x, 6, False, False, None)
    g0 = torch.to(gradient, 6, False, False, None)
    s = torch.sum(torch.mul(x0, g0))
    return torch.add(value, torch.sub(s, torch.detach(s)))
  def next_token_rows(self: __torch__.Ops,
    hidden: Tensor,
    labels: Tensor) -> Tuple[Tensor, Tensor]:
    targets = torch.reshape(torch.slice(labels, 1, 1, None, 1), [-1])
    t = torch.size(labels, 1)
    keep = torch.squeeze(torch.nonzero(torch.ne(targets, -100)), 1)
    b = torch.floor_divide(keep, t - 1)
    rows = torch.add(keep, b)
    flat = torch.reshape(hidden, [-1, torch.size(hidden, -1)])
    return (torch.index_select(flat, 0, rows), torch.index_select(targets, 0, keep))
  def next_token_kept_rows(self: __torch__.Ops,
    hidden: Tensor,
    labels: Tensor,
    places: Tensor) -> Tuple[Tensor, Tensor]:
    targets = torch.reshape(torch.slice(labels, 1, 1, None, 1), [-1])
    from_rows = torch.reshape(torch.slice(places, 1, 0, -1, 1), [-1])
    kept = torch.logical_and(torch.ne(targets, -100), torch.ge(from_rows, 0))
    keep = torch.squeeze(torch.nonzero(kept), 1)
    rows = torch.index_select(from_rows, 0, keep)
    flat = torch.reshape(hidden, [-1, torch.size(hidden, -1)])
    return (torch.index_select(flat, 0, rows), torch.index_select(targets, 0, keep))
  def spread_rows(self: __torch__.Ops,
    x: Tensor,
    places: Tensor) -> Tensor:
    b, t = torch.size(places)
    rows = torch.reshape(torch.clamp(places, 0), [-1])
    flat = torch.reshape(x, [-1, torch.size(x, -1)])
    return torch.reshape(torch.index_select(flat, 0, rows), [b, t, -1])
  def labelled_rows(self: __torch__.Ops,
    hidden: Tensor,
    labels: Tensor) -> Tuple[Tensor, Tensor]:
    targets = torch.reshape(labels, [-1])
    keep = torch.squeeze(torch.nonzero(torch.ne(targets, -100)), 1)
    flat = torch.reshape(hidden, [-1, torch.size(hidden, -1)])
    return (torch.index_select(flat, 0, keep), torch.index_select(targets, 0, keep))
  def embedding(self: __torch__.Ops,
    weight: Tensor,
    ids: Tensor) -> Tensor:
    return torch.embedding(weight, ids)
  def take_rows(self: __torch__.Ops,
    x: Tensor,
    rows: Tensor) -> Tensor:
    return torch.index_select(x, 0, rows)
  def linear(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor) -> Tensor:
    return torch.linear(x, weight, None)
  def lora_linear(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor,
    a: Tensor,
    b: Tensor,
    scaling: Tensor) -> Tensor:
    x0 = torch.reshape(x, [-1, torch.size(x, -1)])
    y = torch.linear(x0, weight, None)
    xa = torch.linear(x0, torch.to(a, ops.prim.dtype(x), False, False, None), None)
    bt = torch.t(torch.to(b, ops.prim.dtype(x), False, False, None))
    y0 = torch.addmm_(y, torch.mul(xa, scaling), bt)
    shape = torch.slice(torch.size(x), 0, -1, 1)
    return torch.view(y0, torch.add(shape, [torch.size(weight, 0)]))
  def add_lora(self: __torch__.Ops,
    y: Tensor,
    x: Tensor,
    a: Tensor,
    b: Tensor,
    scaling: Tensor) -> Tensor:
    xa = torch.linear(x, torch.to(a, ops.prim.dtype(x), False, False, None), None)
    delta = torch.linear(torch.mul(xa, scaling), torch.to(b, ops.prim.dtype(x), False, False, None), None)
    return torch.add(y, delta)
  def add_lora_difference(self: __torch__.Ops,
    y: Tensor,
    x: Tensor,
    a: Tensor,
    b: Tensor,
    a0: Tensor,
    b0: Tensor,
    scaling: Tensor) -> Tensor:
    t = ops.prim.dtype(x)
    rows = torch.reshape(x, [-1, torch.size(x, -1)])
    xa = torch.mul(torch.linear(rows, torch.to(a, t, False, False, None), None), scaling)
    xa0 = torch.mul(torch.linear(rows, torch.to(a0, t, False, False, None), None), scaling)
    now = torch.linear(xa, torch.to(b, t, False, False, None), None)
    start = torch.linear(xa0, torch.to(b0, t, False, False, None), None)
    return torch.add(y, torch.reshape(torch.sub(now, start), torch.size(y)))
  def dropout(self: __torch__.Ops,
    x: Tensor,
    rate: Tensor) -> Tensor:
    return torch.dropout(x, float(rate), True)
  def inner(self: __torch__.Ops,
    x: Tensor,
    y: Tensor) -> Tensor:
    x0 = torch.to(x, 6, False, False, None)
    y0 = torch.to(y, 6, False, False, None)
    return torch.sum(torch.mul(x0, y0))
  def square_sum(self: __torch__.Ops,
    x: Tensor) -> Tensor:
    x0 = torch.to(x, 7, False, False, None)
    return torch.sum(torch.mul(x0, x0))
  def global_norm(self: __torch__.Ops,
    xs: List[Tensor],
    unused: Tensor) -> Tensor:
    return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(xs, 2)), 2)
  def scale_all(self: __torch__.Ops,
    xs: List[Tensor],
    factor: Tensor) -> Tensor:
    torch._foreach_mul_(xs, float(factor))
    return factor
  def adamw(self: __torch__.Ops,
    w: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    h: Tensor) -> Tensor:
    lr, beta1, beta2, eps, decay, correction1, root2 = torch.unbind(h)
    rate = float(lr)
    b2 = float(beta2)
    root = float(root2)
    if torch.ne(float(decay), 0.):
      w0 = torch.mul_(w, 1. - rate * float(decay))
    m0 = torch.lerp_(m, g, 1. - float(beta1))
    v0 = torch.addcmul_(torch.mul_(v, b2), g, g, value=1. - b2)
    denominator = torch.add_(torch.sqrt(v0), float(eps) * root)
    return torch.addcdiv_(w, m0, denominator, value=-(rate * root / float(correction1)))
  def copy_into(self: __torch__.Ops,
    into: Tensor,
    source: Tensor) -> Tensor:
    return torch.copy_(into, source)
  def write_at(self: __torch__.Ops,
    cache: Tensor,
    x: Tensor,
    position: Tensor) -> Tensor:
    p = int(position)
    t = torch.size(x, 2)
    return torch.copy_(torch.narrow(cache, 2, p, t), x)
  def read_to(self: __torch__.Ops,
    cache: Tensor,
    length: Tensor) -> Tensor:
    return torch.narrow(cache, 2, 0, int(length))
