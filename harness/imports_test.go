// Package harness holds the architecture's one test: who may import whom.
package harness

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// module is the prefix of our own packages.
const module = "bootrace/"

// allowed lists the direct imports within the module, tests aside; what is not
// listed is forbidden. The way through is one direction:
// scenario -> plan -> case -> machine -> recording -> timeline -> boot facts -> checks -> verdict -> results.
var allowed = []struct {
	pkg     string // or a prefix ending in /
	imports []string
	why     string
}{
	{"harness/cmd/bootrace", []string{"*"}, "it wires"},
	{"harness/wire", []string{"harness/lint", "harness/look", "harness/boot", "results", "harness/machine", "harness/machine/", "harness/run", "harness/subject", "images"}, "puts a run together, for the command and for tests"},
	{"harness/wire/wiretest", []string{"harness/wire", "harness/machine", "harness/run", "harness/verdict", "images", "results", "scenarios"}, "for tests that boot machines"},
	{"harness/run", []string{"scenarios", "images/azure/fault", "images/azure/config", "images/azure/keyvault", "harness/machine", "harness/provision", "images", "harness/subject", "harness/judge", "harness/boot", "harness/check",
		"harness/verdict", "harness/explain", "harness/recording", "harness/picture", "results"}, "sees backends only as Machine, stores only by its own interface"},
	{"harness/judge", []string{"harness/recording", "harness/timeline", "harness/boot", "harness/check", "harness/verdict"}, "judges any recording, without an engine"},
	{"harness/verdict", []string{"harness/check"}, "pure"},
	{"harness/check", []string{"harness/boot", "harness/timeline", "harness/pipeline"}, "pure: rules on what a boot was"},
	{"harness/boot", []string{"harness/recording", "harness/timeline", "harness/timespan", "harness/pipeline"}, "what a boot was, worked out once for all who read it"},
	{"harness/timespan", nil, "a leaf: systemd.time(7)"},
	{"harness/journal", []string{"harness/timespan"}, "what hosts keep of a boot, in any form; it knows of no boot"},
	{"harness/journal/journaltest", []string{"harness/recording"}, "a recording's journal as a host sends it, for tests"},
	{"harness/timeline", []string{"harness/journal", "harness/recording", "harness/pipeline", "harness/timespan"}, "what a recording is made of: a production journal is read without the rest"},
	{"harness/timeline/timelinetest", []string{"harness/recording"}, "recordings of boots that never were, for tests"},
	{"harness/pipeline", []string{"harness/recording"}, "Vector's configuration, as a graph"},
	{"harness/recording", []string{"images/azure/fault"}, "the format, for who writes and who reads it; the kinds of faults are the cloud's"},
	{"harness/machine", nil, "no engine types"},
	{"harness/machine/machinetest", []string{"harness/machine", "harness/recording"}, "one suite for every backend"},
	{"harness/machine/", []string{"harness/machine", "harness/recording", "images", "images/kit"}, "a backend knows nothing of cases, nor of another backend"},
	{"harness/explain", []string{"harness/boot", "harness/check", "harness/timeline", "results"}, "a result and its boot, in sentences"},
	{"harness/derive", []string{"harness/boot", "harness/timeline", "results/history"}, "pure: facts in, a scenario's text out; what is chance is history's"},
	{"harness/likeness", []string{"harness/boot", "harness/check", "harness/journal", "harness/judge", "harness/recording", "harness/timeline"}, "boots beside a journal: both are judged before"},
	{"harness/lint", []string{"harness/boot", "harness/timespan", "images/vector/config", "scenarios"}, "reads text, and asks the stand-in what it would play"},
	{"harness/provision", []string{"harness/boot", "scenarios"}, "a scenario's worker.env in sh, whoever runs it"},
	{"harness/capsule", []string{"harness/recording", "images", "results"}, "a case in one file: it boots nothing and judges nothing"},
	{"harness/runbook", []string{"harness/provision", "scenarios"}, "a scenario as steps for a host: it sees none"},
	{"harness/museum", []string{"harness/run", "scenarios", "results"}, "data, and what must come of it"},
	{"harness/look", []string{"harness/boot"}, "what lies in an image, and what of it a boot cannot show"},
	{"harness/subject", []string{"images", "harness/machine", "harness/check", "harness/look", "scenarios/document"}, "bakes; its file names checks"},
	{"scenarios", []string{"images/azure/fault", "scenarios/document"}, "the format of faults is the cloud's"},
	{"scenarios/document", nil, "a leaf: a file and what is wrong with it"},
	{"images", []string{"images/azure/ca"}, "the authority is made when the image is"},
	{"images/kit", []string{"images"}, "what images are made of, in one archive"},
	{"images/kit/", []string{"images", "images/kit"}, "writes that archive when the command is built"},
	{"images/azure/", []string{"images/azure/", "harness/recording"}, "the cloud is a program of its own, whose log is of the recording"},
	{"images/azure", []string{"images/azure/"}, "the cloud is a program of its own"},
	{"images/vector/", []string{"images/vector/"}, "the stand-in is a program of its own"},
	{"images/vector", []string{"images/vector/"}, "the stand-in is a program of its own"},
	{"images/twin", []string{"images/inside/", "harness/recording"}, "a program of its own, which takes part in the boot"},
	{"images/collector", []string{"images/inside/", "harness/pipeline", "harness/recording", "harness/timespan"}, "a program of its own, which runs when the boot is over"},
	{"images/inside/envfile", []string{"populator/envfile"}, "how systemd reads an environment file is written once, and fuzzed there"},
	{"images/inside/", []string{"images/inside/", "harness/recording"}, "what programs in a machine see of it"},
	{"populator/", []string{"populator/"}, "a subject like any other: it imports nothing of the harness"},
	{"results", nil, "a leaf: the record format"},
	{"results/report", []string{"results"}, "what others read"},
	{"results/page", []string{"results"}, "what people read"},
	{"results/history", []string{"results"}, "pure: samples in, what moved out"},
	{"results/gate", []string{"results", "scenarios/document"}, "decides on records, whatever made them"},
	{"results/gate/gatetest", []string{"results", "results/gate"}, "one table of ways to fail, for the decision and for the exit code"},
	{"harness/picture", []string{"harness/timeline", "harness/boot", "results"}, "a boot, as reports draw it"},
	{"results/store", []string{"results"}, "keeps records, whatever is in them"},
	{"images/postgrestest", []string{"images"}, "for tests that need a PostgreSQL"},
	{"results/store/storetest", []string{"results", "results/store"}, "one suite for every store"},
}

// thirdParty lists libraries that only some packages may use.
var thirdParty = map[string]struct {
	users []string
	why   string
}{
	"github.com/testcontainers/testcontainers-go":            {[]string{"harness/machine/container"}, "engine types stay with the backend"},
	"github.com/moby/moby/client":                            {[]string{"harness/machine/container", "images", "images/postgrestest"}, "engine types stay with the backend, the image builds, and the tests that start PostgreSQL"},
	"modernc.org/sqlite":                                     {[]string{"results/store"}, "run sees stores only by its own interface"},
	"go.opentelemetry.io/proto/slim/otlp/trace/v1":           {[]string{"results/report"}, "records know nothing of who reads them"},
	"go.opentelemetry.io/proto/slim/otlp/collector/trace/v1": {[]string{"results/report"}, "records know nothing of who reads them"},
	"github.com/lib/pq":                                      {[]string{"results/store", "images/postgrestest"}, "run sees stores only by its own interface"},
	"gonum.org/v1/gonum/stat":                                {[]string{"results/history"}, "what is chance is decided in one place"},
	"gonum.org/v1/gonum/stat/distuv":                         {[]string{"results/history"}, "what is chance is decided in one place"},
	"github.com/invopop/jsonschema":                          {[]string{"scenarios/document"}, "what a file may hold is made and checked in one place"},
	"github.com/santhosh-tekuri/jsonschema/v6":               {[]string{"scenarios/document"}, "what a file may hold is made and checked in one place"},
	"github.com/in-toto/attestation/go/v1":                   {[]string{"results/gate"}, "a certificate's form is the gate's business"},
	"github.com/secure-systems-lab/go-securesystemslib/dsse": {[]string{"results/gate"}, "a certificate's form is the gate's business"},
}

// narrow lists packages that only some may import, whatever else those may.
var narrow = []struct {
	pkg   string // or a prefix ending in /
	users []string
	why   string
}{
	{"harness/machine/", []string{"harness/wire"}, "commands see a backend only as wire.Backend: another one touches its own package and a line there"},
	{"harness/wire/wiretest", nil, "for tests"},
	{"images/postgrestest", nil, "for tests"},
}

// upward lists what nothing below a folder imports, its tests included.
var upward = []struct {
	below, never string
	but          []string
	why          string
}{
	{"results/", "harness/", nil, "records outlive the harness that made them"},
	{"images/", "harness/", []string{"harness/recording", "harness/pipeline", "harness/timespan"}, "what is in a machine knows of the harness only what it writes for it, and what reads that without the rest"},
	{"scenarios/", "harness/", nil, "a scenario is a file, whoever boots it"},
}

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func (p listed) all() []string { return slices.Concat(p.Imports, p.TestImports, p.XTestImports) }

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "bootrace/...").Output()
	require.NoError(t, err)
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

func covers(pattern, pkg string) bool {
	return pattern == "*" || pattern == pkg || strings.HasSuffix(pattern, "/") && strings.HasPrefix(pkg, pattern)
}

func TestImportsGoOneWay(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		row := slices.IndexFunc(allowed, func(r struct {
			pkg     string
			imports []string
			why     string
		}) bool {
			return covers(r.pkg, name)
		})
		ours := slices.DeleteFunc(slices.Clone(p.Imports), func(i string) bool { return !strings.HasPrefix(i, module) })
		if row < 0 {
			assert.Empty(t, ours, "%s imports ours and has no row in this table", name)
			continue
		}
		used[allowed[row].pkg] = true
		for _, imp := range ours {
			imp = strings.TrimPrefix(imp, module)
			ok := slices.ContainsFunc(allowed[row].imports, func(a string) bool { return covers(a, imp) })
			assert.True(t, ok, "%s imports %s, which is not allowed: %s", name, imp, allowed[row].why)
		}
		for _, rule := range narrow {
			if slices.ContainsFunc(ours, func(i string) bool { return covers(rule.pkg, strings.TrimPrefix(i, module)) }) {
				assert.Contains(t, rule.users, name, "%s imports %s: %s", name, rule.pkg, rule.why)
			}
		}
		for lib, rule := range thirdParty {
			if slices.Contains(p.Imports, lib) {
				assert.Contains(t, rule.users, name, "%s imports %s: %s", name, lib, rule.why)
			}
		}
	}
	// A rule about a package that is gone protects nothing.
	for _, rule := range narrow {
		assert.True(t, used[rule.pkg], "there is no package %s any more: remove its row", rule.pkg)
	}
	for _, row := range allowed {
		if !strings.HasSuffix(row.pkg, "/") {
			assert.True(t, used[row.pkg], "there is no package %s any more: remove its row", row.pkg)
		}
	}
}

func TestNoArrowRunsBackUp(t *testing.T) {
	for _, p := range packages(t) {
		for _, rule := range upward {
			if !strings.HasPrefix(p.ImportPath+"/", module+rule.below) {
				continue
			}
			for _, imp := range p.all() {
				imp = strings.TrimPrefix(imp, module)
				ok := !strings.HasPrefix(imp, rule.never) || slices.Contains(rule.but, imp)
				assert.True(t, ok, "%s, or a test of it, imports %s: %s", p.ImportPath, imp, rule.why)
			}
		}
	}
}
