package topology

import (
	"context"

	"bootrace/images/vector/config"
	"bootrace/images/vector/metrics"
)

// Health is the outcome of one sink's health check.
type Health struct {
	Sink     string
	Disabled bool
	Err      error
}

// Healthchecks asks every sink of a built topology. The axiom sink has a health check only where `healthcheck.uri` is
// set, so a bad token is not seen here.
func (t *Topology) Healthchecks(ctx context.Context, enabled bool) []Health {
	return askHealth(ctx, t.sinks, enabled)
}

// CheckHealth does the same for a configuration that is not going to run.
func CheckHealth(ctx context.Context, cfg *config.Config, opts Options) []Health {
	registry := metrics.New("", opts.Started)
	var sinks []*sink
	for _, c := range cfg.Sinks {
		s, err := buildSink(c, opts, registry)
		if err != nil {
			return []Health{{Sink: c.ID, Err: err}}
		}
		sinks = append(sinks, s)
	}
	return askHealth(ctx, sinks, cfg.Healthchecks.Enabled)
}

func askHealth(ctx context.Context, sinks []*sink, enabled bool) []Health {
	var all []Health
	for _, s := range sinks {
		if !enabled || !s.Healthcheck {
			all = append(all, Health{Sink: s.ID, Disabled: true})
			continue
		}
		timed, cancel := context.WithTimeout(ctx, s.HealthTimeout)
		all = append(all, Health{Sink: s.ID, Err: s.healthcheck(timed)})
		cancel()
	}
	return all
}
