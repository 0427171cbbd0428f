  def blocks(self: __torch__.Ops,
    x: Tensor,
    w: Tensor) -> Tensor:
    m, k = torch.size(w)
    if torch.eq(torch.remainder(m, 64), 0):
      rows = 64
    else:
      rows = m
    n = torch.floordiv(m, rows)
    w0 = torch.transpose(torch.reshape(w, [n, rows, k]), 1, 2)
    return torch.bmm(torch.expand(torch.unsqueeze(x, 0), [n, -1, -1]), w0)
  def joined(self: __torch__.Ops,
    y: Tensor) -> Tensor:
    n, b, rows = torch.size(y)
    return torch.reshape(torch.transpose(y, 0, 1), [b, torch.mul(n, rows)])
  def product(self: __torch__.Ops,
    x: Tensor,
    w: Tensor) -> Tensor:
    return (self).joined((self).blocks(x, w, ), )
  def product_plus(self: __torch__.Ops,
    x: Tensor,
    w: Tensor,
    y: Tensor) -> Tensor:
    return torch.add_((self).product(x, w, ), y)
  def swiglu(self: __torch__.Ops,
    x: Tensor,
    gate: Tensor,
    up: Tensor) -> Tensor:
    gate0 = torch.silu_((self).blocks(x, gate, ))
    return (self).joined(torch.mul_(gate0, (self).blocks(x, up, )), )
