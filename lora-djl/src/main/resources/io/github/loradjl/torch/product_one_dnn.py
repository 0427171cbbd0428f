  def product(self: __torch__.Ops,
    x: Tensor,
    w: Tensor) -> Tensor:
    return ops.mkldnn._linear_pointwise(x, w, None, "none", annotate(List[Optional[number]], []), "")
  def product_plus(self: __torch__.Ops,
    x: Tensor,
    w: Tensor,
    y: Tensor) -> Tensor:
    return ops.mkldnn._linear_pointwise(x, y, w, None, "add")
  def swiglu(self: __torch__.Ops,
    x: Tensor,
    gate: Tensor,
    up: Tensor) -> Tensor:
    gate0 = ops.mkldnn._linear_pointwise(x, gate, None, "swish", annotate(List[Optional[number]], []), "")
    return ops.mkldnn._linear_pointwise(x, gate0, up, None, "mul")
