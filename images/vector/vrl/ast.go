package vrl

// span is where an expression stands, in bytes of the source.
type span struct{ from, to int }

func (s span) where() span { return s }

type expr interface{ where() span }

type litExpr struct {
	span
	value any
}

type varExpr struct {
	span
	name string
}

type arrayExpr struct {
	span
	items []expr
}

type objectExpr struct {
	span
	keys   []string
	values []expr
}

type blockExpr struct {
	span
	body []expr
	// scoped: what is first assigned in it ends with it. A group is a block of one that is not.
	scoped bool
}

// step of a path: a field, an index, or alternatives of which the first that is there counts.
type step struct {
	field string
	index int
	array bool
	alts  []string
}

type rootKind int

const (
	rootEvent rootKind = iota
	rootMetadata
	rootVariable
	rootExpr
)

// queryExpr is a path below the event, the metadata, a variable or any expression.
type queryExpr struct {
	span
	root rootKind
	name string // of the variable
	base expr   // for rootExpr
	path []step
}

type opExpr struct {
	span
	op          string
	left, right expr
}

type notExpr struct {
	span
	inner expr
}

type ifExpr struct {
	span
	test      []expr
	then, alt *blockExpr
}

// assignExpr is `ok = value`, or `ok, err = value` if fallible. A nil target is `_`.
type assignExpr struct {
	span
	ok, err  *queryExpr
	fallible bool
	value    expr
	// initial is what ok becomes when the value fails; the checker knows its kind.
	initial any
}

type abortExpr struct {
	span
	message expr
}

type returnExpr struct {
	span
	value expr
}

type argument struct {
	keyword string
	value   expr
	pos     int
}

type closure struct {
	names []string
	body  *blockExpr
}

type callExpr struct {
	span
	name      string
	abort     bool // `name!()`
	arguments []argument
	closure   *closure
	fn        *function // nil: known to Vector, not played
	ordered   []expr    // by parameter; nil where none is given
}
