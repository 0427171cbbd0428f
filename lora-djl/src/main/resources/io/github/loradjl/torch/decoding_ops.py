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
    position: Tensor,
    mask: Tensor) -> Tensor:
    b, g, capacity, d = torch.size(keys)
    at = int(position)
    qk = torch.view(torch.cat([q, k], -1), [b, -1, d])
    x1, x2 = torch.chunk(qk, 2, -1)
    turned = torch.cat([torch.neg(x2), x1], -1)
    cos0 = torch.view(cos, [-1, 1, d])
    sin0 = torch.view(sin, [-1, 1, d])
    qk0 = torch.addcmul_(torch.mul(qk, cos0), turned, sin0)
    h = torch.sub(torch.size(qk, 1), g)
    q0 = torch.view(torch.narrow(qk0, 1, 0, h), [b, g, -1, d])
    k0 = torch.copy_(torch.select(keys, 2, at), torch.narrow(qk0, 1, h, g))
    v0 = torch.copy_(torch.select(values, 2, at), torch.reshape(v, [b, g, d]))
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
    return torch.unsqueeze((self).attended(q, k, v, cos, sin, keys, values, position, mask, ), 1)
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
    k = (self).product(y, wk, )
    v = (self).product(y, wv, )
    a = (self).attended(q, k, v, cos, sin, keys, values, position, mask, )
    x1 = (self).product_plus(a, wo, x0, )
    y1 = (self).normed(x1, norm2, floor, )
    y2 = (self).product_plus((self).swiglu(y1, gate, up, ), down, x1, )
    return torch.unsqueeze(y2, 1)
