package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"bootrace/images/inside/vectorconfig"
)

// worker is the production worker's twin as far as the race is concerned: it
// needs worker.env, registers with the control plane, and logs.
func worker(ctx context.Context, getenv func(string) string, stdout io.Writer) error {
	url := getenv("OPENSANDBOX_CONTROL_PLANE_URL")
	if url == "" {
		return fmt.Errorf("OPENSANDBOX_CONTROL_PLANE_URL is not set: worker.env has not been written, or has not been read")
	}
	body, err := json.Marshal(map[string]string{
		"worker_id": getenv("OPENSANDBOX_WORKER_ID"),
		"region":    getenv("OPENSANDBOX_REGION"),
		"host_ip":   getenv("OPENSANDBOX_HOST_IP"),
	})
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := register(ctx, client, url+"/v1/workers/register", body)
		if err == nil {
			break
		}
		fmt.Fprintf(stdout, "register: %v; again in %s\n", err, wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
	client.CloseIdleConnections()
	serveMetrics(ctx, scrapedPorts(vectorconfig.Find(ctx)))
	return logLines(ctx, stdout, "opensandbox-worker", "serving")
}

func register(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}
