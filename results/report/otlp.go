package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"bootrace/results"
)

// OTLP writes the boots of a run as OpenTelemetry traces in OTLP's JSON form, one
// document with a trace a case, as Collector.Send sends them. A run without any
// boot is an error.
func OTLP(w io.Writer, r results.Run) error {
	all := &collector.ExportTraceServiceRequest{}
	for _, c := range r.Cases {
		if t := caseTrace(r, c); t != nil {
			all.ResourceSpans = append(all.ResourceSpans, t)
		}
	}
	if len(all.ResourceSpans) == 0 {
		return noTraces(r)
	}
	data, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(all)
	if err != nil {
		return fmt.Errorf("write OTLP: %w", err)
	}
	if data, err = hexIDs(data); err != nil {
		return fmt.Errorf("write OTLP: %w", err)
	}
	if _, err := w.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("write OTLP: %w", err)
	}
	return nil
}

func noTraces(r results.Run) error {
	return fmt.Errorf("run %s has no boot to trace: neither its records nor its recordings have one with a wall clock", r.ID)
}

// hexIDs writes ids as OTLP's JSON has them: in hex, where protobuf's JSON has
// base64 (OTLP specification, JSON Protobuf Encoding).
func hexIDs(data []byte) ([]byte, error) {
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	var walk func(any) error
	walk = func(v any) error {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if err := walk(e); err != nil {
					return err
				}
			}
		case map[string]any:
			for key, e := range v {
				if s, ok := e.(string); ok && slices.Contains([]string{"traceId", "spanId", "parentSpanId"}, key) {
					id, err := base64.StdEncoding.DecodeString(s)
					if err != nil {
						return fmt.Errorf("%s: %w", key, err)
					}
					v[key] = hex.EncodeToString(id)
				} else if err := walk(e); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk(doc); err != nil {
		return nil, err
	}
	return json.Marshal(doc)
}

// caseTrace is the boot that decided a case: a root span from PID 1's start to
// the recording's end, a span a state of a unit and a request, an event a moment.
// It is nil where there is no boot, or none whose wall clock is known. Its ids
// are made of the run's and the case's, so that it is the same trace each time.
func caseTrace(r results.Run, c results.Case) *trace.ResourceSpans {
	decided := c.Decided()
	b := decided.Boot
	if b == nil || b.Zero.IsZero() {
		return nil
	}
	id := sha256.Sum256([]byte(r.ID + "\x00" + c.ID))
	at := func(d time.Duration) uint64 { return uint64(b.Zero.Add(d).UnixNano()) }
	root := &trace.Span{
		TraceId: id[:16], SpanId: spanID(id, 0), Name: "boot " + c.Scenario, Kind: trace.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: at(0), EndTimeUnixNano: at(b.End), Attributes: caseAttributes(r, c),
	}
	if c.Verdict != "pass" {
		root.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: c.Verdict + ": " + c.Reason}
	}
	spans := []*trace.Span{root}
	for i, e := range b.Events {
		if e.Until == 0 {
			root.Events = append(root.Events, &trace.Span_Event{TimeUnixNano: at(e.At), Name: e.Name + " " + label(e), Attributes: eventAttributes(e)})
			continue
		}
		s := &trace.Span{
			TraceId: id[:16], SpanId: spanID(id, i+1), ParentSpanId: root.SpanId, Name: e.Name + " " + kindOf(e), Kind: trace.Span_SPAN_KIND_INTERNAL,
			StartTimeUnixNano: at(e.At), EndTimeUnixNano: at(e.Until), Attributes: eventAttributes(e),
		}
		if e.Lane == results.LaneRequest {
			s.Kind = trace.Span_SPAN_KIND_CLIENT
		}
		if e.Bad {
			s.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: e.Text}
		}
		spans = append(spans, s)
	}
	for _, check := range decided.Checks {
		for _, f := range check.Findings {
			root.Events = append(root.Events, &trace.Span_Event{TimeUnixNano: at(f.At), Name: "finding of " + check.Name,
				Attributes: attributes(map[string]string{"bootrace.summary": f.Summary, "bootrace.unit": f.Unit})})
		}
	}
	slices.SortStableFunc(root.Events, func(x, y *trace.Span_Event) int { return cmp.Compare(x.TimeUnixNano, y.TimeUnixNano) })
	return &trace.ResourceSpans{
		Resource:   &resource.Resource{Attributes: resourceAttributes(decided.Versions)},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "bootrace"}, Spans: spans}},
	}
}

// spanID is the trace's n-th.
func spanID(traceID [32]byte, n int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(traceID[:], uint64(n)))
	return sum[:8]
}

// kindOf names a span by what there are few of: a unit's state, a request's operation.
func kindOf(e results.Event) string {
	if op, _, _ := strings.Cut(e.Text, " "); e.Lane == results.LaneRequest && op != "" {
		return op
	}
	return string(e.Lane)
}

func eventAttributes(e results.Event) []*common.KeyValue {
	return attributes(map[string]string{"bootrace.lane": string(e.Lane), "bootrace.name": e.Name, "bootrace.text": e.Text})
}

func resourceAttributes(versions map[string]string) []*common.KeyValue {
	m := map[string]string{"service.name": "bootrace"}
	for what, version := range versions {
		m["bootrace.version."+what] = version
	}
	return attributes(m)
}

func caseAttributes(r results.Run, c results.Case) []*common.KeyValue {
	out := attributes(map[string]string{
		"bootrace.run": r.ID, "bootrace.case": c.ID, "bootrace.scenario": c.Scenario, "bootrace.base": c.Base, "bootrace.subject": c.Subject,
		"bootrace.subject_hash": c.Hash, "bootrace.backend": c.Backend, "bootrace.vector": c.Vector, "bootrace.verdict": c.Verdict,
		"bootrace.expected": c.Expected, "bootrace.recording": c.Recording,
	})
	measures := c.Decided().Boot.Measures
	for _, name := range slices.Sorted(maps.Keys(measures)) {
		out = append(out, &common.KeyValue{Key: "bootrace.measure." + name,
			Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: measures[name]}}})
	}
	return out
}

// attributes leaves out what is empty.
func attributes(m map[string]string) []*common.KeyValue {
	var out []*common.KeyValue
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if m[key] != "" {
			// A string that is no UTF-8 cannot be sent.
			value := &common.AnyValue_StringValue{StringValue: strings.ToValidUTF8(m[key], "\uFFFD")}
			out = append(out, &common.KeyValue{Key: key, Value: &common.AnyValue{Value: value}})
		}
	}
	return out
}
