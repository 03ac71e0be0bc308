package run

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// goesOnFor is how long after the delivery something of the subject may begin for a case
// to go on for it. A refresh that breaks what was right does so the first time, and who
// refreshes within a minute does it for every worker of the fleet; who does it more
// seldom would make every case as long as that, and is named in the verdict instead.
const goesOnFor = 60 * time.Second

// askAhead is how long before a case's end the machine is asked what may still happen:
// the answer takes some 50 ms, and is there when it is needed.
const askAhead = time.Second

// patience is for how long a case goes on after it has delivered, and for what.
type patience struct {
	delivered time.Time
	hold      time.Duration // after whatever happened
	seen      []recording.Pending
}

// goOn is the moment at which the case may end, for what is pending by now; zero: it may
// end as planned.
func (p *patience) goOn(pending []recording.Pending, now time.Time) (until time.Time, why recording.Pending) {
	for _, e := range pending {
		due := now.Add(time.Duration(e.Due - e.Seen)) // both by the machine's clock
		if e.Due > 0 && !due.After(p.delivered.Add(goesOnFor)) {
			e.Waited = true
			if end := due.Add(p.hold); end.After(until) {
				until, why = end, e
			}
		}
		p.seen = append(p.seen, e)
	}
	return until, why
}

// file is pending.jsonl.
func (p *patience) file() ([]byte, error) {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for _, e := range p.seen {
		if err := lines.Encode(e); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// askTimeout bounds a question, such as what may still happen.
const askTimeout = 10 * time.Second

// ask asks a machine what of the subject may still happen.
func ask(ctx context.Context, m machine.Machine, units []string) ([]recording.Pending, error) {
	text, err := question(ctx, m, recording.CollectRequest{Pending: true, Units: units}, recording.PendingFile)
	if err != nil {
		return nil, err
	}
	var out []recording.Pending
	for lines := json.NewDecoder(bytes.NewReader(text)); ; {
		var p recording.Pending
		if err := lines.Decode(&p); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what may still happen: %w", err)
		}
		out = append(out, p)
	}
}

// question asks a machine something while it goes on, and returns the file with the answer;
// empty: it has nothing to say.
func question(ctx context.Context, m machine.Machine, what recording.CollectRequest, file string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	var answer bytes.Buffer
	if err := m.Collect(ctx, request, &answer); err != nil {
		return nil, err
	}
	for files := tar.NewReader(&answer); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err == nil && h.Name != file {
			continue
		}
		text, readErr := io.ReadAll(files)
		if err = errors.Join(err, readErr); err != nil {
			return nil, fmt.Errorf("read %s of the machine: %w", file, err)
		}
		return text, nil
	}
}
