package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"bootrace/harness/recording"
)

// scraped is an address of this host from which a configuration reads metrics.
var scraped = regexp.MustCompile(`http://(?:127\.0\.0\.1|localhost):([0-9]{1,5})/[^\s"',\]]*metrics`)

// scrapedPorts are the ports at which Vector's configuration expects the worker's
// metrics: which it is in production is the configuration's knowledge, not ours.
func scrapedPorts(c recording.VectorConfig) []string {
	var out []string
	for _, f := range c.Files {
		if !strings.Contains(f.Text, "prometheus_scrape") {
			continue
		}
		for _, m := range scraped.FindAllStringSubmatch(f.Text, -1) {
			if !slices.Contains(out, m[1]) && !listens(c, m[1]) {
				out = append(out, m[1])
			}
		}
	}
	return out
}

// listens: Vector itself is to listen there (prometheus_exporter, address).
func listens(c recording.VectorConfig, port string) bool {
	address := regexp.MustCompile(`address["']?\s*[:=]\s*["']?[^\s"',]*:` + port + `\b`)
	return slices.ContainsFunc(c.Files, func(f recording.ConfigFile) bool { return address.MatchString(f.Text) })
}

// serveMetrics serves /metrics on those ports until ctx ends, as the real worker does
// from its registration on. A port that another program has is that program's.
func serveMetrics(ctx context.Context, ports []string) {
	var scrapes atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, `# HELP opensandbox_worker_up The worker has registered (bootrace's twin).
# TYPE opensandbox_worker_up gauge
opensandbox_worker_up 1
# HELP opensandbox_worker_scrapes_total How often this was asked for.
# TYPE opensandbox_worker_scrapes_total counter
opensandbox_worker_scrapes_total %d
`, scrapes.Add(1))
	})
	for _, port := range ports {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
		go func() { _ = server.Serve(l) }()
		go func() { <-ctx.Done(); _ = server.Close() }()
	}
}
