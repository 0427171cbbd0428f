class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def rms_norm(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor,
    eps: Tensor) -> Tuple[Tensor, Tensor]:
    h = torch.to(x, 6, False, False, None)
    variance = torch.mean(torch.mul(h, h), [-1], True)
    scale = torch.rsqrt_(torch.add_(variance, eps))
    return ((self).rms_norm_again(x, weight, scale, ), scale)
  def scaled(self: __torch__.Ops,
    x: Tensor,
    scale: Tensor) -> Tensor:
    if torch.eq(ops.prim.dtype(x), 6):
      y = torch.mul(x, scale)
    else:
      y = torch.mul_(torch.to(x, 6, False, False, None), scale)
    return y
  def rms_norm_again(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor,
    scale: Tensor) -> Tensor:
    y = torch.to((self).scaled(x, scale, ), ops.prim.dtype(x), False, False, None)
    return torch.mul_(y, weight)
  def rms_norm_backward(self: __torch__.Ops,
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    scale: Tensor,
    residual: Tensor) -> Tensor:
    h = torch.to(x, 6, False, False, None)
    g = torch.mul_(torch.to(dy, 6, False, False, None), torch.to(weight, 6, False, False, None))
    c = torch.mean(torch.mul(g, h), [-1], True)
    c0 = torch.mul_(torch.mul_(c, scale), scale)
    dx = torch.mul_(torch.addcmul_(g, h, c0, value=-1), scale)
    return torch.add_(torch.to(dx, ops.prim.dtype(x), False, False, None), residual)
  def silu_product(self: __torch__.Ops,
    gate: Tensor,
    up: Tensor) -> Tensor:
    return torch.mul_(torch.silu(gate), up)
  def silu_product_again(self: __torch__.Ops,
    gate: Tensor,
    up: Tensor) -> Tuple[Tensor, Tensor]:
    s = torch.silu(gate)
    return (s, torch.mul(s, up))
  def silu_product_backward(self: __torch__.Ops,
    dp: Tensor,
    s: Tensor,
    gate: Tensor,
    up: Tensor) -> Tuple[Tensor, Tensor]:
    du = torch.mul_(s, dp)
    dp0 = torch.mul_(dp, up)
    dg = torch.silu_backward(dp0, gate, grad_input=dp0)
    return (dg, du)
  def linear(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor) -> Tensor:
    return torch.linear(x, weight, None)
  def linear_bias(self: __torch__.Ops,
    x: Tensor,
    weight: Tensor,
    bias: Tensor) -> Tensor:
    return torch.linear(x, weight, bias)
  def product(self: __torch__.Ops,
    dy: Tensor,
    weight: Tensor) -> Tensor:
    return torch.mm(dy, weight)
  def add_product(self: __torch__.Ops,
    dx: Tensor,
    dy: Tensor,
    weight: Tensor) -> Tensor:
    return torch.addmm_(dx, dy, torch.to(weight, ops.prim.dtype(dx), False, False, None))
  def add_dropped_product(self: __torch__.Ops,
    dx: Tensor,
    h: Tensor,
    a: Tensor,
    mask: Tensor,
    rate: Tensor) -> Tensor:
    d = torch.mm(h, torch.to(a, ops.prim.dtype(dx), False, False, None))
    return torch.addcmul_(dx, d, mask, value=torch.div(1., 1. - float(rate)))
  def dropout(self: __torch__.Ops,
    x: Tensor,
    rate: Tensor) -> Tuple[Tensor, Tensor]:
    y, mask = torch.native_dropout(x, float(rate), True)
    return (y, mask)
  def dropped(self: __torch__.Ops,
    x: Tensor,
    mask: Tensor,
    rate: Tensor) -> Tensor:
    return torch.mul_(torch.mul(x, mask), torch.div(1., 1. - float(rate)))
  def add_loras(self: __torch__.Ops,
    xs: List[Tensor],
    x: Tensor,
    a: Tensor,
    scaling: Tensor) -> Tensor:
    t = ops.prim.dtype(x)
    n = torch.floordiv(torch.len(xs), 2)
    xa = (self).reduced(x, a, scaling, )
    at = 0
    for i in range(n):
      b = torch.to(xs[torch.add(n, i)], t, False, False, None)
      r = torch.size(b, 1)
      y = torch.addmm_(xs[i], torch.narrow(xa, 1, at, r), torch.t(b))
      at = torch.add(at, r)
    return xa
  def add_lora_differences(self: __torch__.Ops,
    xs: List[Tensor],
    x: Tensor,
    a: Tensor,
    a0: Tensor,
    scaling: Tensor) -> Tensor:
    t = ops.prim.dtype(x)
    n = torch.floordiv(torch.len(xs), 3)
    xa = (self).reduced(x, a, scaling, )
    xa0 = (self).reduced(x, a0, scaling, )
    at = 0
    for i in range(n):
      b = torch.to(xs[torch.add(n, i)], t, False, False, None)
      b0 = torch.to(xs[torch.add(torch.mul(2, n), i)], t, False, False, None)
      r = torch.size(b, 1)
      now = torch.linear(torch.narrow(xa, 1, at, r), b, None)
      start = torch.linear(torch.narrow(xa0, 1, at, r), b0, None)
      y = torch.add_(xs[i], torch.sub_(now, start))
      at = torch.add(at, r)
    return xa
  def scaled_products(self: __torch__.Ops,
    xs: List[Tensor],
    scaling: Tensor) -> Tensor:
    n = torch.floordiv(torch.len(xs), 2)
    hs = annotate(List[Tensor], [])
    for i in range(n):
      dy = xs[i]
      b = torch.to(xs[torch.add(n, i)], ops.prim.dtype(dy), False, False, None)
      h = torch.append(hs, torch.mm(dy, b))
    if torch.eq(n, 1):
      all = hs[0]
    else:
      all = torch.cat(hs, 1)
    return torch.mul_(all, scaling)
  def reduced(self: __torch__.Ops,
    x: Tensor,
    a: Tensor,
    scaling: Tensor) -> Tensor:
    a0 = torch.to(a, ops.prim.dtype(x), False, False, None)
    return torch.mul_(torch.linear(x, a0, None), scaling)
  def a_gradients(self: __torch__.Ops,
    xs: List[Tensor],
    h: Tensor,
    x: Tensor) -> List[Tensor]:
    da = torch.to(torch.mm(torch.t(h), x), 6, False, False, None)
    result = annotate(List[Tensor], [])
    at = 0
    for b in xs:
      r = torch.size(b, 1)
      da0 = torch.append(result, torch.narrow(da, 0, at, r))
      at = torch.add(at, r)
    return result
  def b_gradients(self: __torch__.Ops,
    xs: List[Tensor],
    xa: Tensor) -> List[Tensor]:
    n = torch.floordiv(torch.len(xs), 2)
    result = annotate(List[Tensor], [])
    at = 0
    for i in range(n):
      r = torch.size(xs[torch.add(n, i)], 1)
      db = torch.contiguous(torch.t(torch.mm(torch.t(torch.narrow(xa, 1, at, r)), xs[i])))
      db0 = torch.append(result, torch.to(db, 6, False, False, None))
      at = torch.add(at, r)
    return result
  def turn(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    sign: int) -> Tensor:
    h = torch.size(x, 1)
    d = torch.size(x, 2)
    n = torch.floordiv(d, 2)
    if torch.eq(torch.dim(cos), 2):
      rows = torch.view(x, [-1, torch.size(cos, 0), h, d])
      c = torch.narrow(torch.unsqueeze(cos, 1), -1, 0, n)
      s = torch.narrow(torch.unsqueeze(sin, 1), -1, 0, n)
    else:
      rows = x
      c = torch.narrow(torch.reshape(cos, [-1, 1, d]), -1, 0, n)
      s = torch.narrow(torch.reshape(sin, [-1, 1, d]), -1, 0, n)
    x1 = torch.narrow(rows, -1, 0, n)
    x2 = torch.narrow(rows, -1, n, n)
    y1 = torch.addcmul_(torch.mul(x1, c), x2, s, value=torch.neg(sign))
    y2 = torch.addcmul_(torch.mul_(x2, c), x1, s, value=sign)
    y3 = torch.copy_(x1, y1)
    return x
  def rotary(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor) -> Tensor:
    return (self).turn(x, cos, sin, 1, )
  def rotary_backward(self: __torch__.Ops,
    x: Tensor,
    cos: Tensor,
    sin: Tensor) -> Tensor:
    return (self).turn(x, cos, sin, -1, )
  def equal_lengths(self: __torch__.Ops,
    lengths: Tensor,
    first: int,
    most: int) -> int:
    length = int(torch.select(lengths, 0, first))
    count = 1
    go_on = True
    while go_on:
      next = torch.add(first, count)
      go_on = False
      if torch.lt(next, torch.size(lengths, 0)):
        if torch.lt(count, most):
          if torch.eq(int(torch.select(lengths, 0, next)), length):
            count = torch.add(count, 1)
            go_on = True
    return count
  def attention_backward(self: __torch__.Ops,
    dout: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lengths: Tensor,
    block: Tensor,
    scores: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    rows, h, d = torch.size(q)
    g = torch.size(k, 1)
    n = torch.floordiv(h, g)
    t = ops.prim.dtype(q)
    scale = torch.pow(float(d), -0.5)
    limit = ops.prim.min([int(block), int(torch.max(lengths))])
    ones = torch.full([limit, limit], torch.neg(inf), dtype=6, layout=None, device=ops.prim.device(q))
    future = torch.triu(ones, 1)
    dq = torch.empty_like(q)
    dk = torch.empty_like(k)
    dv = torch.empty_like(v)
    at = 0
    i = 0
    while torch.lt(i, torch.size(lengths, 0)):
      length = int(torch.select(lengths, 0, i))
      each = torch.mul(torch.mul(h, ops.prim.min([limit, length])), length)
      c = (self).equal_lengths(lengths, i, torch.floordiv(int(scores), each), )
      all = torch.mul(c, length)
      cg = torch.mul(c, g)
      wide = [c, length, g, n, d]
      do = torch.view(torch.narrow(dout, 0, at, all), wide)
      q0 = torch.view(torch.narrow(q, 0, at, all), wide)
      dq0 = torch.view(torch.narrow(dq, 0, at, all), wide)
      k0 = torch.view(torch.narrow(k, 0, at, all), [c, length, g, d])
      v0 = torch.view(torch.narrow(v, 0, at, all), [c, length, g, d])
      ki = torch.reshape(torch.permute(k0, [0, 2, 1, 3]), [cg, length, d])
      vi = torch.reshape(torch.permute(v0, [0, 2, 1, 3]), [cg, length, d])
      kt = torch.transpose(torch.to(ki, 6, False, False, None), 1, 2)
      vt = torch.transpose(torch.to(vi, 6, False, False, None), 1, 2)
      dki = torch.zeros([cg, length, d], dtype=6, layout=None, device=ops.prim.device(q))
      dvi = torch.zeros([cg, length, d], dtype=6, layout=None, device=ops.prim.device(q))
      begin = 0
      while torch.lt(begin, length):
        size = ops.prim.min([limit, torch.sub(length, begin)])
        end = torch.add(begin, size)
        flat = [cg, torch.mul(n, size), d]
        qb = torch.reshape(torch.permute(torch.narrow(q0, 1, begin, size), [0, 2, 3, 1, 4]), flat)
        db = torch.reshape(torch.permute(torch.narrow(do, 1, begin, size), [0, 2, 3, 1, 4]), flat)
        df = torch.to(db, 6, False, False, None)
        qf = torch.mul(torch.to(qb, 6, False, False, None), scale)
        p0 = torch.bmm(qf, torch.narrow(kt, 2, 0, end))
        own = torch.narrow(torch.view(p0, [cg, n, size, end]), 3, begin, size)
        own0 = torch.add_(own, torch.narrow(torch.narrow(future, 0, 0, size), 1, 0, size))
        p = torch.softmax(p0, 2, None)
        dp = torch.bmm(df, torch.narrow(vt, 2, 0, end))
        ds = torch._softmax_backward_data(dp, p, 2, 6)
        dst = torch.to(ds, t, False, False, None)
        pt = torch.to(p, t, False, False, None)
        dqb = torch.mul_(torch.bmm(dst, torch.narrow(ki, 1, 0, end)), scale)
        dqv = torch.permute(torch.view(dqb, [c, g, n, size, d]), [0, 3, 1, 2, 4])
        dq1 = torch.copy_(torch.narrow(dq0, 1, begin, size), dqv)
        dkb = torch.bmm(torch.transpose(dst, 1, 2), torch.to(qf, t, False, False, None))
        dk1 = torch.add_(torch.narrow(dki, 1, 0, end), dkb)
        dvb = torch.bmm(torch.transpose(pt, 1, 2), db)
        dv1 = torch.add_(torch.narrow(dvi, 1, 0, end), dvb)
        begin = end
      dk0 = torch.view(torch.narrow(dk, 0, at, all), [c, length, g, d])
      dv0 = torch.view(torch.narrow(dv, 0, at, all), [c, length, g, d])
      dk2 = torch.copy_(dk0, torch.permute(torch.view(dki, [c, g, length, d]), [0, 2, 1, 3]))
      dv2 = torch.copy_(dv0, torch.permute(torch.view(dvi, [c, g, length, d]), [0, 2, 1, 3]))
      at = torch.add(at, all)
      i = torch.add(i, c)
    return (torch.view(dq, [rows, -1]), torch.view(dk, [rows, -1]), torch.view(dv, [rows, -1]))
  def flattened(self: __torch__.Ops,
    xs: List[Tensor],
    unused: Tensor) -> Tensor:
    flat = annotate(List[Tensor], [])
    for x in xs:
      y = torch.append(flat, torch.reshape(x, [-1]))
    return torch.cat(flat)
  def with_gradients(self: __torch__.Ops,
    xs: List[Tensor],
    value: Tensor,
    gradient: Tensor) -> Tensor:
    s = torch.sum(torch.mul((self).flattened(xs, value, ), gradient))
    return torch.add(value, torch.sub(s, torch.detach(s)))
