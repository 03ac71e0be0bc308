package fault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// span is a range of request numbers; last 0 is open.
type span struct{ first, last int }

func (s span) has(n int) bool { return n >= s.first && (s.last == 0 || n <= s.last) }

// spans reads "1-3", "2", "1,3,5", "4-".
func spans(text string) ([]span, error) {
	if text == "" {
		return nil, nil
	}
	var out []span
	for part := range strings.SplitSeq(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		s := span{}
		var err error
		if s.first, err = strconv.Atoi(first); err == nil {
			switch {
			case !ranged:
				s.last = s.first
			case last != "":
				s.last, err = strconv.Atoi(last)
				if s.last < s.first {
					s.first = 0
				}
			}
		}
		if err != nil || s.first < 1 {
			return nil, fmt.Errorf("%q: expected numbers of requests from 1, such as 1-3 or 1,4-", text)
		}
		out = append(out, s)
	}
	return out, nil
}

// pause is about how long programs wait before they ask again (this project's populator: 1 s,
// then twice as long each time).
const pause = 2 * time.Second

// Delays is about how long a program that asks again is kept from an answer by what happens
// to some requests only; 0 where it happens to all from one on.
func (f Fault) Delays() time.Duration {
	list, _ := spans(f.Requests)
	n := 0
	for _, s := range list {
		if s.last == 0 {
			return 0
		}
		n += s.last - s.first + 1
	}
	return time.Duration(n) * max(pause, f.RetryAfter.Duration)
}
