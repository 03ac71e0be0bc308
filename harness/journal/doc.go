// Package journal reads the log of a boot that was recorded anywhere: the forms of
// journalctl(1), syslog, dmesg, serial consoles, cloud-init's log, systemd-analyze, and what
// log stores make of them. It says who said what and when, as far as the form shows it, and
// what is wrong with the file. What the words mean is for others (harness/timeline), and so is
// which boot they are of.
//
//	report, err := journal.Read(ctx, file, "console.txt", func(e journal.Entry) { … })
//
// It streams: what it holds at once is a line or an entry. Nothing it gives has a control
// character in it, whatever was in the file.
package journal
