// Package vectorenv knows what is in /etc/opensandbox/vector.env: which
// variables, from which secrets, what the stub is and how to tell it from real
// credentials; and it replaces the file whole or not at all. Where the values
// come from, and when the file is written, is decided elsewhere.
//
//	file := vectorenv.File{Path: "/etc/opensandbox/vector.env"}
//	now := file.Read()
//	if now.Kind != vectorenv.Real {
//		data, err := vectorenv.Render(vectorenv.Stub())
//		changed, err := file.Write(data)
//	}
package vectorenv

import (
	"bootrace/populator/envfile"
)

// The variables of vector.env.
const (
	Token          = "AXIOM_PLATFORM_TOKEN"
	Dataset        = "AXIOM_PLATFORM_DATASET"
	MetricsToken   = "AXIOM_PLATFORM_METRICS_TOKEN"
	MetricsDataset = "AXIOM_PLATFORM_METRICS_DATASET"
	CellID         = "OPENCOMPUTER_CELL_ID"
	Region         = "OPENSANDBOX_REGION"
	HostIP         = "OPENCOMPUTER_HOST_IP"

	// The stub's alone: the real file leaves both to their defaults.
	URL           = "AXIOM_PLATFORM_URL"
	ShutdownLimit = "VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS"
)

// Unknown stands for a value nothing supplied.
const Unknown = "unknown"

const (
	// stubURL refuses every connection at once. Vector's axiom sink retries
	// a refused connection for ever, but drops a batch for good on 401 or
	// 404: with any endpoint that answers, a stub would lose what is logged
	// meanwhile (src/sinks/util/http.rs, HttpRetryLogic).
	stubURL = "http://127.0.0.1:1"

	// placeholder is not empty, because an unquoted empty value in
	// vector.yaml is YAML's null, which a string option refuses. It is no
	// secret, and says in a log of Axiom's, should it ever get there, what
	// it is.
	placeholder = "awaiting-credentials"

	// shutdownLimit bounds how long a Vector that runs on the stub drains
	// towards an endpoint that cannot answer, by default 60 s
	// (https://vector.dev/docs/reference/cli/). What it holds stays in its
	// disk buffer.
	shutdownLimit = "1"
)

// Secret is one of the vault's secrets and the variable that carries it.
type Secret struct {
	Name     string
	Variable string
	Required bool
}

// Secrets are what vector.env is made of, required ones first.
func Secrets() []Secret {
	return []Secret{
		{Name: "shared-axiom-platform-ingest-token", Variable: Token, Required: true},
		{Name: "shared-axiom-platform-dataset", Variable: Dataset, Required: true},
		{Name: "shared-axiom-platform-metrics-ingest-token", Variable: MetricsToken},
		{Name: "shared-axiom-platform-metrics-dataset", Variable: MetricsDataset},
		{Name: "shared-cell-id", Variable: CellID},
	}
}

// order of the variables in the file. Each file has all of the first seven:
// Vector does not start on a config that names a variable it was not given.
func order() []string {
	return []string{Token, Dataset, MetricsToken, MetricsDataset, CellID, Region, HostIP, URL, ShutdownLimit}
}

// Stub has every variable, so that Vector's config resolves, and sends what
// Vector reads to where nothing is lost.
func Stub() map[string]string {
	return map[string]string{
		Token: placeholder, Dataset: placeholder,
		MetricsToken: "", MetricsDataset: "",
		CellID: Unknown, Region: Unknown, HostIP: Unknown,
		URL: stubURL, ShutdownLimit: shutdownLimit,
	}
}

// Complete returns values with a default for each variable that a real file
// must have and values lacks, and without the stub's own.
func Complete(values map[string]string) map[string]string {
	full := map[string]string{MetricsToken: "", MetricsDataset: "", CellID: Unknown, Region: Unknown, HostIP: Unknown}
	for _, name := range order() {
		if value, ok := values[name]; ok && name != URL && name != ShutdownLimit {
			full[name] = value
		}
	}
	return full
}

// Render makes the file of values. Variables that are not vector.env's are
// left out.
func Render(values map[string]string) ([]byte, error) {
	data := []byte("# Written by populate-vector-env, which overwrites changes.\n")
	for _, name := range order() {
		value, ok := values[name]
		if !ok {
			continue
		}
		var err error
		if data, err = envfile.Append(data, name, value); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// Usable says whether value can be what a required secret holds.
func Usable(value string) bool { return value != "" && value != placeholder }

// Kind is what a vector.env is good for.
type Kind int

const (
	// None: no file, or one that Vector cannot start or deliver with.
	None Kind = iota
	// Placeholder: a stub.
	Placeholder
	// Real: credentials.
	Real
)

func kindOf(values map[string]string) Kind {
	if values[URL] == stubURL {
		return Placeholder
	}
	for _, s := range Secrets() {
		if s.Required && !Usable(values[s.Variable]) {
			return None
		}
	}
	return Real
}
