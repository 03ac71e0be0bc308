package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// configRefused is the status with which Vector ends when it does not take its
// configuration, from validate and from the start alike (sysexits(3h), EX_CONFIG).
const configRefused = "78"

var (
	// A line of a program's own that says what went wrong; Vector's validate marks
	// those with an x, its log with the level.
	complaint = regexp.MustCompile(`(?i)^(x|error:|thread '|panic)|\b(ERROR|FATAL)\b`)
	troubled  = regexp.MustCompile(`\b(WARN|ERROR)\b`)
	ruler     = regexp.MustCompile(`^[\W_]*$`)
	stamp     = regexp.MustCompile(`^\d{4}-\d\d-\d\dT[0-9:.]+Z?\s+`)
)

// wordsAtMost are lines, wordAtMost runes of one.
const (
	wordsAtMost = 2
	wordAtMost  = 240
)

// lastWords are the last complaints, or where there is none the last lines.
func lastWords(said []string) []string {
	var lines []string
	for _, l := range said {
		if l = strings.TrimSpace(stamp.ReplaceAllString(l, "")); !ruler.MatchString(l) {
			lines = append(lines, l)
		}
	}
	complaints := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !complaint.MatchString(l) })
	if len(complaints) > 0 {
		lines = complaints
	}
	lines = slices.Compact(lines)
	lines = slices.Clone(lines[max(0, len(lines)-wordsAtMost):])
	for i, l := range lines {
		if runes := []rune(l); len(runes) > wordAtMost {
			lines[i] = string(runes[:wordAtMost]) + " …"
		}
	}
	return lines
}

// ending says how Vector ended, the last time of so many.
func ending(e boot.End, times int) string {
	how := "ended by itself"
	if command := e.Change.Command; command != "" && command != "ExecStart" {
		how += " (" + command + ")"
	}
	if times > 1 {
		how += fmt.Sprintf(" %d times, the last", times)
	}
	how += " at " + timeline.Since(e.At)
	switch code, status := e.Change.ExitCode, e.Change.ExitStatus; {
	case status == configRefused:
		how += " with 78, configuration refused"
	case status != "" && code != "" && code != "exited":
		how += fmt.Sprintf(" by signal %s", status)
	case status != "":
		how += " with " + status
	}
	words := lastWords(e.Words)
	if len(words) == 0 {
		return "Vector " + how + ", without a word"
	}
	return "Vector " + how + "; its last words: " + strings.Join(words, " | ")
}

// A configuration that is refused is mended by what Vector says of it.
const changeConfig = "mend what Vector refuses in its configuration: its own words name it, and vector validate says the same without a boot"

// changeInterpolation is the mend of a configuration from before 0.57.
const changeInterpolation = "say Environment=VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=true in a drop-in of vector.service: from 0.57 on Vector puts no variable into its configuration without it; " +
	"or take the values from a secret backend (SECRET[…]), or stay with Vector 0.56"

// interpolation says that a variable's name was taken for its value, which is so from
// Vector 0.57 on where nobody allows otherwise.
func interpolation(b boot.Facts, words []string) (said string, ok bool) {
	for _, ev := range b.Of(timeline.Request) {
		switch c := ev.Call; {
		case c.Op != "ingest":
		case c.Auth == "literal":
			return fmt.Sprintf("Vector sent the text ${…} itself as its token, at %s, and was answered %d: from 0.57 on no variable is put into the configuration unless the environment says so",
				timeline.Since(ev.At), c.Status), true
		case strings.Contains(c.Dataset, "${"):
			return fmt.Sprintf("Vector sent the text %s itself as its dataset, at %s, and was answered %d: from 0.57 on no variable is put into the configuration unless the environment says so",
				c.Dataset, timeline.Since(ev.At), c.Status), true
		}
	}
	if before057(b.Versions["vector"]) || !strings.Contains(strings.Join(words, "\n"), "invalid uri character") {
		return "", false
	}
	return "a URL that is a variable is refused so from 0.57 on, where no variable is put into the configuration unless the environment says so", true
}

var versionText = regexp.MustCompile(`^vector (\d+)\.(\d+)\.`)

// before057 reports whether a Vector that names itself so still put variables in.
func before057(version string) bool {
	m := versionText.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return major == 0 && minor < 57
}

// ignored are the lines of Vector's environment files that PID 1 did not take
// (systemd.exec(5), EnvironmentFile=).
func ignored(b boot.Facts) []string {
	var out []string
	for _, ev := range b.Events {
		if line := "PID 1: " + ev.Text; ev.Unit == boot.Vector && ev.Manager && strings.Contains(ev.Text, "invalid environment assignment") && !slices.Contains(out, line) && len(out) < wordsAtMost {
			out = append(out, line)
		}
	}
	return out
}

// suppressed is what Vector says instead of a line that it has said already.
const suppressed = "to avoid flooding"

// trouble is the last that a Vector that runs said of what it cannot do.
func trouble(b boot.Facts) []string {
	v, ok := b.RunningVector().First()
	for i := len(b.Events) - 1; ok && i >= 0; i-- {
		ev := b.Events[i]
		if ev.Unit == boot.Vector && ev.Kind == timeline.Log && !ev.Manager && !ev.Untimed && ev.At >= v.Start &&
			troubled.MatchString(ev.Text) && !strings.Contains(ev.Text, suppressed) {
			return []string{fmt.Sprintf("Vector said at %s: %s", timeline.Since(ev.At), strings.Join(lastWords([]string{ev.Text}), ""))}
		}
	}
	return nil
}

// vectors are the checks whose failure can be Vector's own doing.
var vectors = []string{"no-start-limit", "no-unit-failed", "vector-active", "start-rate", "vector-credentialed", "logs-delivered"}

// vectorSays adds Vector's own words, and takes back a mend that is none for what
// they say: a configuration that is refused has nothing to do with worker.env.
func (e *Explanation) vectorSays(b boot.Facts, cause results.Check) {
	var end boot.End
	var more []string
	ends := b.Ends(boot.Vector).All
	if len(ends) > 0 {
		end = ends[len(ends)-1]
		more = append(more, ending(end, len(ends)))
	}
	words := lastWords(end.Words)
	if len(ends) == 0 && cause.Name == "logs-delivered" {
		more = append(more, trouble(b)...)
	}
	trap, trapped := interpolation(b, words)
	if trapped {
		more = append(more, trap)
	}
	e.More = slices.Concat(more, ignored(b), e.More)
	of := slices.Contains(unitsOf(cause), boot.Vector) || cause.Name == "vector-credentialed" || cause.Name == "logs-delivered"
	if !of || !slices.Contains(vectors, cause.Name) {
		return
	}
	// A variable that is missing is the subject's to write in time.
	missing := slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(w), "environment variable") })
	switch {
	case trapped:
		e.Change = changeInterpolation
	case end.Change.ExitStatus == configRefused && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "is not writable") }):
		e.Change = "let the directory be Vector's user's: a unit of another user that has the same StateDirectory= takes all of it (systemd.exec(5)), and so does a chown"
	case end.Change.ExitStatus == configRefused && !missing:
		e.Change = changeConfig
	}
}
