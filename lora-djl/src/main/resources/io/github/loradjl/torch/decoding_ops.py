class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def linear(self: __torch__.Ops,
    x: Tensor,
    w: Tensor) -> Tensor:
    return (self).product(x, w, )
  def normed(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor,
    floor: Tensor) -> Tensor:
    h = torch.to(x, 6, False, False, None)
    norm = torch.linalg_vector_norm(h, 2, [-1], True)
    share = torch.pow(float(torch.size(x, -1)), -0.5)
    root = torch.hypot(torch.mul_(norm, share), floor)
    y = torch.to(torch.div(h, root), ops.prim.dtype(x), False, False, None)
    return torch.mul_(y, weight)
  def largest(self: __torch__.Ops,
    logits: Tensor) -> Tuple[Tensor, Tensor]:
    values, ids = torch.max(logits, 1)
    return (torch.to(values, 6, False, False, None), ids)
  def attended(self: __torch__.Ops,
    qk: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
    mask: Tensor) -> Tensor:
    b, g, capacity, d = torch.size(keys)
    at = int(position)
    heads = torch.view(qk, [b, -1, d])
    x1, x2 = torch.chunk(heads, 2, -1)
    turned = torch.cat([torch.neg(x2), x1], -1)
    cos0 = torch.view(cos, [-1, 1, d])
    sin0 = torch.view(sin, [-1, 1, d])
    heads0 = torch.addcmul_(torch.mul(heads, cos0), turned, sin0)
    h = torch.sub(torch.size(heads0, 1), g)
    q0 = torch.view(torch.narrow(heads0, 1, 0, h), [b, g, -1, d])
    k0 = torch.copy_(torch.select(keys, 2, at), torch.narrow(heads0, 1, h, g))
    v0 = torch.copy_(torch.select(values, 2, at), torch.view(v, [b, g, d]))
    n = torch.add(at, 1)
    seen = torch.narrow(keys, 2, 0, n)
    said = torch.narrow(values, 2, 0, n)
    if torch.eq(torch.numel(mask), 0):
      y = torch.scaled_dot_product_attention(q0, seen, said, None, 0., False, scale=None, enable_gqa=False)
    else:
      y = torch.scaled_dot_product_attention(q0, seen, said, mask, 0., False, scale=None, enable_gqa=False)
    return torch.reshape(y, [b, -1])
  def attention(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
    mask: Tensor) -> Tensor:
    qk = torch.squeeze(torch.cat([q, k], -1), 1)
    a = (self).attended(qk, torch.squeeze(v, 1), cos, sin, keys, values, position, mask, )
    return torch.unsqueeze(a, 1)
  def layer(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
    mask: Tensor,
    floor: Tensor,
    norm1: Tensor,
    wq: Tensor,
    wk: Tensor,
    wv: Tensor,
    wo: Tensor,
    norm2: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor) -> Tensor:
    x0 = torch.squeeze(x, 1)
    y = (self).normed(x0, norm1, floor, )
    q = (self).product(y, wq, )
    if torch.eq(torch.numel(wk), 0):
      n = torch.mul(torch.size(keys, 1), torch.size(keys, 3))
      qk, v = torch.split_with_sizes(q, [torch.sub(torch.size(q, 1), n), n], 1)
    else:
      qk = torch.cat([q, (self).product(y, wk, )], -1)
      v = (self).product(y, wv, )
    a = (self).attended(qk, v, cos, sin, keys, values, position, mask, )
    x1 = (self).product_plus(a, wo, x0, )
    y1 = (self).normed(x1, norm2, floor, )
    y2 = (self).product_plus((self).swiglu(y1, gate, up, ), down, x1, )
    return torch.unsqueeze(y2, 1)
