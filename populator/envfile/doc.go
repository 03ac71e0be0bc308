// Package envfile reads and writes environment files by the rules of
// systemd's EnvironmentFile=, and by no others: no shell expansion, no export,
// no variable references.
//
//	line, err := envfile.Append(nil, "AXIOM_PLATFORM_TOKEN", value)
//	env, err := envfile.Parse(data)
//
// What Append writes, systemd reads back byte for byte. A value that cannot
// make that journey is refused with a [RefusedError], which names the variable
// and the reason and never the value: systemd itself would drop the whole
// file and print the value to the journal while doing so.
//
// The rules are those of systemd.exec(5), EnvironmentFile=, and where the
// manual is silent those of systemd's src/basic/env-file.c; testdata holds what
// a real systemd 252 made of the corpus.
package envfile
