package keyvault

import (
	"net/url"
	"strconv"
	"time"
)

// attributes are a secret's, with integer Unix times.
type attributes struct {
	Enabled         bool   `json:"enabled"`
	NotBefore       *int64 `json:"nbf,omitempty"`
	Expires         *int64 `json:"exp,omitempty"`
	Created         int64  `json:"created"`
	Updated         int64  `json:"updated"`
	RecoveryLevel   string `json:"recoveryLevel"`
	RecoverableDays int    `json:"recoverableDays"`
}

// bundle is the answer to get and set.
type bundle struct {
	Value string `json:"value"`
	item
}

// item is a secret without its value, as lists and all other answers have it.
type item struct {
	ContentType string            `json:"contentType,omitempty"`
	ID          string            `json:"id"`
	Attributes  attributes        `json:"attributes"`
	Tags        map[string]string `json:"tags,omitempty"`
	*recovery
}

// recovery is what an item that was deleted has in addition.
type recovery struct {
	RecoveryID         string `json:"recoveryId"`
	DeletedDate        int64  `json:"deletedDate"`
	ScheduledPurgeDate int64  `json:"scheduledPurgeDate"`
}

type page struct {
	Value    []item  `json:"value"`
	NextLink *string `json:"nextLink"` // null at the end, never absent
}

// versioned describes a version by its own id.
func (s *Service) versioned(name string, v stored) item { return s.item(name+"/"+v.ID, v) }

// unversioned describes a secret by its current version, under an id without one:
// lists of a vault have these.
func (s *Service) unversioned(of secret) item { return s.item(of.name, of.current()) }

func (s *Service) item(id string, v stored) item {
	return item{ID: s.url + "/secrets/" + id, ContentType: v.ContentType, Tags: v.Tags, Attributes: attributes{
		Enabled: *v.Enabled, NotBefore: v.NotBefore, Expires: v.Expires, Created: v.Created, Updated: v.Updated,
		RecoveryLevel: "CustomizedRecoverable+Purgeable", RecoverableDays: int(retention / (24 * time.Hour)),
	}}
}

// deletedItem adds to an item when it was deleted and until when it can be recovered.
func (s *Service) deletedItem(i item, of secret) item {
	i.recovery = &recovery{
		RecoveryID:         s.url + "/deletedsecrets/" + of.name,
		DeletedDate:        of.deleted,
		ScheduledPurgeDate: of.deleted + int64(retention/time.Second),
	}
	return i
}

// page answers with one page of items. "If not specified the service will return
// up to 25 results", and no more than 25 may be asked for (Get Secrets,
// maxresults).
func (s *Service) page(query url.Values, path string, items []item) (any, *refusal) {
	const most = 25
	size, skip := most, 0
	if text := query.Get("maxresults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, badParameter("maxresults must be between 1 and " + strconv.Itoa(most))
		}
		size = n
	}
	if text := query.Get("$skiptoken"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(items) {
			return nil, badParameter("$skiptoken is invalid")
		}
		skip = n
	}
	end := min(skip+size, len(items))
	body := page{Value: items[skip:end]}
	if end < len(items) {
		next := s.url + path + "?" + url.Values{
			"api-version": {query.Get("api-version")}, "maxresults": {strconv.Itoa(size)}, "$skiptoken": {strconv.Itoa(end)},
		}.Encode()
		body.NextLink = &next
	}
	return body, nil
}
