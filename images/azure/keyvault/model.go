package keyvault

import (
	"net/http"
	"net/url"
	"strconv"

	"bootrace/images/azure/answer"
)

// attributes are a secret's, with integer Unix times.
type attributes struct {
	Enabled         bool   `json:"enabled"`
	Created         int64  `json:"created"`
	Updated         int64  `json:"updated"`
	RecoveryLevel   string `json:"recoveryLevel"`
	RecoverableDays int    `json:"recoverableDays"`
}

// bundle is the answer to get.
type bundle struct {
	Value string `json:"value"`
	item
}

// item is a secret without its value, as lists have it.
type item struct {
	ID         string     `json:"id"`
	Attributes attributes `json:"attributes"`
}

type page struct {
	Value    []item  `json:"value"`
	NextLink *string `json:"nextLink"` // null at the end, never absent
}

func (s *Service) bundle(name string, of secret) bundle {
	return bundle{Value: of.value, item: s.item(name+"/"+of.version, of)}
}

// item describes a secret by an id under /secrets/: the list of a vault has ids
// without versions, that of a secret's versions has them with.
func (s *Service) item(id string, of secret) item {
	return item{ID: s.url + "/secrets/" + id, Attributes: attributes{
		Enabled: true, Created: of.created, Updated: of.created,
		RecoveryLevel: "CustomizedRecoverable+Purgeable", RecoverableDays: 7,
	}}
}

func (s *Service) items() []item {
	items := make([]item, 0, len(s.names))
	for _, name := range s.names {
		items = append(items, s.item(name, s.secrets[name]))
	}
	return items
}

// list answers with one page of items. "If not specified the service will return
// up to 25 results", and no more than 25 may be asked for (Get Secrets,
// maxresults).
func (s *Service) list(w http.ResponseWriter, query url.Values, path string, items []item) *refusal {
	const most = 25
	size, skip := most, 0
	if text := query.Get("maxresults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return badParameter("maxresults must be between 1 and " + strconv.Itoa(most))
		}
		size = n
	}
	if text := query.Get("$skiptoken"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(items) {
			return badParameter("$skiptoken is invalid")
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
	answer.JSON(w, http.StatusOK, body)
	return nil
}
