//go:build kit

package kit

import _ "embed"

//go:embed kit.tar.zst
var carried []byte
