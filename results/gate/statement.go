package gate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	testresult "github.com/in-toto/attestation/go/predicates/test_result/v0"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"bootrace/results"
)

// PredicateType is in-toto's for the results of tests:
// https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md.
// What it has no field for are annotations of the resources that it is about, so
// that whoever reads test results reads these.
const PredicateType = "https://in-toto.io/attestation/test-result/v0.1"

// Names of the resources in a certificate. Those of images and bases are followed
// by the base's name.
const (
	workerResource    = "worker@" // a subject; its annotations are imageNotes
	baseResource      = "base@"
	policyResource    = "policy"    // with its text; its annotations are policyNotes
	scenariosResource = "scenarios" // its annotations are each scenario's SHA-256, by name
	subjectResource   = "subject"   // its annotations are subjectNotes
	runResource       = "run"       // its annotations are runNotes
)

type (
	imageNotes struct {
		Cases      []Judged               `json:"cases"`
		Found      []results.ImageFinding `json:"found,omitempty"`
		Versions   map[string]string      `json:"versions"`
		Statistics map[string]Statistic   `json:"statistics"`
	}
	policyNotes struct {
		File    string   `json:"file"`
		Waivers []Waiver `json:"waivers"`
	}
	subjectNotes struct {
		Name string `json:"name"`
	}
	runNotes struct {
		Run     Run      `json:"run"`
		Reasons []Reason `json:"reasons"`
	}
)

// encode makes the in-toto statement, as JSON without white space.
func (c Certificate) encode() ([]byte, error) {
	result := &testresult.TestResult{Result: string(c.Result)}
	st := &intoto.Statement{Type: intoto.StatementTypeUri, PredicateType: PredicateType}
	var errs []error
	add := func(list *[]*intoto.ResourceDescriptor, name, digest string, content []byte, notes any) {
		rd := &intoto.ResourceDescriptor{Name: name, Content: content}
		if digest != "" {
			rd.Digest = map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}
		}
		if notes != nil {
			rd.Annotations = &structpb.Struct{}
			errs = append(errs, convert(notes, rd.Annotations))
		}
		errs = append(errs, rd.Validate())
		*list = append(*list, rd)
	}
	conf, said := &result.Configuration, Decision{Reasons: c.Reasons}
	add(conf, policyResource, c.Policy.Digest(), []byte(c.Policy.Source), policyNotes{c.Policy.File, c.Waivers})
	add(conf, scenariosResource, digestOf(c.scenarioList()), nil, c.Scenarios)
	add(conf, subjectResource, c.Subject.Hash, nil, subjectNotes{c.Subject.Name})
	for _, i := range c.Images {
		add(&st.Subject, workerResource+i.Base, i.Digest, nil, imageNotes{i.Cases, i.Found, i.Versions, i.Statistics})
		add(conf, baseResource+i.Base, i.BaseDigest, nil, nil)
		said.Cases = append(said.Cases, i.Cases...)
		for _, j := range i.Cases {
			switch j.Outcome {
			case CasePassed:
				result.PassedTests = append(result.PassedTests, j.ID)
			case CaseAside: // neither: the annotations have it
			case CaseWarned:
				result.WarnedTests = append(result.WarnedTests, j.ID)
			default:
				result.FailedTests = append(result.FailedTests, j.ID)
			}
		}
	}
	for _, digest := range c.Subject.Given {
		add(&st.Subject, c.Subject.Name, digest, nil, nil)
	}
	add(conf, runResource, "", nil, runNotes{c.Run, c.Reasons})
	if said.Result() != c.Result {
		errs = append(errs, fmt.Errorf("it says %s, and its cases and reasons come to %s", c.Result, said.Result()))
	}
	st.Predicate = &structpb.Struct{}
	errs = append(errs, throughJSON(result, st.Predicate), st.Validate())
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("write the certificate's statement: %w", err)
	}
	data, err := protojson.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("write the certificate's statement: %w", err)
	}
	var out bytes.Buffer
	err = json.Compact(&out, data) // protojson's white space is random
	return out.Bytes(), err
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// scenarioList is what identifies the set, as sha256sum(1) lists files.
func (c Certificate) scenarioList() []byte {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(c.Scenarios)) {
		fmt.Fprintf(&out, "%s  %s\n", c.Scenarios[name], name)
	}
	return out.Bytes()
}

// convert makes annotations of a struct.
func convert(from any, to *structpb.Struct) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(data, to)
}

// throughJSON converts between messages that have the same JSON.
func throughJSON(from, to proto.Message) error {
	data, err := protojson.Marshal(from)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(data, to)
}

// decode reads a statement that encode made, and no other.
func decode(payload []byte) (Certificate, error) {
	c, err := read(payload)
	if err != nil {
		return Certificate{}, err
	}
	// What is not said twice the same way is not believed once: the tests against
	// the cases, the digests against the texts.
	again, err := c.encode()
	if err != nil {
		return Certificate{}, err
	}
	var got, want intoto.Statement
	if err := errors.Join(protojson.Unmarshal(payload, &got), protojson.Unmarshal(again, &want)); err != nil {
		return Certificate{}, err
	}
	if !proto.Equal(&got, &want) {
		return Certificate{}, errors.New("its statement contradicts itself, or is none of bootrace's")
	}
	return c, nil
}

func read(payload []byte) (c Certificate, err error) {
	var st intoto.Statement
	if err := protojson.Unmarshal(payload, &st); err != nil {
		return c, fmt.Errorf("its payload is no in-toto statement: %w", err)
	}
	if err := st.Validate(); err != nil {
		return c, fmt.Errorf("its in-toto statement: %w", err)
	}
	if st.GetType() != intoto.StatementTypeUri || st.GetPredicateType() != PredicateType {
		return c, fmt.Errorf("it is a %s with predicate %s, expected %s with %s", st.GetType(), st.GetPredicateType(), intoto.StatementTypeUri, PredicateType)
	}
	var result testresult.TestResult
	if err := throughJSON(st.GetPredicate(), &result); err != nil {
		return c, fmt.Errorf("its predicate is no test result: %w", err)
	}
	c.Result = Result(result.GetResult())
	var errs []error
	bases := map[string]string{}
	for _, rd := range result.GetConfiguration() {
		switch name := rd.GetName(); {
		case name == policyResource:
			var notes policyNotes
			errs = append(errs, notesOf(rd, &notes))
			c.Policy, c.Waivers = PolicyFile{notes.File, string(rd.GetContent())}, notes.Waivers
		case name == scenariosResource:
			errs = append(errs, notesOf(rd, &c.Scenarios))
		case name == subjectResource:
			var notes subjectNotes
			errs = append(errs, notesOf(rd, &notes))
			c.Subject.Name, c.Subject.Hash = notes.Name, rd.GetDigest()["sha256"]
		case name == runResource:
			var notes runNotes
			errs = append(errs, notesOf(rd, &notes))
			c.Run, c.Reasons = notes.Run, notes.Reasons
		case strings.HasPrefix(name, baseResource):
			bases[strings.TrimPrefix(name, baseResource)] = "sha256:" + rd.GetDigest()["sha256"]
		}
	}
	for _, rd := range st.GetSubject() {
		digest := "sha256:" + rd.GetDigest()["sha256"]
		base, isWorker := strings.CutPrefix(rd.GetName(), workerResource)
		if !isWorker || rd.GetAnnotations() == nil { // an image that was given may be called worker@sha256:…
			c.Subject.Given = append(c.Subject.Given, digest)
			continue
		}
		var notes imageNotes
		errs = append(errs, notesOf(rd, &notes))
		c.Images = append(c.Images, Image{Base: base, Digest: digest, BaseDigest: bases[base], Cases: notes.Cases, Found: notes.Found, Versions: notes.Versions, Statistics: notes.Statistics})
	}
	return c, errors.Join(errs...)
}

// notesOf reads a resource's annotations, of which all must be known.
func notesOf(rd *intoto.ResourceDescriptor, to any) error {
	data, err := protojson.Marshal(rd.GetAnnotations())
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return fmt.Errorf("its annotations of %s: %w", rd.GetName(), err)
	}
	return nil
}
