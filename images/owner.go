package images

import (
	"fmt"
	"os"
	"strconv"
)

// Labels by which every container of ours is found again.
const (
	LabelRun   = "bootrace.run"   // the run's id
	LabelOwner = "bootrace.owner" // a file that the run's process holds locked
	LabelHost  = "bootrace.host"  // the host name where that file is
	LabelUID   = "bootrace.uid"   // whose process that is
	LabelRole  = "bootrace.role"  // cloud or worker
)

// Labels are what a container carries, whoever creates it: by them it is swept away
// once the process is gone that held the file owner locked.
func Labels(run, role, owner string) (map[string]string, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("labels: ask for this host's name: %w", err)
	}
	return map[string]string{LabelRun: run, LabelOwner: owner, LabelHost: host, LabelUID: strconv.Itoa(os.Getuid()), LabelRole: role}, nil
}
