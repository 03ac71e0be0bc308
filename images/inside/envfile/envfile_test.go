package envfile

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDigestsTellValuesApartWithoutShowingThem(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"an empty value", "A=\n", "A=-"},
		{"quotes are not part of the value", "A=\"x\"\nB=x\nC='x'\n", "A=2d711642,B=2d711642,C=2d711642"},
		{"blanks around a name and its sign are neither's", " A =\tx\nB\t= 'x'  \n", "A=2d711642,B=2d711642"},
		{"what is no name is no variable", "export A=x\nB=x\n", "B=2d711642"},
		{"a line that goes on", "A=\\\nx\n", "A=2d711642"},
		{"a carriage return ends a line", "A=x\r\nB=x\r\n", "A=2d711642,B=2d711642"},
		{"a file that systemd drops whole", "A=x\nB=\xff\n", ""},
		{"comments and junk are passed over", "# A=1\n;B=2\njunk\nC=x\n", "C=2d711642"},
		{"the last assignment counts", "A=x\nA=\n", "A=-"},
		{"an escaped quote is the quote", `A="a\"b"` + "\n" + `B='a"b'` + "\n", "A=" + digest8(`a"b`) + ",B=" + digest8(`a"b`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Digests(variables([]byte(tt.text))))
		})
	}
}
