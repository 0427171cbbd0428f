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
  def attended(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: int,
    mask: Optional[Tensor]) -> Tensor:
    b, g, capacity, d = torch.size(keys)
    qk = torch.view(torch.cat([q, k], -1), [b, -1, d])
    x1, x2 = torch.chunk(qk, 2, -1)
    turned = torch.cat([torch.neg(x2), x1], -1)
    cos0 = torch.view(cos, [-1, 1, d])
    sin0 = torch.view(sin, [-1, 1, d])
    qk0 = torch.addcmul_(torch.mul(qk, cos0), turned, sin0)
    h = torch.sub(torch.size(qk, 1), g)
    q0 = torch.view(torch.narrow(qk0, 1, 0, h), [b, g, -1, d])
    k0 = torch.copy_(torch.select(keys, 2, position), torch.narrow(qk0, 1, h, g))
    v0 = torch.copy_(torch.select(values, 2, position), torch.reshape(v, [b, g, d]))
    n = torch.add(position, 1)
    seen = torch.narrow(keys, 2, 0, n)
    said = torch.narrow(values, 2, 0, n)
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
    position: Tensor) -> Tensor:
    y = (self).attended(q, k, v, cos, sin, keys, values, int(position), None, )
    return torch.unsqueeze(y, 1)
  def attention_masked(self: __torch__.Ops,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
    mask: Tensor) -> Tensor:
    y = (self).attended(q, k, v, cos, sin, keys, values, int(position), mask, )
    return torch.unsqueeze(y, 1)
  def whole_layer(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
    mask: Optional[Tensor],
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
    k = (self).product(y, wk, )
    v = (self).product(y, wv, )
    a = (self).attended(q, k, v, cos, sin, keys, values, int(position), mask, )
    x1 = (self).product_plus(a, wo, x0, )
    y1 = (self).normed(x1, norm2, floor, )
    y2 = (self).product_plus((self).swiglu(y1, gate, up, ), down, x1, )
    return torch.unsqueeze(y2, 1)
  def layer(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
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
    return (self).whole_layer(x, cos, sin, keys, values, position, None, floor, norm1, wq, wk, wv, wo, norm2, gate, up, down, )
  def layer_masked(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    keys: Tensor,
    values: Tensor,
    position: Tensor,
    floor: Tensor,
    norm1: Tensor,
    wq: Tensor,
    wk: Tensor,
    wv: Tensor,
    wo: Tensor,
    norm2: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
    mask: Tensor) -> Tensor:
    return (self).whole_layer(x, cos, sin, keys, values, position, mask, floor, norm1, wq, wk, wv, wo, norm2, gate, up, down, )
