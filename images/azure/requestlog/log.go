package requestlog

import (
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"bootrace/images/azure/accesstoken"
)

const (
	// maxText bounds what a client can put into one field of a line.
	maxText = 512
	// A value shorter than this occurs in ordinary text by chance; replacing it
	// would spoil the log and hide nothing.
	minSecret = 4
)

// Log writes records as lines; it is safe for concurrent use.
type Log struct {
	secrets atomic.Pointer[strings.Replacer]
	tokens  *regexp.Regexp

	hiding sync.Mutex
	names  map[string]string // of a secret, by its value

	mu  sync.Mutex
	out io.Writer
}

// New returns a log that writes to out and names the values of secrets (name to
// value) and all access tokens instead of showing them.
func New(out io.Writer, secrets map[string]string) *Log {
	l := &Log{tokens: accesstoken.Matcher(), names: make(map[string]string), out: out}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		l.learn(name, secrets[name])
	}
	l.replace()
	return l
}

// Hide names one more value instead of showing it, in all lines from now on. A
// secret may have several; a value keeps the first name that it came with.
func (l *Log) Hide(name, value string) {
	l.hiding.Lock()
	defer l.hiding.Unlock()
	if l.learn(name, value) {
		l.replace()
	}
}

func (l *Log) learn(name, value string) bool {
	if _, known := l.names[value]; known || len(value) < minSecret {
		return false
	}
	l.names[value] = name
	return true
}

func (l *Log) replace() {
	values := slices.Sorted(maps.Keys(l.names))
	// strings.NewReplacer takes the first pair that matches: where one value
	// begins with another, the longer one must come first.
	slices.SortStableFunc(values, func(a, b string) int { return len(b) - len(a) })
	// Whoever may set a secret may give it another one's value for a name.
	var bare []string
	for _, value := range values {
		bare = append(bare, value, "***")
	}
	name := strings.NewReplacer(bare...)
	var pairs []string
	for _, value := range values {
		pairs = append(pairs, value, "[secret:"+name.Replace(l.names[value])+"]")
	}
	l.secrets.Store(strings.NewReplacer(pairs...))
}

// Write writes one line. A reader that went away is no reason to stop serving,
// so nothing is returned: the machine that is watched goes on undisturbed.
func (l *Log) Write(r Record) {
	// Service, op and auth are this program's own words; all else can be a client's.
	for _, text := range []*string{
		&r.Method, &r.Host, &r.Path, &r.Query, &r.Secret, &r.Version, &r.Error, &r.Dataset, &r.TokenName, &r.Worker, &r.UserAgent,
	} {
		*text = l.clean(*text)
	}
	if r.Lines != nil {
		lines := make(map[string]string, len(r.Lines))
		for source, ranges := range r.Lines {
			lines[l.clean(source)] = ranges
		}
		r.Lines = lines
	}
	line, err := json.Marshal(r)
	if err != nil {
		return // strings, numbers and a map of strings always encode
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// One write a line: a reader never sees half of one before the other half.
	_, _ = l.out.Write(append(line, '\n'))
}

// clean takes the secrets out first and shortens afterwards, so that no part of
// a value is left at the cut.
func (l *Log) clean(text string) string {
	if text == "" {
		return ""
	}
	text = l.tokens.ReplaceAllLiteralString(l.secrets.Load().Replace(text), "[secret:imds-token]")
	if len(text) > maxText {
		text = text[:maxText] + "…"
	}
	return text
}
