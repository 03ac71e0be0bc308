package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	godbus "github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConditionsThatDidNotHoldAreLookedAtAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := filepath.Join(dir, "worker.env")
	require.NoError(t, os.WriteFile(there, []byte("x"), 0o600))
	row := func(kind string, negate bool, parameter string, state int32) []any {
		return []any{kind, false, negate, parameter, state}
	}
	var out bytes.Buffer
	writeConditions(&out, godbus.MakeVariantWithSignature([][]any{
		row("ConditionPathExists", false, there, -1),
		row("ConditionFileNotEmpty", false, there, -1),
		row("ConditionPathExistsGlob", false, dir+"/*.env", -1),
		row("ConditionDirectoryNotEmpty", false, dir, -1),
		row("ConditionPathExists", false, dir+"/never", -1),
		row("ConditionPathExists", true, there, -1),
		row("ConditionPathExists", true, dir+"/never", -1),
		row("ConditionVirtualization", false, "vm", -1),
		row("ConditionPathExists", false, "/held", 1),
		row("ConditionPathExists", false, "/not/looked/at", 0),
	}, godbus.ParseSignatureMust("a(sbbsi)")))
	assert.Equal(t, "UnmetCondition=ConditionPathExists="+there+"\nMetCondition=ConditionPathExists="+there+"\n"+
		"UnmetCondition=ConditionFileNotEmpty="+there+"\nMetCondition=ConditionFileNotEmpty="+there+"\n"+
		"UnmetCondition=ConditionPathExistsGlob="+dir+"/*.env\nMetCondition=ConditionPathExistsGlob="+dir+"/*.env\n"+
		"UnmetCondition=ConditionDirectoryNotEmpty="+dir+"\nMetCondition=ConditionDirectoryNotEmpty="+dir+"\n"+
		"UnmetCondition=ConditionPathExists="+dir+"/never\n"+
		"UnmetCondition=ConditionPathExists=!"+there+"\n"+
		"UnmetCondition=ConditionPathExists=!"+dir+"/never\nMetCondition=ConditionPathExists=!"+dir+"/never\n"+
		"UnmetCondition=ConditionVirtualization=vm\n", out.String())

	trigger := func(path string, state int32) []any { return []any{"ConditionPathExists", true, false, path, state} }
	for want, rows := range map[string][][]any{
		"UnmetCondition=ConditionPathExists=|" + there + "\nMetCondition=ConditionPathExists=|" + there + "\nUnmetCondition=ConditionPathExists=|/never\n": {trigger(there, -1), trigger("/never", -1)},
		"": {trigger(there, 1), trigger("/never", -1)}, // one was enough
	} {
		out.Reset()
		writeConditions(&out, godbus.MakeVariantWithSignature(rows, godbus.ParseSignatureMust("a(sbbsi)")))
		assert.Equal(t, want, out.String())
	}
}
