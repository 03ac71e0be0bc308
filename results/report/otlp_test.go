package report

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"bootrace/results"
)

func values(of []*common.KeyValue) map[string]any {
	out := map[string]any{}
	for _, kv := range of {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *common.AnyValue_DoubleValue:
			out[kv.GetKey()] = v.DoubleValue
		}
	}
	return out
}

func TestABootIsATrace(t *testing.T) {
	r := booted()
	c := r.Cases[1]
	rs := caseTrace(r, c)
	assert.Equal(t, map[string]any{"service.name": "bootrace", "bootrace.version.systemd": "257", "bootrace.version.vector": "stand-in"},
		values(rs.GetResource().GetAttributes()))
	spans := rs.GetScopeSpans()[0].GetSpans()
	require.Len(t, spans, 1+5, "the boot, two states of a unit, three requests")

	root := spans[0]
	zero := c.Decided().Boot.Zero
	assert.Empty(t, root.GetParentSpanId())
	assert.EqualValues(t, zero.UnixNano(), root.GetStartTimeUnixNano())
	assert.EqualValues(t, zero.Add(time.Minute).UnixNano(), root.GetEndTimeUnixNano())
	assert.Equal(t, trace.Status_STATUS_CODE_ERROR, root.GetStatus().GetCode())
	assert.Equal(t, "fail: because of a|b <c>", root.GetStatus().GetMessage())
	assert.Equal(t, 2.5, values(root.GetAttributes())["bootrace.measure.multi_user_s"])
	assert.Equal(t, "bad", values(root.GetAttributes())["bootrace.case"])
	assert.Equal(t, trace.Status_STATUS_CODE_UNSET, caseTrace(r, r.Cases[0]).GetScopeSpans()[0].GetSpans()[0].GetStatus().GetCode(), "a case that passed")

	var events []string
	for i, e := range root.GetEvents() {
		events = append(events, e.GetName())
		if i > 0 {
			assert.GreaterOrEqual(t, e.GetTimeUnixNano(), root.GetEvents()[i-1].GetTimeUnixNano())
		}
	}
	assert.Equal(t, []string{"finding of registered", "vector.service failed: failed: exit-code", "worker.env complete", "controlplane the worker is registered"}, events)

	ids := map[string]bool{}
	for _, s := range spans {
		assert.Equal(t, root.GetTraceId(), s.GetTraceId())
		assert.Len(t, s.GetTraceId(), 16)
		assert.Len(t, s.GetSpanId(), 8)
		assert.False(t, ids[string(s.GetSpanId())], "an id of its own")
		ids[string(s.GetSpanId())] = true
		if s != root {
			assert.Equal(t, root.GetSpanId(), s.GetParentSpanId())
			assert.Greater(t, s.GetEndTimeUnixNano(), s.GetStartTimeUnixNano())
		}
	}
	assert.Equal(t, "vector.service start", spans[2].GetName())
	assert.Equal(t, trace.Status_STATUS_CODE_ERROR, spans[2].GetStatus().GetCode())
	assert.EqualValues(t, zero.Add(1500*time.Millisecond).UnixNano(), spans[2].GetEndTimeUnixNano())
	assert.Equal(t, "keyvault secrets.get", spans[3].GetName())
	assert.Equal(t, trace.Span_SPAN_KIND_CLIENT, spans[3].GetKind())
	assert.Nil(t, spans[3].GetStatus())
	assert.Equal(t, "secrets.get shared-axiom-platform-dataset 503", spans[4].GetStatus().GetMessage())
}

func TestATraceIsTheSameEachTimeAndOfItsCaseAlone(t *testing.T) {
	id := func(run, name string) string {
		r := booted()
		r.ID, r.Cases[0].ID = run, name
		return hex.EncodeToString(caseTrace(r, r.Cases[0]).GetScopeSpans()[0].GetSpans()[0].GetTraceId())
	}
	assert.Equal(t, id("run", "case"), id("run", "case"))
	assert.NotEqual(t, id("run", "case"), id("run", "other"))
	assert.NotEqual(t, id("run", "case"), id("other", "case"))
	assert.NotEqual(t, id("ab", "c"), id("a", "bc"))
}

func TestOTLPsJSONHasIDsInHexAndNumbersForEnums(t *testing.T) {
	var out strings.Builder
	require.NoError(t, OTLP(&out, booted()))
	var doc struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []map[string]any
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out.String()), &doc))
	require.Len(t, doc.ResourceSpans, 2, "a trace a case that has a boot")
	spans := doc.ResourceSpans[0].ScopeSpans[0].Spans
	assert.Regexp(t, `^[0-9a-f]{32}$`, spans[0]["traceId"])
	assert.Regexp(t, `^[0-9a-f]{16}$`, spans[1]["spanId"])
	assert.Equal(t, spans[0]["spanId"], spans[1]["parentSpanId"])
	assert.Equal(t, 1.0, spans[0]["kind"])
	assert.Equal(t, "1767323046000000500", spans[0]["startTimeUnixNano"])
}

func TestARunWithoutAWallClockHasNoTrace(t *testing.T) {
	var out strings.Builder
	require.ErrorContains(t, OTLP(&out, example()), "no boot to trace")
	r := booted()
	r.Cases = r.Cases[:1]
	r.Cases[0].Attempts[1].Boot.Zero = time.Time{}
	require.ErrorContains(t, OTLP(&out, r), "no boot to trace")
	assert.Empty(t, out.String())
}

func TestATextThatIsNoUTF8IsSentAllTheSame(t *testing.T) {
	r := booted()
	r.Cases[0].Attempts[1].Boot.Events = []results.Event{{At: 1, Until: 2, Lane: results.LaneFailed, Name: "a", Text: "\xff"}}
	var out strings.Builder
	require.NoError(t, OTLP(&out, r))
}
