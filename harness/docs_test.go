package harness

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A page that names what is no longer there misleads whoever joins.
func TestWhatTheDocumentsNameIsThere(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	quoted := regexp.MustCompile("`((?:harness|scenarios|images|populator|results|docs)(?:/[A-Za-z0-9_./-]+)?)`")
	name := regexp.MustCompile(`\.[A-Z]\w*$`) // of a package, behind its path
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range append(pages, "../CONTRIBUTING.md", "../CHANGELOG.md", "../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		there := func(path string) {
			_, err := os.Stat(path)
			assert.NoError(t, err, page)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			there(filepath.Join("..", name.ReplaceAllString(m[1], "")))
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			there(filepath.Join(filepath.Dir(page), m[1]))
		}
	}
}
