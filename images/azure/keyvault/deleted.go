package keyvault

// Deleting and recovering take the real service some seconds, in which the name
// answers 404 in its new place and 409 in its old one. Here both are done when
// they are answered.

func (s *Service) delete(c *call) (any, *refusal) {
	of, refused := s.store.delete(c.secret)
	if refused != nil {
		return nil, refused
	}
	return s.deletedItem(s.versioned(of.name, of.current()), of), nil
}

func (s *Service) getDeleted(c *call) (any, *refusal) {
	of, refused := s.store.getDeleted(c.secret)
	if refused != nil {
		return nil, refused
	}
	return s.deletedItem(s.versioned(of.name, of.current()), of), nil
}

func (s *Service) listDeleted(c *call) (any, *refusal) {
	items := []item{}
	for _, of := range s.store.allDeleted() {
		items = append(items, s.deletedItem(s.unversioned(of), of))
	}
	return s.page(c.query, "/deletedsecrets", items)
}

// purge has no body to answer with.
func (s *Service) purge(c *call) (any, *refusal) {
	return nil, s.store.purge(c.secret)
}

func (s *Service) recover(c *call) (any, *refusal) {
	of, refused := s.store.recover(c.secret)
	if refused != nil {
		return nil, refused
	}
	return s.versioned(of.name, of.current()), nil
}
