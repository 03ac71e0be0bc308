package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/tracing"
)

// maxBody bounds what one answer may take, for the machine has 60 MB in all.
const maxBody = 4 << 20

// Emit hands events on. It may block.
type Emit func(ctx context.Context, events []event.Event, done func(ok bool)) error

// Source scrapes.
type Source struct {
	cfg     config.Source
	client  *http.Client
	targets []*url.URL
	log     *slog.Logger
}

// New checks the endpoints as far as Vector does when it builds the source.
func New(cfg config.Source, client *http.Client, log *slog.Logger) (*Source, error) {
	s := &Source{cfg: cfg, client: client, log: log}
	for _, endpoint := range cfg.Endpoints {
		bad := strings.IndexFunc(endpoint, func(r rune) bool { return r <= ' ' || r >= 0x7f })
		u, err := url.Parse(endpoint)
		if err != nil || bad >= 0 || u.Host == "" {
			return nil, errors.New("URI parse error: invalid uri character")
		}
		if len(cfg.Query) > 0 {
			q := u.Query()
			for name, values := range cfg.Query {
				q[name] = append(q[name], values...)
			}
			u.RawQuery = q.Encode()
		}
		s.targets = append(s.targets, u)
	}
	if cfg.ScrapeTimeout > cfg.ScrapeInterval {
		log.Warn("Having a scrape timeout that exceeds the scrape interval can lead to excessive resource consumption.",
			tracing.Target("vector::sources::util::http_client"), "interval_secs", cfg.ScrapeInterval.Seconds(), "timeout_secs", cfg.ScrapeTimeout.Seconds())
	}
	return s, nil
}

// Run scrapes until ctx ends, at once and then at each interval.
func (s *Source) Run(ctx context.Context, emit Emit) error {
	ticker := time.NewTicker(s.cfg.ScrapeInterval)
	defer ticker.Stop()
	for {
		for _, target := range s.targets {
			events, err := s.scrape(ctx, target)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				s.log.Error("HTTP request processing error.", tracing.Target("vector::internal_events::http_client_source"),
					"url", tracing.Display(target.Redacted()), "error", tracing.Display(err.Error()), "error_type", "request_failed", "stage", "receiving")
				continue
			}
			if len(events) > 0 && emit(ctx, events, nil) != nil {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Source) scrape(ctx context.Context, target *url.URL) ([]event.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ScrapeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/plain")
	switch s.cfg.Auth.Strategy {
	case "basic":
		req.SetBasicAuth(s.cfg.Auth.User, s.cfg.Auth.Password)
	case "bearer":
		req.Header.Set("Authorization", "Bearer "+s.cfg.Auth.Token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP error response: %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the answer is above the stand-in's limit of %d bytes", maxBody)
	}
	events, err := Parse(string(body), time.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("parsing error: %w", err)
	}
	for _, e := range events {
		s.tag(e.Metric, s.cfg.InstanceTag, address(target))
		s.tag(e.Metric, s.cfg.EndpointTag, target.String())
	}
	return events, nil
}

// tag adds a tag; one that is there already stays with honor_labels and is renamed without.
func (s *Source) tag(m *event.Metric, name, value string) {
	if name == "" {
		return
	}
	if old, there := m.Tags[name]; there {
		if s.cfg.HonorLabels {
			return
		}
		m.Tags["exported_"+name] = old
	}
	m.Tags[name] = value
}

func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
