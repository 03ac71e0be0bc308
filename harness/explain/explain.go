// Package explain says in a few sentences why a case failed: the failed check
// that the others follow from, what it rests on, and what would have to change
// where that is known. It reads a result; the recording, if there is one, adds
// the request and the start that decided.
//
//	e, ok := explain.Case(c, boot.Of(tl))
//	fmt.Println(e.Why, e.Change)
package explain

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// Explanation is why a case came out as it did.
type Explanation struct {
	Check    string             // the one that the others follow from
	Why      string             // what it saw
	More     []string           // what the recording adds
	Evidence []results.Evidence // of Why
	Then     []string           // the other failed checks, in the order of cause
	Change   string             // what would have to change; empty if it is not known

	first    string // its check, and what that found first
	findings int    // of all checks
}

// cause is a check's place among the causes. The first that failed is the one
// that the others follow from: a cycle keeps Vector from its start, a boot that
// is blocked keeps the worker from registering, and not the other way round.
type cause struct {
	check, change string
	more          func(boot.Facts, results.Check) []string
	// follows names a check that this one follows from where both failed, and where the
	// first finding of this one says so; no words: always.
	follows, where string
	// unless are words of it with which it does not.
	unless string
	// saying are the words that the other one's first finding must have for that; none: any.
	saying string
}

func (c cause) after(failed map[string]results.Check) bool {
	other, both := failed[c.follows]
	if !both || !strings.Contains(other.Findings[0].Summary, c.saying) {
		return false
	}
	own, isFailed := failed[c.check]
	if !isFailed {
		return c.where == ""
	}
	said := own.Findings[0].Summary
	return strings.Contains(said, c.where) && (c.unless == "" || !strings.Contains(said, c.unless))
}

var causes = []cause{
	{check: "no-ordering-cycle", follows: "no-unit-failed", where: "never got its start job", change: "take away the After= or Before= that closes the cycle: what multi-user.target waits for cannot come after cloud-final.service or multi-user.target, " +
		"which cloud-final.service comes after", more: cycleUnits},
	{check: "start-rate", follows: "no-start-limit", change: "wait inside one start, and be started once; where a path unit starts it, watch the one file that is awaited and not its directory, where the unit writes as well"},
	{check: "boot-unblocked", follows: "no-unit-failed", where: "no job for it is queued", unless: elsewhere, change: "let the unit's start end before worker.env exists: READY (Type=notify) with a stub, and the waiting after it; " +
		"and ask for other units' starts with --no-block, since a start that waits for this one never ends"},
	{check: "no-start-limit", change: "do not fail while worker.env is not there yet, nor let Vector fail for want of a variable; or take the limit of the subject's unit away (StartLimitIntervalSec=0): " +
		"Vector's restarts ask for what it wants each time, 0.1 s apart", more: spenders},
	{check: "no-unit-failed", change: "a unit that has nothing to do yet must not fail: write a stub with every variable before Vector starts, and exit or wait without an error"},
	{check: "base-intact", change: "leave the units of the base alone: no Conflicts= with them, no stop and no systemctl isolate; what an image does without is masked when it is built"},
	{check: "env-file-whole", follows: "vector-credentialed", saying: wasRight, change: "write a temporary file in the same directory, fsync it and rename it over vector.env; never write a stub over values"},
	{check: "role-env-fresh", change: "remove /etc/opensandbox/*.env when the image is built, as the last step: its own is written on each machine by cloud-init"},
	{check: "secrets-contained", change: "keep the value out of logs, arguments and other files, and vector.env root's with mode 0600 (UMask=0077)"},
	{check: "registered", change: "see what the worker's unit waited for: it registers when worker.env is there"},
	{check: "vector-credentialed", change: "ask again until the vault's values are there: IMDS, the vault and the role may come up later than worker.env, worker.env may be filled later than it is created, " +
		"and an optional secret may be missing; then restart Vector", more: refusals},
	{check: "logs-delivered", follows: "vector-active", saying: "at the end", change: "let Vector run on a stub whose URL nobody answers (it retries and buffers): whatever Axiom answers 4xx is dropped for good"},
	{check: "cloud-politeness", change: "wait between tries, longer each time, and keep Retry-After"},
	{check: "vector-active", change: "see why Vector ended: journalctl -u vector.service in the recording's journal; where nothing starts it again, Restart=always as packaged"},
	{check: "quiescent", change: "end what is not needed once Vector has its values"},
}

// mends are what would have to change where a check's first finding says more than the
// check does.
var mends = []struct{ check, says, change string }{
	{"logs-delivered", "since_now: true", "take since_now away from the journald source: without a checkpoint it begins with the boot, so that nothing from before Vector's start is left out"},
	{"logs-delivered", "of the stub", "write the real values to the file that the stub is in, or let the last EnvironmentFile= say the address as well: what it leaves out stays as the one before has it"},
	{"logs-delivered", "ships nothing of the worker", "have a journald source include opensandbox-worker.service, and bring what it reads to a sink that keeps it"},
	{"logs-delivered", "brings them to no sink", "name the metrics' source, or the transform after it, in the inputs of a sink that keeps them"},
	{"logs-delivered", "no metrics of", "see Vector's errors of that source and of the metrics' sink: the address that it scrapes, the metrics token and its dataset"},
	{"logs-delivered", "the configuration puts", "let the variable have its value before Vector starts with the vault's, and no later transform take the field away"},
	{"logs-delivered", "was answered 404", "mend the dataset: Axiom answers 404 where there is none of that name, and Vector drops the batch for good"},
	{"logs-delivered", "line of it is in the journal", "let what the worker says go to the journal that Vector reads: StandardOutput=journal, and no LogNamespace=, no LogLevelMax= below info, no LogRateLimitBurst= of few"},
	{"logs-delivered", "messages of a unit at a time", "leave journald's rate limit as it is built in, or set it for the unit that says too much (LogRateLimitBurst=, systemd.exec(5))"},
	{"logs-delivered", "journald keeps nothing", "let journald keep what is logged, in memory at least (Storage=auto, as it is built in)"},
	{"logs-delivered", "systemd-journald.service is", "let journald run: it is what Vector reads from"},
	{"logs-delivered", "removed from the journal", "leave it to journald to remove what is old (SystemMaxUse=, journald.conf(5)): Vector reads on where it was, from what is still there"},
	{"logs-delivered", "messages of PID 1 by the rate limit", "leave journald's rate limit as it is built in, or set it for the unit that says too much (LogRateLimitBurst=, systemd.exec(5))"},
	{"no-unit-failed", "the first boot's presets enabled it", "mask it, remove it, or leave a preset that disables it (systemd.preset(5)); or leave machine-id empty, not missing, so that no boot is the first (machine-id(5))"},
	{"no-unit-failed", "the machine was", "do not end the machine: restart the units that need the new settings, and let a check that fails say so and no more (FailureAction=none)"},
	{"no-unit-failed", "waits for somebody at its console", "let no mount or unit that can be missing be required by local-fs.target or sysinit.target (nofail, Wants=)"},
	{"no-unit-failed", "failed (watchdog)", "have the program say WATCHDOG=1 in time (sd_notify(3)), or take WatchdogSec= away"},
	{"no-unit-failed", "failed (timeout)", "see what takes longer than TimeoutStartSec=, TimeoutStopSec= or RuntimeMaxSec= lets it; what waits for worker.env waits after READY (Type=notify)"},
	{"no-unit-failed", "failed (dependency)", "have what the unit requires or is bound to up before it and for as long, or say Wants= of what it can do without"},
	{"no-unit-failed", "EnvironmentFile=", "let the file be missing (EnvironmentFile=-/…), or start the unit when it is there: worker.env comes after multi-user.target"},
	{"no-start-limit", "Upholds= of", "give what ends when it is done RemainAfterExit=yes, or say Wants= of it: Upholds= starts it again each time (systemd.unit(5))"},
	{"no-start-limit", ".socket starts it again", "accept the connection and read it (or Accept=yes): a socket that something waits at starts its service again as soon as that is over (systemd.socket(5))"},
	{"no-start-limit", ".path starts it again", "watch the one file that is awaited, and for a change (PathChanged=), or stay active (RemainAfterExit=yes): PathExists= and the like start the service again for as long as the file is there (systemd.path(5))"},
	{"no-unit-failed", "No module named", "have the module in the image: it is for the interpreter that the program names, and for root or the unit's User="},
	{"no-unit-failed", "Read-only file system", "let the unit write there: ReadWritePaths= beside ProtectSystem=, or a directory of its own (StateDirectory=, RuntimeDirectory=)"},
	{"no-unit-failed", "203, EXEC", exec}, {"no-unit-failed", "203/EXEC", exec},
	{"no-unit-failed", "(assert)", "use a Condition…= where the unit may be left out, or have what it asserts there before it starts"},
	{"no-unit-failed", "without a word of PID 1", "take LogLevelMax= away, and see why the unit ends: it is started again each time"},
	{"no-unit-failed", "PID 1 says nothing", "leave PID 1's LogLevel= and LogTarget= as they are built in (systemd-system.conf(5))"},
	{"no-ordering-cycle", "was skipped at", "let a path unit start it when the file comes (PathExists=, systemd.path(5)), or have the unit wait for it"},
	{"no-ordering-cycle", "nothing to count from", "add OnBootSec= or OnActiveSec= to the timer: OnUnitActiveSec= counts from a start that never was (systemd.timer(5))"},
	{"vector-credentialed", "had in the boot before", "ask the vault in each boot, whatever the disk has: a vector.env that is there is as old as the boot that wrote it (no ConditionPathExists=! on it, no stamp file, or one below /run)"},
	{"vector-credentialed", wasRight, "let a refresh touch vector.env only with values that it has just got from the vault, and leave it alone where it got none: a stub is for a file that is not there yet"},
	{"vector-credentialed", "which vector.service reads (EnvironmentFile=)", "let the file be there whenever Vector may start: what is in a RuntimeDirectory= goes when its unit ends, but for RuntimeDirectoryPreserve=yes, and what is in a private /tmp nobody else sees (systemd.exec(5))"},
	{"vector-credentialed", "bad_request_102", "send the header Metadata: true with each request to IMDS: it answers 400 without"},
	{"vector-credentialed", "last answer at", "see the last answer: of 401 the token is for another resource than https://vault.azure.net, of 403 its identity has no role on the vault or the secret is disabled, of 404 there is no secret of that name; what may mend itself, ask for again"},
	{"vector-credentialed", "Access denied", "let root restart Vector, or a unit of root's that OnSuccess= or a path unit starts: systemd takes orders from nobody else without polkit"},
	{"vector-credentialed", "nothing started vector.service again after that", "restart vector.service once the file is written (systemctl restart --no-block): a process keeps the environment that it was started with, whatever signal it gets, and a start does nothing to a unit that runs"},
	{"vector-credentialed", "no systemctl daemon-reload since", "run systemctl daemon-reload after a drop-in of vector.service is written, and before its restart"},
	{"vector-credentialed", "is masked", "unmask it as the image is built, as the last step (systemctl unmask): nothing starts a masked unit"},
	{"vector-credentialed", "is refused by systemd", "mend its unit file, which systemd-analyze verify names the fault of; a drop-in that replaces ExecStart= empties it first"},
	{"vector-credentialed", "BindsTo=", bindsTo}, {"vector-active", "BindsTo=", bindsTo},
	{"vector-credentialed", "PropagatesStopTo=", propagates}, {"vector-active", "PropagatesStopTo=", propagates},
	{"vector-credentialed", "has the value of", "write each of the vault's values under the variable that is its own: they came, and got mixed up"},
	{"env-file-whole", "was removed while it held", "replace vector.env by a rename and never remove it; where it lies in a RuntimeDirectory=, that goes when its unit ends, but for RuntimeDirectoryPreserve=yes (systemd.exec(5))"},
	{"vector-credentialed", "or does not read it", "let vector.env be the last EnvironmentFile= of vector.service: of several each variable has its last value (systemd.exec(5))"},
	{"logs-delivered", "may not read the journal", "put Vector's user into the group systemd-journal (SupplementaryGroups=systemd-journal), as its package does"},
	{"vector-credentialed", "which keeps it from the network", "let it have the network (RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK, no PrivateNetwork=, SystemCallFilter= with @network-io; systemd.exec(5)), or leave that setting to units that ask nobody"},
	{"vector-credentialed", "which hides the role env from it", "let it see /etc/opensandbox (BindReadOnlyPaths=, ReadWritePaths=), where worker.env comes"},
	{"vector-credentialed", "nothing carries out", "have the program in the image, or let a unit do it"},
	{"vector-credentialed", "a unit of users' managers", "have it in /etc/systemd/system, for multi-user.target: a user's manager runs while that user is logged in or lingers (loginctl(1))"},
	{"vector-credentialed", "before the script of the user data", "have the script start a unit without waiting for it (systemctl start --no-block), which waits for worker.env: that comes after all scripts of the image"},
	{"vector-credentialed", nobodyAsked, "see what starts the unit that fetches them: it is enabled, for a target that is reached, with everything there that it requires, and waits for worker.env itself instead of being skipped without it"},
	{"registered", "not started again", "leave the worker alone: no Conflicts= with it, no stop of it; what Conflicts= stops is not started again"},
	{"registered", "was never ", "leave cloud-init as the base has it, for it writes worker.env and starts the worker: no cloud-init.disabled, none of its units masked, scripts-user among cloud_final_modules"},
	{"no-ordering-cycle", "which is not there", "have what it requires in the image, or say Wants= of what it can do without (systemd.unit(5))"},
	{"boot-unblocked", elsewhere, "have default.target be multi-user.target, or a target that wants it (systemctl set-default): cloud-final, which writes worker.env, waits for that one"},
	{"boot-unblocked", "most of it the generators", "take what is slow out of system-generators/: PID 1 waits for all of them before it loads a unit (systemd.generator(7)), so do it in a service"},
	{"boot-unblocked", "cloud-init runs `bootcmd`", "take the waiting out of bootcmd: it comes before basic.target, and worker.env long after; start a unit there that waits, with --no-block"},
	{"registered", "has not come to the user data", "have the image's script start a unit without waiting for it (systemctl start --no-block): cloud-init runs its scripts one after the other, and that of the user data comes last"},
	{"boot-unblocked", "most of it the start of cloud-init", "take what is slow out of bootcmd and out of cloud-init's modules: what comes before the network and basic.target holds all others"},
	{"quiescent", "the boot before took", "let the unit end when it is told to (SIGTERM), or bound what it may take: TimeoutStopSec= (systemd.service(5))"},
	{"vector-active", "Restart=", restartAlways}, {"vector-credentialed", "does not start it again", restartAlways},
}

// elsewhere: nothing else of the boot has to do with why its target was not reached.
const elsewhere = "the default target is another one"

const restartAlways = "have systemd start Vector again however it ends: Restart=always, as its package has it"

const bindsTo = "say Wants= and After= of a unit that ends when it is done, or give it RemainAfterExit=yes: BindsTo= stops Vector as that one ends (systemd.unit(5))"

// exec is of what systemd could not run.
const exec = "put the program where ExecStart= says, executable, and with an interpreter that is there: a first line that ends with CR names another one; and where ProtectHome=, InaccessiblePaths= and the like let it be seen"

const propagates = "take PropagatesStopTo=vector.service away, or give the unit RemainAfterExit=yes: Vector is stopped also as that one ends by itself (systemd.unit(5))"

func mendOf(check results.Check) string {
	for _, m := range mends {
		if m.check == check.Name && strings.Contains(check.Findings[0].Summary, m.says) {
			return m.change
		}
	}
	return ""
}

// Case explains a case by the boot that decided it. b is what that boot was; its zero
// value adds nothing. A case without a failed check has no explanation, nor
// has one that could not be judged: the cause of what its checks found may be the
// host, and nothing of the subject would have to change.
func Case(c results.Case, b boot.Facts) (e Explanation, ok bool) {
	if c.Unjudged() {
		return Explanation{}, false
	}
	return Checks(c.Decided().Checks, b)
}

// Checks explains a boot that was judged by what its checks found.
func Checks(checks []results.Check, b boot.Facts) (e Explanation, ok bool) {
	failed := map[string]results.Check{}
	for _, check := range checks {
		if check.Outcome == "fail" && len(check.Findings) > 0 {
			failed[check.Name] = check
		}
	}
	order := slices.Clone(causes)
	slices.SortStableFunc(order, func(a, b cause) int {
		return cmp.Or(b2i(excused(a.check, failed))-b2i(excused(b.check, failed)), b2i(a.after(failed))-b2i(b.after(failed)))
	})
	for _, cause := range order {
		check, isFailed := failed[cause.check]
		if !isFailed {
			continue
		}
		e.findings += len(check.Findings)
		if cause.more != nil {
			e.More = append(e.More, cause.more(b, check)...)
		}
		said := fmt.Sprintf("%s: %s", cause.check, check.Findings[0].Summary)
		if excused(cause.check, failed) {
			said += " (" + check.Findings[0].Host + ", which explains it)"
		}
		if e.Check != "" {
			e.Then = append(e.Then, said)
			continue
		}
		e.Check, e.Change, e.first = cause.check, cmp.Or(mendOf(check), cause.change), said
		if cause.check == "no-start-limit" && mendOf(check) == "" && askedForOften(b, check) {
			e.Change = "restart the unit once, when all that it reads is there: a start that somebody asks for counts against StartLimitBurst= as well, systemctl restart's too"
		}
		var all []string
		for _, f := range check.Findings {
			all = append(all, f.Summary)
			e.Evidence = append(e.Evidence, f.Evidence...)
		}
		e.Why = strings.Join(all[:min(3, len(all))], "; ")
		e.Evidence = e.Evidence[:min(6, len(e.Evidence))]
	}
	if e.Check != "" {
		e.vectorSays(b, failed[e.Check])
	}
	return e, e.Check != ""
}

// Headline is the cause in a line: what the first finding of its check says, and how many more
// findings there are.
func (e Explanation) Headline() string {
	if e.findings <= 1 {
		return e.first
	}
	return fmt.Sprintf("%s (and %d more)", e.first, e.findings-1)
}

// nobodyAsked is how it begins where the subject did not come to it.
const nobodyAsked = "no request came to IMDS or the vault"

// wasRight is how vector-credentialed begins where what was right was undone.
const wasRight = "what was right was "

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

var unitName = regexp.MustCompile(`[A-Za-z0-9:_.\\@-]+\.(service|target|socket|path|timer|mount|device|slice)`)

// cycleUnits names the units that systemd's messages on the cycle speak of.
func cycleUnits(_ boot.Facts, check results.Check) []string {
	var units []string
	for _, f := range check.Findings {
		for _, ev := range f.Evidence {
			for _, unit := range unitName.FindAllString(ev.Text, -1) {
				if !slices.Contains(units, unit) {
					units = append(units, unit)
				}
			}
		}
	}
	if len(units) < 2 || !strings.Contains(check.Findings[0].Summary, "cycle") && !strings.Contains(check.Findings[0].Summary, "dropped") {
		return nil
	}
	return []string{"the cycle goes through " + strings.Join(units, ", ")}
}

// spenders says who used up the starts of the units that were refused.
func spenders(b boot.Facts, check results.Check) []string {
	var out []string
	failed := map[string]int{}
	for _, f := range b.Failures().All {
		failed[f.Unit] = f.Times
	}
	for _, unit := range unitsOf(check) {
		starts := b.Starts(unit)
		if len(starts.All) == 0 {
			continue
		}
		first, last := starts.All[0], starts.All[len(starts.All)-1]
		s := fmt.Sprintf("%s was started %s from %s to %s%s and failed %d times", unit, times(starts),
			timeline.Since(first.At), timeline.Since(last.At), askers(starts.All), failed[unit])
		if limit, ok := b.StartLimit(unit); ok {
			s += "; " + limit.String()
			if limit.Twice > 0 {
				s += fmt.Sprintf(" (%d were asked for while an automatic restart was pending, which counts twice)", limit.Twice)
			}
		}
		out = append(out, s)
	}
	return out
}

// askedForOften: the units whose starts were refused had not failed; others asked for most of their starts.
func askedForOften(b boot.Facts, check results.Check) bool {
	units := unitsOf(check)
	failed := b.Failures().All
	wrong := func(e boot.End) bool { return e.Change.ExitStatus != "" }
	return len(units) > 0 && !slices.ContainsFunc(units, func(unit string) bool {
		starts := b.Starts(unit)
		byOthers := 0
		for _, s := range starts.All {
			byOthers += b2i(s.By == boot.ByOthers)
		}
		return starts.Unknown != "" || byOthers*2 <= len(starts.All) || slices.ContainsFunc(b.Ends(unit).All, wrong) || slices.ContainsFunc(failed, func(f boot.Failure) bool { return f.Unit == unit && f.Times > 0 })
	})
}

func times(starts boot.Seen[boot.Start]) string {
	n := fmt.Sprintf("%d times", len(starts.All))
	if starts.Unknown != "" {
		return "at least " + n
	}
	return n
}

// askers says how many of the starts each asked for, as far as it is known.
func askers(starts []boot.Start) string {
	n := map[boot.Asker]int{}
	for _, s := range starts {
		n[s.By]++
	}
	var out []string
	for _, by := range []boot.Asker{boot.ByBoot, boot.ByItself, boot.ByOthers} {
		if n[by] > 0 {
			out = append(out, fmt.Sprintf("%d by %s", n[by], by))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func unitsOf(check results.Check) []string {
	units := map[string]bool{}
	for _, f := range check.Findings {
		if f.Unit != "" {
			units[f.Unit] = true
		}
	}
	return slices.Sorted(maps.Keys(units))
}

// refusals names the last request for a token or a secret that was not granted,
// by what was asked for, unless it was granted later.
func refusals(b boot.Facts, check results.Check) []string {
	last := map[string]timeline.Event{}
	asked := map[string]int{}
	for _, ev := range b.Of(timeline.Request) {
		if !boot.ForCredentials(ev.Call) {
			continue
		}
		what := strings.TrimSpace(ev.Call.Service + " " + cmp.Or(ev.Call.Secret, ev.Call.Op))
		last[what] = ev
		asked[what]++
	}
	var out []string
	for _, what := range slices.Sorted(maps.Keys(last)) {
		if ev := last[what]; ev.Call.Status != 200 && !boot.Challenge(ev.Call) {
			answer := cmp.Or(ev.Call.Error, "no answer")
			if ev.Call.Status != 0 {
				answer = strings.TrimSpace(fmt.Sprintf("%d %s", ev.Call.Status, ev.Call.Error))
			}
			out = append(out, fmt.Sprintf("%s: its last answer, at %s, was %s; it was asked %d times", what, timeline.Since(ev.At), answer, asked[what]))
		}
	}
	if len(last) == 0 && len(b.Events) > 0 && !strings.Contains(check.Findings[0].Summary, nobodyAsked) {
		out = append(out, "no request reached IMDS or the vault")
	}
	return out
}
