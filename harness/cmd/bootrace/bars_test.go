package main

import (
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/assert"
)

func TestARowFitsItsTerminal(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	waiting := row{name: "delay-4m@bookworm#10", names: 20, step: "cloud-final started", took: 250 * time.Second, ends: now.Add(125 * time.Second)}
	booting := row{name: "pre@trixie#1", names: 20, step: "multi-user.target reached"}
	long := row{name: strings.Repeat("long-", 12) + "name@trixie#3", names: 73, step: "worker registered", took: 10 * time.Second, ends: now.Add(time.Second)}
	for _, tt := range []struct {
		name  string
		row   row
		width int
		want  string
	}{
		{"all of it where there is room", waiting, 100,
			"  delay-4m@bookworm#10  cloud-final started        [===========-----------]    2m5s"},
		{"no bar in 60 columns", waiting, 60,
			"  delay-4m@bookworm#10  cloud-final started          2m5s"},
		{"no step in 40 columns", waiting, 40,
			"  delay-4m@bookworm#10    2m5s"},
		{"no time before it is known", booting, 100,
			"  pre@trixie#1          multi-user.target reached"},
		{"a name too long keeps its end", long, 60,
			"  long-long-l…me@trixie#3  worker registered              1s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.row.line(tt.width, now)
			assert.Equal(t, tt.want, got)
			assert.LessOrEqual(t, runewidth.StringWidth(got), tt.width)
		})
	}
	for _, r := range []row{waiting, booting, long} {
		for width := range 200 { // a terminal may be made smaller while rows are drawn
			assert.LessOrEqual(t, runewidth.StringWidth(r.line(width, now)), max(width, leastColumns), "%s in %d columns", r.name, width)
		}
	}
	over := waiting
	assert.Contains(t, over.line(100, now.Add(time.Hour)), "[======================]      0s", "late, it is full and not more")
}

func TestATerminalWithoutRoomGetsPlainLines(t *testing.T) {
	t.Parallel()
	assert.True(t, streams{terminal: true, errWidth: 80}.live())
	assert.False(t, streams{terminal: true, errWidth: 0}.live(), "a serial line does not say how wide it is")
	assert.False(t, streams{terminal: false, errWidth: 80}.live())
}

func TestTheTallySaysHowFarTheRunIs(t *testing.T) {
	t.Parallel()
	began := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name  string
		tally tally
		width int
		want  string
	}{
		{"at first", tally{planned: 20, underWay: 3, began: began}, 80, "0 of 20 ended; 3 under way, 1m5s"},
		{"all well", tally{planned: 20, underWay: 3, ended: 4, began: began}, 80, "4 of 20 ended, all as expected; 3 under way, 1m5s"},
		{"some not", tally{planned: 20, underWay: 3, ended: 4, bad: 1, began: began}, 80, "4 of 20 ended, 1 not as expected; 3 under way, 1m5s"},
		{"cut to the terminal", tally{planned: 20, underWay: 3, ended: 4, bad: 1, began: began}, 20, "4 of 20 ended, 1 no…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, tt.tally.line(tt.width, began.Add(65*time.Second)))
		})
	}
}
