package explain_test

import "bootrace/harness/verdict"

// logsAgain are more of logs: for each that must be told as a failure one beside it that must not.
var logsAgain = map[string]want{
	"json-ansible-stderr.txt":               {verdict.Fail, `^gauge\.service failed`, "", ""},
	"json-ansible-no-unit.txt":              {verdict.Fail, `^gauge\.service failed.*is not there`, "", ""},
	"json-ansible-cut.txt":                  {verdict.Fail, `^gauge\.service failed`, "", ""},
	"json-ansible-no-reason.txt":            {verdict.Fail, `^gauge\.service failed`, "", ""},
	"fine-json-of-a-user.txt":               {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"fine-json-done.txt":                    {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"step-exec-bare.txt":                    {verdict.Fail, `^gauge\.service went wrong.*its program /opt/gauge/bin/gauged cannot be run \(No such file`, "", ""},
	"fine-step-exec-of-a-user.txt":          {verdict.NotJudged, `nothing wrong is seen|user`, "", "cannot be run"},
	"exit-cut-in-code.txt":                  {verdict.Fail, `^gauge\.service went wrong.*its main process ended`, "", ""},
	"socket-no-fork.txt":                    {verdict.Fail, `^gauge\.socket went wrong.*could start no process of it \(Cannot allocate memory`, "", ""},
	"fine-failed-and-ignored.txt":           {verdict.NotJudged, `nothing wrong is seen`, "", "gauge.service went wrong"},
	"fine-status-of-a-user-alone.txt":       {verdict.NotJudged, `^nothing in it is of the machine's own boot`, "", "failed ("},
	"fine-status-user-typed.txt":            {verdict.NotJudged, `^nothing in it is of the machine's own boot`, "", ""},
	"status-after-a-users.txt":              {verdict.Fail, `^pump\.service failed \(exit-code\)`, "", "gauge.service failed (e"},
	"status-no-description.txt":             {verdict.Fail, `^gauge\.service failed \(exit-code\)`, "", ""},
	"status-active-cut.txt":                 {verdict.Fail, `^gauge\.service failed \(exit-code\)`, "", ""},
	"status-active-cut-short.txt":           {verdict.Fail, `^gauge\.service is failed`, "", ""},
	"fine-status-active-cut.txt":            {verdict.NotJudged, `nothing wrong is seen`, "", "failed"},
	"fine-status-machine.txt":               {verdict.NotJudged, `nothing wrong is seen`, "", "counts"},
	"job-over-two-lines.txt":                {verdict.Fail, `^gauge\.service failed \(start failed\)`, "", ""},
	"job-after-its-name.txt":                {verdict.Fail, `^gauge\.service failed \(start failed\)`, "", ""},
	"fine-job-over-two-lines-of-a-user.txt": {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"commented-all.txt":                     {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", ""},
	"fine-commented-some.txt":               {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"one-line-status.txt":                   {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", ""},
	"one-line-glued.txt":                    {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", ""},
	"one-line-cat.txt":                      {verdict.Fail, `^gauge\.service failed \(exit-code\); its main process exited with status 3`, "", ""},
	"fine-one-line.txt":                     {verdict.NotJudged, `nothing wrong is seen`, "multi-user.target was reached", ""},
}
