package keyvault

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"
)

// retention is for how long what was deleted can be recovered: the shortest that
// a vault can have.
const retention = 7 * 24 * time.Hour

// stored is a version as a vault, and a backup, has it. It is never changed in
// place, so that copies may be read without the store's lock.
type stored struct {
	Version
	Created int64 `json:"created"`
	Updated int64 `json:"updated"`
}

// secret is all versions of one name, oldest first and at least one.
type secret struct {
	name     string // as it was first written
	versions []stored
	deleted  int64 // when; only among the deleted
}

func (s *secret) current() stored { return s.versions[len(s.versions)-1] }

// store is a vault's state. Its methods are the service's rules; they are atomic.
type store struct {
	learn func(name, value string)

	mu      sync.Mutex
	role    Role
	live    map[string]*secret // by key of the name
	deleted map[string]*secret
}

func newStore(vault Vault) *store {
	s := &store{learn: vault.Learn, role: vault.Role, live: make(map[string]*secret), deleted: make(map[string]*secret)}
	if s.learn == nil {
		s.learn = func(string, string) {}
	}
	now := time.Now().Unix()
	for _, name := range slices.Sorted(maps.Keys(vault.Secrets)) {
		of := &secret{name: name}
		for _, v := range vault.Secrets[name].Versions {
			s.learn(name, v.Value)
			of.versions = append(of.versions, newVersion(v, now))
		}
		if vault.Secrets[name].Deleted {
			of.deleted = now
			s.deleted[key(name)] = of
		} else {
			s.live[key(name)] = of
		}
	}
	return s
}

func newVersion(v Version, now int64) stored {
	if v.ID == "" {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // crypto/rand: never returns an error
		v.ID = hex.EncodeToString(id)
	}
	if v.Enabled == nil {
		v.Enabled = new(true)
	}
	return stored{Version: v, Created: now, Updated: now}
}

func (s *store) mayDo(o operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.role.may(o)
}

// get returns a version, or the current one for none.
func (s *store) get(name, version string) (string, stored, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of, i, refused := s.find(name, version)
	if refused != nil {
		return "", stored{}, refused
	}
	return of.name, of.versions[i], nil
}

func (s *store) find(name, version string) (of *secret, i int, refused *refusal) {
	of = s.live[key(name)]
	if of == nil {
		return nil, 0, notFound(name, version)
	}
	if version == "" {
		return of, len(of.versions) - 1, nil
	}
	i = slices.IndexFunc(of.versions, func(v stored) bool { return v.ID == version })
	if i < 0 {
		return nil, 0, notFound(name, version)
	}
	return of, i, nil
}

// set adds a version.
func (s *store) set(name string, v Version) (string, stored, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if gone := s.deleted[key(name)]; gone != nil {
		return "", stored{}, isRecoverable(gone.name)
	}
	of := s.live[key(name)]
	if of == nil {
		of = &secret{name: name}
		s.live[key(name)] = of
	}
	s.learn(of.name, v.Value)
	added := newVersion(v, time.Now().Unix())
	of.versions = append(of.versions, added)
	return of.name, added, nil
}

// update changes a version, or the current one for none.
func (s *store) update(name, version string, change func(*Version)) (string, stored, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of, i, refused := s.find(name, version)
	if refused != nil {
		return "", stored{}, refused
	}
	changed := of.versions[i]
	change(&changed.Version)
	changed.Updated = time.Now().Unix()
	of.versions[i] = changed
	return of.name, changed, nil
}

// one takes a secret from where it is, and does with it what then says.
func (s *store) one(among map[string]*secret, name string, missing *refusal, then func(of *secret)) (secret, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := among[key(name)]
	if of == nil {
		return secret{}, missing
	}
	then(of)
	return of.copy(), nil
}

func asItIs(*secret) {}

func (s *store) getLive(name string) (secret, *refusal) {
	return s.one(s.live, name, notFound(name, ""), asItIs)
}

func (s *store) getDeleted(name string) (secret, *refusal) {
	return s.one(s.deleted, name, deletedNotFound(name), asItIs)
}

// delete moves a secret, with all versions, to where it can be recovered from.
func (s *store) delete(name string) (secret, *refusal) {
	return s.one(s.live, name, notFound(name, ""), func(of *secret) {
		delete(s.live, key(name))
		of.deleted = time.Now().Unix()
		s.deleted[key(name)] = of
	})
}

func (s *store) purge(name string) (secret, *refusal) {
	return s.one(s.deleted, name, deletedNotFound(name), func(*secret) { delete(s.deleted, key(name)) })
}

func (s *store) recover(name string) (secret, *refusal) {
	return s.one(s.deleted, name, deletedNotFound(name), func(of *secret) {
		delete(s.deleted, key(name))
		of.deleted = 0
		s.live[key(name)] = of
	})
}

// restore puts a secret back where there is none of its name.
func (s *store) restore(of secret) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if gone := s.deleted[key(of.name)]; gone != nil {
		return isRecoverable(gone.name)
	}
	if there := s.live[key(of.name)]; there != nil {
		return inUse(there.name)
	}
	for _, v := range of.versions {
		s.learn(of.name, v.Value)
	}
	s.live[key(of.name)] = &of
	return nil
}

// all returns the secrets that live, sorted by name.
func (s *store) all() []secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sorted(s.live)
}

func (s *store) allDeleted() []secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sorted(s.deleted)
}

func sorted(secrets map[string]*secret) []secret {
	all := make([]secret, 0, len(secrets))
	for _, k := range slices.Sorted(maps.Keys(secrets)) {
		all = append(all, secrets[k].copy())
	}
	return all
}

// copy has its own list of versions: update changes the list's elements.
func (s *secret) copy() secret {
	return secret{name: s.name, versions: slices.Clone(s.versions), deleted: s.deleted}
}
