  def product(self: __torch__.Ops,
    x: Tensor,
    w: Tensor) -> Tensor:
    return torch.linear(x, w, None)
