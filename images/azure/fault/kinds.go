package fault

import "slices"

// Kind is what goes wrong.
type Kind string

// Kinds. The table below says what each is.
const (
	NoSuchHost     Kind = "no-such-host"
	ResolverFails  Kind = "resolver-fails"
	ResolverSilent Kind = "resolver-silent"

	Refused Kind = "refused"

	CertExpired   Kind = "certificate-expired"
	CertOtherHost Kind = "certificate-other-host"
	CertUntrusted Kind = "certificate-untrusted"

	Status    Kind = "status"
	Slow      Kind = "slow"
	Hang      Kind = "hang"
	Reset     Kind = "reset"
	Truncated Kind = "truncated"
	Empty     Kind = "empty"

	NoIdentity   Kind = "no-identity"
	TokenEmpty   Kind = "token-empty"
	TokenExpired Kind = "token-expired"
	TokenForeign Kind = "token-foreign"

	NoRole         Kind = "no-role"
	SecretDisabled Kind = "secret-disabled"
	SecretDeleted  Kind = "secret-deleted"
	SecretEmpty    Kind = "secret-empty"
	SecretRotated  Kind = "secret-rotated"
)

// Layer is where on its way to an answer a request meets a fault.
type Layer int

const (
	// Resolve is the question for a host's address.
	Resolve Layer = iota + 1
	// Connect is the connection to a service.
	Connect
	// Handshake is TLS's.
	Handshake
	// Answer is the service's, over HTTP.
	Answer
)

// Row is a kind of fault: what a scenario may say of it.
type Row struct {
	Kind  Kind
	Layer Layer
	// Services it can happen to; nil: all that have the layer.
	Services []string
	Doc      string
	// May are the keys, beside service, op, secret and time, that say more.
	May []string
	// Must are those of them that have to be there.
	Must []string
}

// Services of the cloud that faults can happen to, and their operations as the
// request log names them.
func Services() map[string][]string {
	return map[string][]string{
		"imds":         {"token", "instance"},
		"keyvault":     {"secrets.get", "secrets.list", "secrets.versions"},
		"axiom":        {"ingest"},
		"controlplane": {"register", "heartbeat"},
	}
}

// named are the services that have a name and a certificate; IMDS has an address.
func named() []string { return []string{"axiom", "controlplane", "keyvault"} }

// Table is every kind there is.
func Table() []Row {
	answer := []string{"latency"}
	return []Row{
		{Kind: NoSuchHost, Layer: Resolve, Services: named(), Doc: "its name does not resolve (NXDOMAIN), as that of a vault that does not exist"},
		{Kind: ResolverFails, Layer: Resolve, Services: named(), Doc: "the resolver answers SERVFAIL for its name"},
		{Kind: ResolverSilent, Layer: Resolve, Services: named(), Doc: "the resolver does not answer for its name"},
		{Kind: Refused, Layer: Connect, Doc: "nothing listens; connections that were open break"},
		{Kind: CertExpired, Layer: Handshake, Services: named(), Doc: "its certificate has expired"},
		{Kind: CertOtherHost, Layer: Handshake, Services: named(), Doc: "its certificate is for another host"},
		{Kind: CertUntrusted, Layer: Handshake, Services: named(), Doc: "its certificate is of an authority that nobody trusts"},
		{Kind: Status, Layer: Answer, Doc: "it answers with a status, in its own error's form unless body says otherwise",
			May: []string{"status", "code", "inner_code", "body", "retry_after", "retry_after_as", "latency"}, Must: []string{"status"}},
		{Kind: Slow, Layer: Answer, Doc: "it answers rightly after latency", May: answer, Must: answer},
		{Kind: Hang, Layer: Answer, Doc: "it takes the request and never answers"},
		{Kind: Reset, Layer: Answer, Doc: "the connection is reset in the middle of the answer's body", May: answer},
		{Kind: Truncated, Layer: Answer, Doc: "the connection ends in the middle of the answer's body", May: answer},
		{Kind: Empty, Layer: Answer, Doc: "200 and no body", May: answer},
		{Kind: NoIdentity, Layer: Answer, Services: []string{"imds"}, Doc: "the machine has no managed identity yet (400, Identity not found)", May: answer},
		{Kind: TokenEmpty, Layer: Answer, Services: []string{"imds"}, Doc: "200 with an empty access_token", May: answer},
		{Kind: TokenExpired, Layer: Answer, Services: []string{"imds"}, Doc: "a token that the vault takes for expired", May: answer},
		{Kind: TokenForeign, Layer: Answer, Services: []string{"imds"}, Doc: "a token for another audience", May: answer},
		{Kind: NoRole, Layer: Answer, Services: []string{"keyvault"}, Doc: "the identity has no role on the vault (403, ForbiddenByRbac)", May: answer},
		{Kind: SecretDisabled, Layer: Answer, Services: []string{"keyvault"}, Doc: "the secret is disabled (403, SecretDisabled)", May: answer},
		{Kind: SecretDeleted, Layer: Answer, Services: []string{"keyvault"}, Doc: "the secret is deleted, or not there yet (404, SecretNotFound)", May: answer},
		{Kind: SecretEmpty, Layer: Answer, Services: []string{"keyvault"}, Doc: "the secret's value is empty", May: answer},
		{Kind: SecretRotated, Layer: Answer, Services: []string{"keyvault"}, Doc: "the secret has a new version with a new value, and keeps it", May: answer},
	}
}

// Values are what a file may say.
func (Kind) Values() []string {
	var all []string
	for _, row := range Table() {
		all = append(all, string(row.Kind))
	}
	return all
}

// Row returns the table's row of a kind.
func (k Kind) Row() (Row, bool) {
	table := Table()
	i := slices.IndexFunc(table, func(r Row) bool { return r.Kind == k })
	if i < 0 {
		return Row{}, false
	}
	return table[i], true
}
