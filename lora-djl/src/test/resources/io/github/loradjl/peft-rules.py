"""Asks PEFT 0.21 which modules a configuration means, and which pattern wins.

Prints the two tables that TargetSelectionTest reads, separated by an empty line.
"""
from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists, _ExcludedModule
from peft.utils.other import get_pattern_key
rows=[]
def row(key,targets,layers=None,pattern=None,exclude=None,save=None):
    # targets: str starting with / is a regex
    def mod(t):
        if t is None: return None
        return t[1:] if t.startswith('/') else t.split(',')
    c=LoraConfig(target_modules=mod(targets),layers_to_transform=[int(i) for i in layers.split(',')] if layers else None,
        layers_pattern=pattern.split(',') if pattern else None, exclude_modules=mod(exclude), modules_to_save=save.split(',') if save else None)
    r=check_target_module_exists(c,key)
    ok=bool(r) and not isinstance(r,_ExcludedModule)
    rows.append((key,targets,layers,pattern,exclude,save,ok))
row("model.layers.0.self_attn.q_proj","q_proj")
row("model.layers.0.self_attn.q_proj","q_proj,v_proj")
row("model.layers.0.self_attn.q_proj","proj")
row("model.layers.0.self_attn.q_proj","self_attn.q_proj")
row("model.layers.0.self_attn.q_proj","attn.q_proj")
row("model.layers.0.self_attn.q_proj","model.layers.0.self_attn.q_proj")
row("model.layers.0.self_attn.q_proj","layers.1.self_attn.q_proj")
row("model.layers.0.self_attn.q_proj","self_attn")
row("q_proj","q_proj")
row("xq_proj","q_proj")
row("model.q_proj.inner","q_proj")
row("model.layers.0.self_attn.q_proj","Q_PROJ")
row("model.layers.0.mlp.up_proj","/.*up_proj")
row("model.layers.0.mlp.up_proj","/up_proj")
row("model.layers.0.mlp.up_proj",r"/model\.layers\.[0-3]\.mlp\.(up|down)_proj")
row("model.layers.4.mlp.up_proj",r"/model\.layers\.[0-3]\.mlp\.(up|down)_proj")
row("model.layers.0.mlp.up_proj",r"/.*mlp")
row("model.layers.0.mlp.up_proj",r"/.*(q|v)_proj|.*up_proj")
row("model.layers.0.mlp.up_proj",r"/^model.*proj$")
row("foo.bar.1.baz","baz","1","bar")
row("foo.bar.1.baz","baz","0","bar")
row("foo.bar.1.baz","baz","0,1,2","bar")
row("foo.bar.1.baz","baz","1")
row("foo.bar.1.baz","baz","2")
row("foo.bar.1.baz","foo.bar.1.baz","5","bar")
row("foo.bar.001.baz","baz","1","bar")
row("bar.1.baz","baz","1","bar")
row("bar.1.baz","baz","1")
row("foo.bar.1.baz","baz","1","foo")
row("foo.bar.1.baz","baz","1","foo,bar")
row("foo.bar.1.baz","baz","1","ar")
row("foo.bar.1.baz","baz","1","b.r")
row("foo.bar.1","bar.1","1","bar")
row("foo.baz","baz","1","bar")
row("foo.bar.1.baz.2.baz","baz","2","bar")
row("foo.bar.1.baz.2.baz","baz","1","bar")
row("model.layers.1.experts.0.up","up","0","layers")
row("model.layers.1.experts.0.up","up","1")
row("model.layers.1.experts.0.up","up","0")
row("model.layers.1.experts.0.up","up","0","experts")
row("model.layers.11.mlp.up","up","1","layers")
row("h.3.attn.c_attn","c_attn","3","h,layers")
row("t.h.3.attn.c_attn","c_attn","3","layers,h")
row("model.layers.0.self_attn.q_proj","q_proj",exclude="q_proj")
row("model.layers.0.self_attn.q_proj","q_proj",exclude="layers.0.self_attn.q_proj")
row("model.layers.1.self_attn.q_proj","q_proj",exclude="layers.0.self_attn.q_proj")
row("model.layers.0.self_attn.q_proj","q_proj",exclude="self_attn")
row("model.layers.0.self_attn.q_proj","q_proj",exclude="/.*layers.0.*")
row("model.layers.1.self_attn.q_proj","q_proj",exclude="/.*layers.0.*")
row("model.layers.0.self_attn.q_proj","q_proj",exclude="/layers.0")
row("score","score",save="score")
row("model.score","score",save="score")
row("score.dense","dense",save="score")
row("model.score.dense","dense",save="score")
row("model.score2.dense","dense",save="score")
row("xscore.dense","dense",save="score")
row("cls.predictions.decoder","decoder",save="cls.predictions")
row("a.q","q",save="score,head")
for r in rows:
    print(" ; ".join("-" if x is None else ("yes" if x is True else "no" if x is False else x) for x in r))
print()
pats=[(["q_proj"],"model.layers.0.q_proj"),(["q_proj"],"q_proj"),(["q_proj"],"xq_proj"),(["layers.0.q_proj","q_proj"],"m.layers.0.q_proj"),
(["q_proj","layers.0.q_proj"],"m.layers.0.q_proj"),(["^q_proj"],"m.q_proj"),(["^m.q_proj"],"m.q_proj"),(["^m.q_proj"],"x.m.q_proj"),([".*q_proj"],"x.m.q_proj"),
(["layers.[01].q"],"m.layers.1.q"),(["layers.[01].q"],"m.layers.2.q"),(["a|b"],"m.b"),(["a|b"],"m.c"),(["q"],"q.inner"),(["inner","q.inner"],"z.q.inner"),(["q.*"],"z.q.inner")]
for ks,k in pats:
    r=get_pattern_key(ks,k); print(",".join(ks), ";", k, ";", r if r in ks else "-")
