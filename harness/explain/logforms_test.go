package explain_test

import "bootrace/harness/verdict"

// logsAgain are more of logs: for each that must be told as a failure one beside it that must not.
var logsAgain = map[string]want{
	"json-ansible-stderr.txt":    {verdict.Fail, `^gauge\.service failed`, "", ""},
	"json-ansible-no-unit.txt":   {verdict.Fail, `^gauge\.service failed.*is not there`, "", ""},
	"json-ansible-cut.txt":       {verdict.Fail, `^gauge\.service failed`, "", ""},
	"json-ansible-no-reason.txt": {verdict.Fail, `^gauge\.service failed`, "", ""},
	"fine-json-of-a-user.txt":    {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
	"fine-json-done.txt":         {verdict.NotJudged, `nothing wrong is seen`, "", "gauge"},
}
