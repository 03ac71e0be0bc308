package timeline

import (
	"encoding/json"
	"fmt"
	"io"

	"bootrace/harness/pipeline"
	"bootrace/harness/recording"
)

// readConfig reads vector.json. A configuration that cannot be read is no damage of
// the recording: Vector may not be able to read it either.
func readConfig(r io.Reader, d *damage) (*pipeline.Pipeline, string) {
	data, err := io.ReadAll(r)
	var recorded recording.VectorConfig
	if err == nil {
		err = json.Unmarshal(data, &recorded)
	}
	if err != nil {
		d.say(fmt.Sprintf("read Vector's recorded configuration: %v", err))
		return nil, ""
	}
	p, err := pipeline.Parse(recorded)
	if err != nil {
		return &p, err.Error()
	}
	return &p, ""
}
