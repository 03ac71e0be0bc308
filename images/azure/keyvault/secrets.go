package keyvault

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

func (s *Service) get(c *call) (any, *refusal) {
	name, found, refused := s.store.get(c.secret, c.version)
	if refused != nil {
		return nil, refused
	}
	if s.state.shows != nil {
		s.state.shows(&found)
	}
	c.rec.Version = found.ID
	// Not before and expiry stop no read (about-secrets, Date-time controlled
	// operations).
	if !*found.Enabled {
		return nil, isDisabled("get")
	}
	return bundle{Value: found.Value, item: s.versioned(name, found)}, nil
}

func (s *Service) list(c *call) (any, *refusal) {
	items := []item{}
	for _, of := range s.store.all() {
		items = append(items, s.unversioned(of))
	}
	return s.page(c.query, "/secrets", items)
}

func (s *Service) listVersions(c *call, of secret) (any, *refusal) {
	items := []item{}
	for _, v := range of.versions {
		items = append(items, s.versioned(of.name, v))
	}
	return s.page(c.query, "/secrets/"+of.name+"/versions", items)
}

// parameters are the body of set and of update. What is absent, or null, is left
// as it is.
type parameters struct {
	Value       *string           `json:"value"` // of set only
	ContentType *string           `json:"contentType"`
	Tags        map[string]string `json:"tags"`
	Attributes  struct {
		Enabled   *bool  `json:"enabled"`
		NotBefore *int64 `json:"nbf"`
		Expires   *int64 `json:"exp"`
	} `json:"attributes"`
}

// apply changes what the parameters give; tags are given all or none.
func (p parameters) apply(v *Version) {
	if p.ContentType != nil {
		v.ContentType = *p.ContentType
	}
	if p.Tags != nil {
		v.Tags = p.Tags
	}
	if p.Attributes.Enabled != nil {
		v.Enabled = p.Attributes.Enabled
	}
	if p.Attributes.NotBefore != nil {
		v.NotBefore = p.Attributes.NotBefore
	}
	if p.Attributes.Expires != nil {
		v.Expires = p.Attributes.Expires
	}
}

// set adds a version, which has nothing of the one before.
func (s *Service) set(c *call) (any, *refusal) {
	var p parameters
	if refused := decode(c.body, &p); refused != nil {
		return nil, refused
	}
	if p.Value == nil {
		return nil, badParameter("Property value is required")
	}
	v := Version{Value: *p.Value}
	p.apply(&v)
	if err := v.withinLimits(); err != nil {
		return nil, badParameter("Property has an invalid value: " + err.Error())
	}
	name, added, refused := s.store.set(c.secret, v)
	if refused != nil {
		return nil, refused
	}
	c.rec.Version = added.ID
	return bundle{Value: added.Value, item: s.versioned(name, added)}, nil
}

// update changes what describes a version. A disabled one can be, as it is how it
// is enabled again.
func (s *Service) update(c *call) (any, *refusal) {
	var p parameters
	if refused := decode(c.body, &p); refused != nil {
		return nil, refused
	}
	var given Version
	p.apply(&given)
	if err := given.withinLimits(); err != nil {
		return nil, badParameter("Property has an invalid value: " + err.Error())
	}
	name, changed, refused := s.store.update(c.secret, c.version, p.apply)
	if refused != nil {
		return nil, refused
	}
	c.rec.Version = changed.ID
	return s.versioned(name, changed), nil
}

// decode reads a body that is one JSON value. Keys that are not known are passed
// over, as newer versions of the interface add some.
func decode(body io.Reader, into any) *refusal {
	text, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &refusal{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", message: "The request body is too large."}
	}
	if err != nil {
		return badParameter("The request body could not be read")
	}
	if json.Unmarshal(text, into) != nil {
		return badParameter("The request body is not valid: it must be a JSON object with the properties of this operation")
	}
	return nil
}
