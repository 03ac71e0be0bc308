package keyvault

// What happens to a vault without a request of its reader: rotation, an
// operator's hand, a role assignment that comes or goes. An error says that the
// service would have refused it too.

// Set adds a version to a secret, or makes one, as rotation does.
func (s *Service) Set(name, value string) error {
	v := Version{Value: value}
	if err := v.withinLimits(); err != nil {
		return err
	}
	_, _, refused := s.store.set(name, v)
	return refused.orNil()
}

// SetEnabled enables or disables the current version of a secret.
func (s *Service) SetEnabled(name string, enabled bool) error {
	_, _, refused := s.store.update(name, "", func(v *Version) { v.Enabled = &enabled })
	return refused.orNil()
}

// Delete deletes a secret so that it can be recovered.
func (s *Service) Delete(name string) error {
	_, refused := s.store.delete(name)
	return refused.orNil()
}

// Recover brings back what was deleted.
func (s *Service) Recover(name string) error {
	_, refused := s.store.recover(name)
	return refused.orNil()
}

// SetRole changes what the caller's identity may do, from the next request on.
func (s *Service) SetRole(role Role) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.role = role
}

// orNil avoids an error that holds a nil refusal.
func (f *refusal) orNil() error {
	if f == nil {
		return nil
	}
	return f
}
