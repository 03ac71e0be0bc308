package timeline

// rename gives units that PID 1 calls by another name (Unit.Names) their ID wherever they
// are spoken of.
func (t *Timeline) rename() {
	ids := map[string]string{}
	for id, u := range t.Final.Units {
		for _, name := range u.Names {
			ids[name] = id
		}
	}
	if len(ids) == 0 {
		return
	}
	to := func(name *string) {
		if id, ok := ids[*name]; ok {
			*name = id
		}
	}
	for i := range t.Events {
		to(&t.Events[i].Unit)
		to(&t.Events[i].Change.Dropped)
	}
	for i := range t.Final.Jobs {
		to(&t.Final.Jobs[i].Unit)
	}
	for _, u := range t.Final.Units {
		for _, list := range [][]string{u.Before, u.After, u.WantedBy, u.RequiredBy, u.BoundBy, u.RequisiteOf, u.OnFailure, u.UpheldBy, u.TriggeredBy, u.OnSuccessOf} {
			for i := range list {
				to(&list[i])
			}
		}
	}
}
