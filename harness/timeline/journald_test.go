package timeline

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEntriesThatWereRemovedAreCounted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		cursors []string
		want    int
	}{
		{"whole, in any order", []string{"s=a;i=2", "s=a;i=1", "s=a;i=3"}, 0},
		{"the first are gone", []string{"s=a;i=a8;b=2bd0", "s=a;i=a9;b=2bd0"}, 0xa7},
		{"some in the middle", []string{"s=a;i=1", "s=a;i=4"}, 2},
		{"two journals, each with its own numbers", []string{"s=a;i=1", "s=b;i=1", "s=a;i=2"}, 0},
		{"one that is seen twice", []string{"s=a;i=1", "s=a;i=1", "s=a;i=2"}, 0},
		{"no cursor", []string{"", "x", "i=7", "s=a;i=zz"}, 0},
		{"nonsense", []string{"s=a;i=ffffffffffffffff"}, maxRemoved - 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			for _, c := range tt.cursors {
				text.WriteString(`{"__MONOTONIC_TIMESTAMP":"5","_PID":"1","MESSAGE":"x","__CURSOR":"` + c + `"}` + "\n")
			}
			var d damage
			_, removed := readJournal(strings.NewReader(text.String()), 0, &d)
			assert.Equal(t, tt.want, removed)
			assert.Empty(t, d.String())
		})
	}
}

func TestJournaldsSettings(t *testing.T) {
	t.Parallel()
	text := "# /etc/systemd/journald.conf\n[Journal]\n#Storage=auto\n; RateLimitBurst=1\n\n" +
		"# /etc/systemd/journald.conf.d/10.conf\n# Storage=volatile here\n[Journal]\nStorage = none\nRateLimitBurst=40\n" +
		"# /etc/systemd/journald.conf.d/20.conf\n[Journal]\nRateLimitBurst=\n"
	var d damage
	got := readJournald(strings.NewReader(text), &d)
	assert.Equal(t, map[string]Setting{"Storage": {Value: "none", Path: "/etc/systemd/journald.conf.d/10.conf",
		Evidence: Evidence{File: Journald, Line: 9, Text: "/etc/systemd/journald.conf.d/10.conf: Storage=none"}}}, got)
	assert.Empty(t, d.String())
}

func TestRoom(t *testing.T) {
	t.Parallel()
	var d damage
	assert.Equal(t, map[string]int64{"/": 12_000_000_000, "/run": 0}, readRoom(strings.NewReader("/\t12000000000\n/run\t0\n/tmp\tmuch\n"), &d))
	assert.Contains(t, d.String(), "line 3: no number of bytes")
}
