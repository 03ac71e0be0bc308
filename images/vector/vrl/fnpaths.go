package vrl

var pathFunctions = map[string]*function{
	"del": {params: parseParams("target:any compact?:bool"), result: kAny, lazy: true, run: del, infer: inferDel},
	"exists": {params: parseParams("field:any"), result: kBool, lazy: true, run: func(in *invocation) any {
		q := asTarget(in.call.ordered[0])
		if q == nil {
			q = in.call.ordered[0].(*queryExpr)
		}
		_, ok := in.find(q)
		return ok
	}},
	"get": mayFn("value:array|object path:array", "any", func(in *invocation) any {
		v, _ := lookup(in.args[0], dynamicPath(in.list(1)))
		return v
	}),
	"set": mayFn("value:array|object path:array data:any", "array|object", func(in *invocation) any {
		path := dynamicPath(in.list(1))
		in.spendPath(in.args[0], path)
		return put(in.args[0], path, in.args[2])
	}),
	"merge": {params: parseParams("to:object from:object deep?:bool"), result: kObject, run: merge,
		infer: func(c *checker, e *callExpr, args []typed, out typed) typed {
			out.kind = overlay(objectOf(args[0].kind), objectOf(args[1].kind))
			if deep, _ := c.constant(e.ordered[2]); e.ordered[2] != nil && deep != false {
				for name, f := range out.kind.fields {
					f.unsure = true
					out.kind = out.kind.with(name, f)
				}
			}
			return out
		}},
}

func objectOf(k kind) kind {
	if k.bits&kObject == 0 {
		return unsureAny()
	}
	k.bits = kObject
	return k
}

// inferDel: what was deleted is null after that.
func inferDel(c *checker, e *callExpr, args []typed, out typed) typed {
	out.kind = args[0].kind
	q, _ := e.ordered[0].(*queryExpr)
	if q == nil {
		return out
	}
	c.changes(q.root, e.span)
	gone := kind{bits: kNull, unsure: true}
	switch {
	case q.root == rootEvent && len(q.path) == 0:
		c.scope.event = kind{bits: kObject, unsure: true}
	case q.root == rootEvent:
		c.scope.event = c.scope.event.insert(q.path, gone)
	case q.root == rootVariable:
		c.scope.vars[q.name] = c.scope.vars[q.name].insert(q.path, gone)
	}
	return out
}

func del(in *invocation) any {
	q, ok := in.call.ordered[0].(*queryExpr)
	if !ok { // a whole variable
		name := in.call.ordered[0].(*varExpr).name
		v := in.vars[name]
		in.vars[name] = nil
		return v
	}
	compact := in.has(1) && in.eval(in.call.ordered[1]) == true
	v, _ := in.find(q)
	if q.root == rootExpr {
		return v
	}
	in.change(q, func(whole any) any {
		if len(q.path) == 0 {
			return map[string]any{}
		}
		return remove(whole, q.path, compact)
	})
	return v
}

func dynamicPath(list []any) []step {
	var path []step
	for _, item := range list {
		switch item := item.(type) {
		case string:
			path = append(path, step{field: item})
		case int64:
			if item > maxIndex || item < -maxIndex {
				panic(stopped{errLimit})
			}
			path = append(path, step{index: int(item), array: true})
		default:
			panic(errorf("path segment must be either string or integer, not %s", typeOf(item)))
		}
	}
	return path
}

func merge(in *invocation) any {
	if in.flag(2, false) {
		return in.mergeDeep(in.object(0), in.object(1))
	}
	return in.mergeObjects(in.args[0], in.args[1])
}

func (m *machine) mergeDeep(to, from map[string]any) map[string]any {
	out := m.mergeObjects(to, from)
	for name, inner := range from {
		a, ok1 := to[name].(map[string]any)
		b, ok2 := inner.(map[string]any)
		if ok1 && ok2 {
			out[name] = m.mergeDeep(a, b)
		}
	}
	return out
}
