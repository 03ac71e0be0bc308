package timeline

import (
	"io"

	"bootrace/harness/pipeline"
)

// readConfig reads vector.json. A configuration that cannot be read is no damage of
// the recording: Vector may not be able to read it either.
func readConfig(r io.Reader, d *damage) (*pipeline.Pipeline, string) {
	data, err := io.ReadAll(r)
	if err != nil {
		d.say(err.Error())
		return nil, ""
	}
	recorded, err := pipeline.Read(data)
	if err != nil {
		d.say(err.Error())
		return nil, ""
	}
	p, err := pipeline.Parse(recorded)
	if err != nil {
		return &p, err.Error()
	}
	return &p, ""
}
