package keyvault

// Deleting and recovering take the real service some seconds, in which the name
// answers 404 in its new place and 409 in its old one. Here both are done when
// they are answered.

func (s *Service) asDeleted(_ *call, of secret) (any, *refusal) {
	return s.deletedItem(s.versioned(of.name, of.current()), of), nil
}

func (s *Service) listDeleted(c *call) (any, *refusal) {
	items := []item{}
	for _, of := range s.store.allDeleted() {
		items = append(items, s.deletedItem(s.unversioned(of), of))
	}
	return s.page(c.query, "/deletedsecrets", items)
}

// purged has no body to answer with.
func (s *Service) purged(*call, secret) (any, *refusal) { return nil, nil }

func (s *Service) recovered(_ *call, of secret) (any, *refusal) {
	return s.versioned(of.name, of.current()), nil
}
