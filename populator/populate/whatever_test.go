package populate_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bootrace/populator/vectorenv"
)

// TestWhateverTheCloudDoes: the real clients against the whole emulated cloud,
// with a random schedule of faults, while the role env is torn and the
// populator is stopped and started. Once the faults are over and the role env is
// whole it ends with exactly what the vault has last said, and Vector runs with
// it; boot has waited at most a second; nobody was asked too often; and at no
// time was vector.env partial, or a stub where credentials had been.
//
//	go test ./populator/populate -run TestWhateverTheCloudDoes -rapid.checks=10000
func TestWhateverTheCloudDoes(t *testing.T) {
	t.Parallel()
	base := inMemory(t)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		s := schedules().Draw(r, "schedule")
		run++
		dir := filepath.Join(base, fmt.Sprint(run))
		require.NoError(r, os.Mkdir(dir, 0o755))
		defer os.RemoveAll(dir)
		var problem string
		synctest.Test(t, func(t *testing.T) {
			withWorld(t, dir, func(w *world) { problem = endure(w, s) })
		})
		if problem != "" {
			r.Fatal(problem)
		}
	})
}

// inMemory is a directory for which fsync costs nothing, if there is one.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "bootrace-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// endure is one machine's life; it returns what is wrong with it.
func endure(w *world, s schedule) string {
	e := newEmulated(s.faults)
	eyes := &observer{file: w.file}
	e.onRequest, w.vector.look = eyes.look, eyes.look
	w.file0(s.before)
	eyes.look()
	w.vector.idle = s.idle
	if !s.idle {
		w.vector.runs = w.values()
	}
	if s.early {
		w.put("worker.env", worker(theVault))
	}
	m := &life{world: w, emulated: e, observer: eyes}
	m.begin()
	for _, event := range s.events {
		if event.restart {
			w.sleep(event.after)
			m.end()
			m.begin()
		} else {
			w.apply([]write{event.write})
		}
		eyes.look()
	}
	w.apply([]write{{after: 10 * time.Millisecond, name: "worker.env", content: worker(theVault)}})
	w.sleep(max(time.Until(w.began.Add(s.over())), 0))
	if !w.running() {
		// It was done before the last edits, or before a fault.
		m.end()
		m.begin()
	}
	w.passTurn()
	select {
	case err := <-w.ended:
		w.ended <- err
	case <-time.After(s.patience()):
		return "it has not ended: " + w.notify.status
	}
	m.end()
	eyes.look()
	m.problem(m.outcome())
	m.problem(eyes.problem)
	return strings.Join(m.problems, "; ")
}

// life is a machine's, over several processes of the populator.
type life struct {
	*world
	*emulated
	*observer
	problems []string
	first    int // of this process's requests
}

func (m *life) problem(text string) {
	if text != "" && !slices.Contains(m.problems, text) {
		m.problems = append(m.problems, text)
	}
}

func (m *life) begin() {
	client, err := m.emulated.client()
	require.NoError(m.t, err)
	m.fetcher = client
	m.first = m.asked()
	m.notify.readyAt, m.notify.began = -1, time.Now()
	m.start()
}

// end stops the process if it runs, and judges it.
func (m *life) end() {
	m.passTurn()
	m.world.cancel()
	if err := <-m.ended; err != nil && !errors.Is(err, context.Canceled) {
		m.problem(err.Error())
	}
	synctest.Wait()
	m.passTurn()
	ready, lived := m.notify.readyAt, time.Since(m.notify.began)
	if ready > time.Second || ready < 0 && lived > time.Second {
		m.problem(fmt.Sprintf("ready after %s of %s", ready, lived))
	}
	if ready >= 0 && m.vector.idle {
		// Vector's start waits for this unit.
		m.vector.idle, m.vector.runs = false, m.notify.atReady.Values
		for _, values := range m.vector.reloads {
			m.vector.runs = values
		}
	}
	m.problem(m.impolite(m.first))
}

// outcome compares vector.env with what the vault has said, and Vector with it.
func (m *life) outcome() string {
	got := m.values()
	want := vectorenv.Complete(map[string]string{vectorenv.HostIP: m.hostIP, vectorenv.Region: "westeurope"})
	for _, s := range vectorenv.Secrets() {
		value := "value of " + s.Name
		switch last, heard := m.said[s.Name]; {
		case !heard:
			return "nothing was heard of " + s.Name
		case last.refused && slices.Contains([]string{value, "new " + value, "old " + value}, got[s.Variable]):
			want[s.Variable] = got[s.Variable] // it stays, or there is none
		case last.value != "":
			want[s.Variable] = last.value
		}
	}
	for name, value := range want {
		if got[name] != value {
			return fmt.Sprintf("%s is %q, not %q", name, got[name], value)
		}
		if m.vector.runs[name] != value {
			return fmt.Sprintf("Vector runs with %s=%q, not %q", name, m.vector.runs[name], value)
		}
	}
	if len(got) != len(want) {
		return fmt.Sprintf("vector.env has %d variables, not %d", len(got), len(want))
	}
	return ""
}

// file0 is vector.env as a boot finds it.
func (w *world) file0(before string) {
	switch before {
	case "credentials":
		old := map[string]string{}
		for _, s := range vectorenv.Secrets() {
			old[s.Variable] = "old value of " + s.Name
		}
		w.hold(old)
	case "a stub":
		data, err := vectorenv.Render(vectorenv.Stub())
		require.NoError(w.t, err)
		_, err = w.file.Write(data)
		require.NoError(w.t, err)
	case "garbage":
		require.NoError(w.t, os.WriteFile(w.file.Path, []byte("AXIOM_PLATFORM_TOKEN=\"half"), 0o600))
	}
}

// observer looks at vector.env again and again.
type observer struct {
	file vectorenv.File

	mu      sync.Mutex
	once    bool // there was a usable file
	real    bool // there were credentials
	problem string
}

func (o *observer) look() {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.file.Read()
	switch {
	case o.problem != "" || !o.once && now.Kind == vectorenv.None:
	case now.Err != nil:
		o.problem = now.Err.Error()
	case now.Kind == vectorenv.None:
		o.problem = "vector.env was usable and is not any more"
	case now.Kind == vectorenv.Placeholder && o.real:
		o.problem = "a stub was written over credentials"
	case now.Kind == vectorenv.Real && len(now.Values) != len(vectorenv.Complete(nil))+2,
		now.Kind == vectorenv.Placeholder && len(now.Values) != len(vectorenv.Stub()):
		o.problem = fmt.Sprintf("vector.env has %d variables", len(now.Values))
	}
	o.once = o.once || now.Kind != vectorenv.None
	o.real = o.real || now.Kind == vectorenv.Real
}
